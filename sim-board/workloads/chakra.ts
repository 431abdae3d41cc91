/**
 * Chakra execution traces (MLCommons, github.com/mlcommons/chakra): the graph of what one rank did, host and device, from
 * either of its forms (chakra-json.ts, chakra-et.ts). Nodes of the device are played; those of the host only hold others
 * back. A trace without start times is laid out in the manner of ASTRA-sim: the host, the device's products and its
 * communication each do one node at a time, a node after all that it depends on.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { type Accelerator, accelerator, peakPerSecond } from "../accelerators.ts";
import { type NodeInputs, nodeProduct } from "./chakra-products.ts";
import { collectiveBytes } from "./collectives.ts";
import { type DeviceEvent, slicePhases } from "./device-timeline.ts";
import { WorkloadError } from "./errors.ts";
import { boardCount, boardOption, type ReadOptions } from "./files.ts";
import { addWork, operationsOf, sumWork, type Work, type Workload, workloadOf } from "./types.ts";

/** Schema `et_def.proto`, NodeType. */
const NodeType = {
  MEM_LOAD: 2,
  MEM_STORE: 3,
  COMP: 4,
  COMM_SEND: 5,
  COMM_RECV: 6,
  COMM_COLL: 7,
} as const;
/** The last type that the schema knows. */
export const NODE_TYPE_MAX = 10;

export type ChakraNode = {
  id: number;
  name: string;
  type: number;
  dataDeps: readonly number[];
  /** 0 where none was recorded. In microseconds, as `runtimeUs`. */
  startUs: number;
  runtimeUs: number;
  onHost: boolean;
  /** CollectiveCommType of the schema. */
  commType?: number;
  /** Bytes that this rank puts in. */
  commBytes?: number;
  /** Bytes of a load or a store. */
  tensorBytes?: number;
  /** Operations of no data type. */
  operations?: number;
  /** Node of the operator that launched it, with shapes and types of that one's inputs. */
  launchedBy?: number;
  inputs?: NodeInputs;
  /** It works in a process group, whose ranks the trace does not hold. */
  inGroup: boolean;
};

export type ChakraTrace = {
  nodes: ChakraNode[];
  /** Ranks of the job, where the trace says. */
  boards?: number;
};

export const MICROSECONDS_MAX = 1e13;
export const COMM_TYPE_MAX = 9;
export const BYTES_MAX = Number.MAX_SAFE_INTEGER;

/** CollectiveCommType, as collectives.ts calls them. */
const COLLECTIVES = [
  "allreduce",
  "reduce",
  "allgather",
  "gather",
  "scatter",
  "broadcast",
  "alltoall",
  "reducescatter",
  "reducescatter",
  "barrier",
];
const DEVICE_TYPES: ReadonlySet<number> = new Set(Object.values(NodeType));

