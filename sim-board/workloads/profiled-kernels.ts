/**
 * What a profiled kernel did, as far as its profile says: operations of matrix products from the dimensions of the
 * operator that launched it, bytes of copies, bytes of collectives. Kernels without dimensions keep their time and
 * get no operations.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { type Collective, collectiveBytes } from "./collectives.ts";
import type { DeviceEvent } from "./device-timeline.ts";
import { wholeQuantity } from "./files.ts";
import { addWork, operationsOf, type RecordedTotals, sumWork, type Work } from "./types.ts";

export type ProfiledKernel = {
  startNs: number;
  durationNs: number;
  kernel: string;
  kind: "kernel" | "copy" | "other";
  copyBytes: bigint;
  /** Operator that launched it, e.g. aten::mm, with the dimensions and types of its inputs. */
  operator: string;
  inputDims: number[][];
  inputTypes: string[];
  collective?: Collective;
};

/** Largest dimension that is believed: bounds the arithmetic. */
const DIMENSION_MAX = 1e12;

export function dimensions(value: unknown, file: string): number[][] {
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, 16)
    .map((dims) =>
      Array.isArray(dims) && dims.every((dim) => !Array.isArray(dim))
        ? dims.slice(0, 16).map((dim) => wholeQuantity(dim, "a dimension", file, DIMENSION_MAX))
        : [],
    );
}

export type Product = { engineClass: number; operations: bigint; batched: boolean };

/** The product that this kernel computes, if its operator is one and the kernel is the one that multiplies. */
export function productOf(event: ProfiledKernel): Product | undefined {
  // A product split along k launches a second kernel that only adds up, and others that only prepare: not counted again.
  if (event.kind !== "kernel" || !/gemm/i.test(event.kernel) || /splitk/i.test(event.kernel)) return undefined;
  const operands = operandsOf(event.operator, event.inputDims);
  if (!operands) return undefined;
  const [left, right] = operands;
  const operations = 2n * left.reduce((product, dim) => product * BigInt(dim), 1n) * BigInt(right.at(-1)!);
  return { engineClass: classOf(event), operations, batched: left.length === 3 };
}

function operandsOf(operator: string, dims: number[][]): [number[], number[]] | undefined {
  const rank = { "aten::mm": 2, "aten::addmm": 2, "aten::bmm": 3, "aten::baddbmm": 3 }[operator];
  if (rank === undefined) return undefined;
  const at = operator.includes("add") ? 1 : 0;
  const [left, right] = [dims[at], dims[at + 1]];
  if (left?.length !== rank || right?.length !== rank) return undefined;
  return left.at(-1) === right.at(-2) ? [left, right] : undefined;
}

/** FP32 inputs run on the tensor cores as TF32 or, in plain sgemm kernels, not on them at all. */
function classOf(event: ProfiledKernel): number {
  const type = (event.inputTypes[event.operator.includes("add") ? 1 : 0] ?? "").toLowerCase();
  if (type.includes("bfloat16")) return EngineClass.TENSOR_BF16;
  if (type.includes("half")) return EngineClass.TENSOR_FP16;
  if (type.includes("float8")) return EngineClass.TENSOR_FP8;
  if (type.includes("char") || type.includes("int8")) return EngineClass.TENSOR_INT8;
  if (type.includes("double")) return EngineClass.TENSOR_FP64;
  return /tensorop|tf32|s1688/i.test(event.kernel) ? EngineClass.TENSOR_TF32 : EngineClass.VECTOR;
}

/** Events with their work, and the recording's totals. Batched products count only if `batched`. */
export function metered(
  kernels: ProfiledKernel[],
  options: { batched: boolean; steps?: number },
): { events: DeviceEvent[]; recorded: RecordedTotals } {
  let gemms = 0;
  let gemmNs = 0;
  let batchedFlop = 0n;
  let collectivesUnmetered = 0;
  const events = kernels.map((kernel): DeviceEvent => {
    const work: Work = new Map();
    const product = productOf(kernel);
    if (product?.batched) batchedFlop += product.operations;
    if (product && (!product.batched || options.batched)) {
      gemms++;
      gemmNs += kernel.durationNs;
      addWork(work, product.engineClass, product.operations);
    }
    addWork(work, EngineClass.COPY, kernel.copyBytes);
    if (kernel.collective) {
      const bytes = collectiveBytes(kernel.collective);
      if (bytes) {
        addWork(work, EngineClass.LINK_TX, bytes.sent);
        addWork(work, EngineClass.LINK_RX, bytes.received);
      } else collectivesUnmetered++;
    }
    const label = kernel.operator || kernel.kernel.replace(/^void /, "").slice(0, 60) || "unnamed";
    return { startNs: kernel.startNs, durationNs: kernel.durationNs, label, work };
  });
  const total = sumWork(events.map((event) => ({ name: "", durationSeconds: 0, measured: true, work: event.work })));
  return {
    events,
    recorded: {
      scope: "board",
      flop: operationsOf(total),
      linkBytes: total.get(EngineClass.LINK_TX) ?? 0n,
      gemms,
      gemmSeconds: gemmNs / 1e9,
      batchedFlop,
      collectivesUnmetered,
      ...(options.steps === undefined ? {} : { steps: options.steps }),
    },
  };
}

export const PROFILE_PROVENANCE = {
  measured: "time, operator, dimensions, copied bytes and message sizes, as the profiler recorded them",
  computed:
    "operations of matrix products (2mkn) whose dimensions were recorded; link bytes by ring formulas. Kernels without " +
    "dimensions, and collectives without a known group, size or direction (broadcasts), carry no work",
} as const;