export function chakraWorkload(trace: ChakraTrace, file: string, options: ReadOptions): Workload {
  const ranks = options.boards ?? trace.boards;
  const boards = boardCount(ranks ?? 1);
  const chip = accelerator(options.accelerator ?? "h100");
  const totals = { collectives: 0, untyped: 0n, gemms: 0, gemmUs: 0, batched: 0n };
  const operators = operatorNames(trace.nodes);
  const done = trace.nodes.map((node) => {
    if (!isOnDevice(node)) return new Map() as Work;
    if (node.type !== NodeType.COMP) return movedBy(node, ranks, totals);
    return computedBy(node, operators.get(node.launchedBy) ?? "", options.batchedProducts ?? false, totals, file);
  });
  const peakUs = done.map((work) => atPeakUs(work, chip, file));
  const lengthsNs = trace.nodes.map((node, i) => Math.round((node.runtimeUs || peakUs[i]!) * 1000));
  const isTimed = trace.nodes.every((node, i) => node.runtimeUs > 0 || done[i]!.size === 0);
  const startsNs = trace.nodes.some((node) => isOnDevice(node) && node.startUs > 0)
    ? trace.nodes.map(({ startUs }) => Math.round(startUs * 1000))
    : laidOut(trace.nodes, lengthsNs, file);
  const events = trace.nodes.flatMap((node, i): DeviceEvent[] => {
    if (!isOnDevice(node)) return [];
    const label = node.name.slice(0, 60) || "unnamed";
    return [{ startNs: startsNs[i]!, durationNs: lengthsNs[i]!, label, work: done[i]! }];
  });
  if (events.length > 0 && events.every(({ durationNs, work }) => durationNs === 0 && work.size === 0)) {
    throw new WorkloadError(
      "trace/incomplete",
      `${file}: no node of a device has a runtime, or bytes that are known${ranks === undefined ? "; none says of how many boards the job is" : ""}`,
    );
  }
  const phases = slicePhases(events, file);
  const sum = sumWork(phases);
  return workloadOf({
    name: `trace ${file}`,
    source: `Chakra execution trace ${file}`,
    accelerator: chip.name,
    boards,
    board: boardOption(options, boards),
    provenance: PROVENANCE,
    recorded: {
      scope: "board",
      flop: operationsOf(sum),
      linkBytes: sum.get(EngineClass.LINK_TX) ?? 0n,
      gemms: totals.gemms,
      gemmSeconds: totals.gemmUs / 1e6,
      batchedFlop: totals.batched,
      collectivesUnmetered: totals.collectives,
      operationsUntyped: totals.untyped,
    },
    phases: isTimed ? phases : phases.map((phase) => ({ ...phase, measured: false })),
  });
}

const PROVENANCE = {
  measured: "nodes, their dependencies and runtimes, sizes of messages, shapes and types, as the trace holds them",
  computed:
    "when nodes ran, where no start times were recorded: host, products and communication one at a time each; link bytes " +
    "by ring formulas over all ranks; operations of products (2mkn) from shapes; the time of what has work and no " +
    "runtime, at the peak. Operations of no data type are no work, nor are collectives without size, group or direction",
} as const;

function isOnDevice({ onHost, type }: ChakraNode): boolean {
  return !onHost && DEVICE_TYPES.has(type);
}

function isCommunication({ type }: ChakraNode): boolean {
  return type === NodeType.COMM_SEND || type === NodeType.COMM_RECV || type === NodeType.COMM_COLL;
}

type Totals = { collectives: number; untyped: bigint; gemms: number; gemmUs: number; batched: bigint };

/** Of the host's nodes that launched others. */
function operatorNames(nodes: readonly ChakraNode[]): Map<number | undefined, string> {
  const launchers = new Set(nodes.map(({ launchedBy }) => launchedBy));
  return new Map(nodes.filter(({ id, onHost }) => onHost && launchers.has(id)).map(({ id, name }) => [id, name]));
}

/** A product counts in the class of its inputs' type; operations of which no type is known are stated only. */
function computedBy(node: ChakraNode, operator: string, isBatched: boolean, totals: Totals, file: string): Work {
  const work: Work = new Map();
  const product = node.inputs && nodeProduct(node.name, operator, node.inputs, file);
  if (product?.batched) totals.batched += product.operations;
  if (product && (!product.batched || isBatched)) {
    totals.gemms++;
    totals.gemmUs += node.runtimeUs;
    addWork(work, product.engineClass, product.operations);
  }
  if (!product) totals.untyped += BigInt(node.operations ?? 0);
  return work;
}

function movedBy(node: ChakraNode, ranks: number | undefined, totals: Totals): Work {
  const work: Work = new Map();
  const bytes = BigInt(node.commBytes ?? 0);
  if (node.type === NodeType.COMM_SEND) addWork(work, EngineClass.LINK_TX, bytes);
  else if (node.type === NodeType.COMM_RECV) addWork(work, EngineClass.LINK_RX, bytes);
  else if (node.type !== NodeType.COMM_COLL) addWork(work, EngineClass.COPY, BigInt(node.tensorBytes ?? 0));
  else {
    const name = COLLECTIVES[node.commType ?? -1];
    const isKnown = node.commBytes !== undefined && name !== undefined && ranks !== undefined && !node.inGroup;
    const sent = isKnown
      ? collectiveBytes({
          name,
          dtype: "byte",
          inElements: bytes,
          // Chakra's sizes are what a rank puts in: all of them together is what comes out of an all-gather.
          outElements: name === "allgather" ? bytes * BigInt(ranks) : bytes,
          ranks: BigInt(ranks),
        })
      : undefined;
    addWork(work, EngineClass.LINK_TX, sent?.sent ?? 0n);
    addWork(work, EngineClass.LINK_RX, sent?.received ?? 0n);
    if (!sent && name !== "barrier") totals.collectives++;
  }
  return work;
}

/** How long it takes at the chip's peaks, in microseconds: for what was recorded without a runtime. */
function atPeakUs(work: Work, chip: Accelerator, file: string): number {
  let seconds = 0;
  for (const [engineClass, amount] of work) {
    const peak = peakPerSecond(chip, engineClass);
    if (peak === 0) {
      throw new WorkloadError(
        "workload/bad-option",
        `${file}: ${chip.name} states no rate for engine class ${engineClass}`,
      );
    }
    seconds = Math.max(seconds, Number(amount) / peak);
  }
  return seconds * 1e6;
}

/** When each node starts, in nanoseconds, one lane for the host, one for products and one for communication. */
function laidOut(nodes: readonly ChakraNode[], lengthsNs: readonly number[], file: string): number[] {
  const startsNs = new Array<number>(nodes.length).fill(0);
  const freeNs = { host: 0, compute: 0, communication: 0 };
  const places = placesOf(nodes, file);
  for (const place of inOrder(nodes, places, file)) {
    const node = nodes[place]!;
    const lane = node.onHost ? "host" : isCommunication(node) ? "communication" : "compute";
    let startNs = freeNs[lane];
    for (const dep of node.dataDeps) {
      const before = places.get(dep)!;
      startNs = Math.max(startNs, startsNs[before]! + lengthsNs[before]!);
    }
    startsNs[place] = startNs;
    freeNs[lane] = startNs + lengthsNs[place]!;
  }
  return startsNs;
}

/** Place in the list by id. */
function placesOf(nodes: readonly ChakraNode[], file: string): Map<number, number> {
  const places = new Map<number, number>();
  for (const [place, { id }] of nodes.entries()) {
    if (places.has(id)) throw new WorkloadError("trace/malformed", `${file}: two nodes have the id ${id}`);
    places.set(id, place);
  }
  return places;
}

/** Places by id, which is the order of launches, but each after those that it depends on. */
function inOrder(nodes: readonly ChakraNode[], places: ReadonlyMap<number, number>, file: string): number[] {
  const order: number[] = [];
  const NEW = 0;
  const OPEN = 1;
  const DONE = 2;
  const states = new Uint8Array(nodes.length);
  const nextDeps = new Uint32Array(nodes.length);
  for (const [, first] of [...places].sort(([a], [b]) => a - b)) {
    const open = states[first] === NEW ? [first] : [];
    while (open.length > 0) {
      const place = open.at(-1)!;
      const { id, dataDeps } = nodes[place]!;
      states[place] = OPEN;
      const dep = dataDeps[nextDeps[place]!++];
      if (dep === undefined) {
        states[place] = DONE;
        order.push(place);
        open.pop();
        continue;
      }
      const before = places.get(dep);
      if (before === undefined) {
        throw new WorkloadError("trace/incomplete", `${file}: node ${id} depends on node ${dep}, which is not there`);
      }
      if (states[before] === OPEN) {
        throw new WorkloadError("trace/malformed", `${file}: node ${id} depends on node ${dep}, which waits for it`);
      }
      if (states[before] === NEW) open.push(before);
    }
  }
  return order;
}
