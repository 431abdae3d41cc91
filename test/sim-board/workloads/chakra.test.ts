import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { WorkloadError } from "../../../sim-board/workloads/errors.ts";
import { readTrace } from "../../../sim-board/workloads/read.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { attribute, bytes, METADATA, message, node, varint, whole } from "./chakra-et-bytes.ts";
import { expectSound } from "./expect-workload.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-chakra-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function file(content: string | Uint8Array | readonly number[]): string {
  const path = join(folder, `trace-${files++}`);
  writeFileSync(path, Array.isArray(content) ? Uint8Array.from(content) : (content as string | Uint8Array));
  return path;
}

const DEVICE = { is_cpu_op: false };
const json = (nodes: unknown, rest: object = { ngpus: 4 }) => JSON.stringify({ workload_graph: nodes, ...rest });
const NODES = [
  { Id: 1, Name: "launch", NodeType: 4, data_deps: [], runtime: 1000, is_cpu_op: true },
  { Id: 2, Name: "kernel", NodeType: 4, data_deps: [1], runtime: 3000, is_cpu_op: false },
  {
    Id: 3,
    Name: "reduce",
    NodeType: 7,
    data_deps: [1],
    runtime: 2000,
    is_cpu_op: false,
    comm_type: 0,
    comm_size: 1000,
  },
  { Id: 4, Name: "load", NodeType: 2, data_deps: [3], runtime: 500, is_cpu_op: false, tensor_size: 64 },
];
const JSON_GOOD = json(NODES);
const ET_GOOD = [
  METADATA,
  node({ id: 1, type: 4, name: "aten::mm", runtimeUs: 1000, attributes: { is_cpu_op: true } }),
  node({ id: 2, type: 4, deps: [1], runtimeUs: 3000, attributes: { ...DEVICE, num_ops: 10n ** 12n } }),
  node({ id: 3, type: 7, deps: [1], runtimeUs: 2000, attributes: { ...DEVICE, comm_type: 0, comm_size: 1000 } }),
  node({ id: 4, type: 2, name: "load", deps: [3], runtimeUs: 500, attributes: { ...DEVICE, tensor_size: 64 } }),
].flat();

/** An `.et` of an operator and of the kernel that it launched. */
const product = (operator: string, shapes: string, types: string, kernel = "ampere_gemm_tf32_s1688gemm", more = {}) =>
  file(
    [
      METADATA,
      node({ id: 1, type: 4, name: operator, runtimeUs: 1, attributes: { is_cpu_op: true } }),
      node({
        id: 2,
        type: 4,
        name: kernel,
        launchedBy: 1,
        runtimeUs: 7,
        inputs: { shapes, types },
        attributes: { ...DEVICE, num_ops: 5, ...more },
      }),
    ].flat(),
  );

/** A trace in JSON of the device's one node. */
const collective = (type: number | undefined, size: number | undefined, more: object = {}) =>
  json([{ Id: 1, NodeType: 7, runtime: 5, is_cpu_op: false, comm_type: type, comm_size: size, ...more }]);

describe("a Chakra trace", () => {
  test.each([
    ["JSON", file(JSON_GOOD), {}],
    ["JSON in gzip", file(gzipSync(JSON_GOOD)), {}],
    ["protobuf", file(ET_GOOD), { boards: 4 }],
    ["protobuf in gzip", file(gzipSync(Uint8Array.from(ET_GOOD))), { boards: 4 }],
  ])(
    "in %s: the device's nodes, products and messages beside each other, each after what it waits for",
    (_form, path, options) => {
      const workload = readTrace(path, options);
      expectSound(workload);
      expect(workload.boards).toBe(4);
      // From 1 ms on, when the host's node is over: 3 ms of kernel, then the load that waited for its turn.
      expect(workload.totals.durationSeconds).toBeCloseTo(0.0035, 12);
      expect(workload.totals.work).toEqual(
        new Map<number, bigint>([
          [EngineClass.LINK_TX, 1500n],
          [EngineClass.LINK_RX, 1500n],
          [EngineClass.COPY, 64n],
        ]),
      );
      const phases = [...workload.phases()];
      expect(phases.every(({ measured }) => measured)).toBe(true);
      // The message is over after 2 ms, and the load is done in the last half of one.
      expect(phases.map(({ work }) => work.get(EngineClass.LINK_TX) ?? 0n)).toEqual([750n, 750n, 0n, 0n]);
      expect(phases.map(({ work }) => work.get(EngineClass.COPY) ?? 0n)).toEqual([0n, 0n, 0n, 64n]);
    },
  );

  test("operations of no data type are stated, and are no work", () => {
    const { recorded, work } = readTrace(file(ET_GOOD), { boards: 4 }).totals;
    expect(recorded.operationsUntyped).toBe(10n ** 12n);
    expect(recorded.flop).toBe(0n);
    expect([...work.keys()].every((engineClass) => engineClass >= EngineClass.COPY)).toBe(true);
  });

  test.each([
    ["all-reduce", 0, 1500n, 1500n],
    ["all-gather", 2, 3000n, 3000n],
    ["all-to-all", 6, 750n, 750n],
    ["reduce-scatter", 7, 750n, 750n],
    ["reduce-scatter of blocks", 8, 750n, 750n],
  ])("an %s of 1,000 bytes of each of 4 ranks follows the ring formulas", (_name, type, sent, received) => {
    const { work, recorded } = readTrace(file(collective(type, 1000))).totals;
    expect(work.get(EngineClass.LINK_TX)).toBe(sent);
    expect(work.get(EngineClass.LINK_RX)).toBe(received);
    expect(recorded.collectivesUnmetered).toBe(0);
  });

  test.each([
    ["a broadcast, whose root is not told", collective(5, 1000)],
    ["a collective without a size", collective(0, undefined)],
    ["a collective without a type", collective(undefined, 1000)],
    ["a collective within a group", collective(0, 1000, { pg_name: "tensor" })],
    ["a collective of nobody knows how many", collective(0, 1000).replace('"ngpus":4', '"soc":"x"')],
  ])("%s has its time and no bytes", (_what, text) => {
    const { work, recorded, durationSeconds } = readTrace(file(text)).totals;
    expect(work).toEqual(new Map());
    expect(durationSeconds).toBeCloseTo(5e-6, 12);
    expect(recorded.collectivesUnmetered).toBe(1);
  });

  test("messages from one to another go one way, and a barrier carries none", () => {
    const of = (type: number) => [{ ...NODES[2], Id: 7, NodeType: type, data_deps: [], comm_type: 9, comm_size: 10 }];
    expect(readTrace(file(json(of(5)))).totals.work).toEqual(new Map([[EngineClass.LINK_TX as number, 10n]]));
    expect(readTrace(file(json(of(6)))).totals.work).toEqual(new Map([[EngineClass.LINK_RX as number, 10n]]));
    const barrier = readTrace(file(json(of(7)))).totals;
    expect(barrier.work).toEqual(new Map());
    expect(barrier.recorded.collectivesUnmetered).toBe(0);
  });

  test("what has no runtime takes what its bytes take at the peak, and says that it was computed", () => {
    const et = [METADATA, node({ id: 1, type: 7, attributes: { ...DEVICE, comm_type: 0, comm_size: 2 ** 30 } })].flat();
    const workload = readTrace(file(et), { boards: 2, accelerator: "h100" });
    expect(workload.totals.durationSeconds).toBeCloseTo(2 ** 30 / 450e9, 8);
    expect([...workload.phases()].some(({ measured }) => measured)).toBe(false);
  });

  test("start times, where they are recorded, are kept", () => {
    const parts = { type: 4, runtimeUs: 1000, attributes: DEVICE };
    const et = [METADATA, node({ ...parts, id: 1, startUs: 5000 }), node({ ...parts, id: 2, startUs: 9000 })].flat();
    const phases = [...readTrace(file(et)).phases()];
    expect(phases.map(({ name }) => name)).toEqual(["unnamed", "idle", "idle", "idle", "unnamed"]);
  });

  test("a node may wait for one of a higher id, and lists of numbers may come packed or not", () => {
    const unpacked = message(
      whole(1, 1),
      whole(3, 4),
      whole(5, 3),
      whole(5, 2),
      whole(7, 10),
      attribute("is_cpu_op", false),
    );
    const parts = { type: 4, runtimeUs: 10, attributes: DEVICE };
    const et = [METADATA, unpacked, node({ ...parts, id: 2, deps: [3] }), node({ ...parts, id: 3 })].flat();
    expect(readTrace(file(et)).totals.durationSeconds).toBeCloseTo(30e-6, 12);
  });

  test.each([
    ["aten::mm", "[[2, 3], [3, 4]]", "['Tensor(float)', 'Tensor(float)']", EngineClass.TENSOR_TF32],
    ["aten::mm(0)", "[[2, 3], [3, 4]]", '["Tensor(c10::Half)","Tensor(c10::Half)"]', EngineClass.TENSOR_FP16],
    [
      "aten::addmm",
      "[[4], [2, 3], [3, 4], [], []]",
      "['Tensor(c10::BFloat16)', 'Tensor(c10::BFloat16)', 'Tensor(c10::BFloat16)', 'Int', 'Int']",
      EngineClass.TENSOR_BF16,
    ],
  ])(
    "a kernel that %s launched multiplies what its inputs say, in the class of their type",
    (operator, shapes, types, engineClass) => {
      const workload = readTrace(product(operator, shapes, types));
      expectSound(workload);
      expect(workload.totals.work).toEqual(new Map([[engineClass as number, 48n]]));
      const { flop, gemms, gemmSeconds, operationsUntyped } = workload.totals.recorded;
      expect({ flop, gemms, gemmSeconds, operationsUntyped }).toEqual({
        flop: 48n,
        gemms: 1,
        gemmSeconds: 7e-6,
        operationsUntyped: 0n,
      });
    },
  );

  test.each([
    ["an operator that is no product", product("aten::add", "[[2, 3], [3, 4]]", "['Tensor(float)', 'Tensor(float)']")],
    ["a type that is not known", product("aten::mm", "[[2, 3], [3, 4]]", "['Tensor(float16)', 'Tensor(float16)']")],
    ["no types", product("aten::mm", "[[2, 3], [3, 4]]", "[]")],
    ["shapes that do not fit", product("aten::mm", "[[2, 3], [4, 5]]", "['Tensor(float)', 'Tensor(float)']")],
    ["shapes that are no list", product("aten::mm", "None", "['Tensor(float)', 'Tensor(float)']")],
    [
      "a kernel that only adds up",
      product("aten::mm", "[[2, 3], [3, 4]]", "['Tensor(float)', 'Tensor(float)']", "splitKreduce"),
    ],
  ])("%s makes no product", (_what, path) => {
    const { work, recorded } = readTrace(path).totals;
    expect(work).toEqual(new Map());
    expect(recorded.operationsUntyped).toBe(5n);
  });

  test("batched products are stated, and count where they are asked for, as in profiles", () => {
    const path = product("aten::bmm", "[[5, 2, 3], [5, 3, 4]]", "['Tensor(float)', 'Tensor(float)']");
    expect(readTrace(path).totals.recorded).toMatchObject({ flop: 0n, batchedFlop: 240n, operationsUntyped: 0n });
    expect(readTrace(path, { batchedProducts: true }).totals.recorded).toMatchObject({ flop: 240n, gemms: 1 });
  });

  test("a chip that has no rate for a type does not do it", () => {
    const types = "['Tensor(c10::Float8_e4m3fn)', 'Tensor(c10::Float8_e4m3fn)']";
    const path = product("aten::mm", "[[2, 3], [3, 4]]", types);
    expectSound(readTrace(path));
    expect(() => readTrace(path, { accelerator: "a100" })).toThrow(
      expect.objectContaining({ code: "workload/bad-option", message: expect.stringContaining("a100 states no rate") }),
    );
  });

  test("fields that are not known are passed over", () => {
    const odd = message(
      whole(1, 1),
      whole(3, 4),
      whole(7, 10),
      bytes(8, bytes(1, "values")),
      [...varint(15 * 8 + 1), 0, 0, 0, 0, 0, 0, 0, 0],
      [...varint(16 * 8 + 5), 0, 0, 0, 0],
      whole(999, -1n),
      attribute("is_cpu_op", false),
      attribute("made_up", -1n),
    );
    expectSound(readTrace(file([METADATA, odd].flat())));
  });
});

const changed = (at: number, change: object) => json(NODES.map((one, i) => (i === at ? { ...one, ...change } : one)));
const et = (...nodes: number[][]) => [METADATA, ...nodes].flat();
const GOOD_NODE = node({ id: 1, type: 4, runtimeUs: 10, attributes: DEVICE });
const withField = (...field: number[][]) => et(message(whole(1, 1), whole(3, 4), ...field));

const BAD: [string, string | readonly number[], string][] = [
  ["JSON cut short", JSON_GOOD.slice(0, -9), "trace/malformed"],
  ["a graph that is no list", json({}), "trace/malformed"],
  ["a graph without nodes", json([]), "trace/incomplete"],
  ["a node that is none", json([null]), "trace/malformed"],
  ["a node without an id", changed(0, { Id: undefined }), "trace/bad-number"],
  ["an id that is no whole number", changed(0, { Id: 1.5 }), "trace/bad-number"],
  ["two nodes of one id", changed(1, { Id: 1 }), "trace/malformed"],
  ["a name that is no text", changed(0, { Name: 5 }), "trace/malformed"],
  ["a node without a type", changed(0, { NodeType: 0 }), "trace/malformed"],
  ["a type that there is not", changed(0, { NodeType: 11 }), "trace/bad-number"],
  ["dependencies that are no list", changed(1, { data_deps: 1 }), "trace/malformed"],
  ["a dependency that is no id", changed(1, { data_deps: [-1] }), "trace/bad-number"],
  ["a dependency that is not there", changed(1, { data_deps: [77] }), "trace/incomplete"],
  ["nodes that wait for each other", changed(0, { data_deps: [4] }), "trace/malformed"],
  ["a node that waits for itself", changed(0, { data_deps: [1] }), "trace/malformed"],
  ["a negative runtime", changed(1, { runtime: -1 }), "trace/bad-number"],
  ["a runtime that is text", changed(1, { runtime: "soon" }), "trace/bad-number"],
  ["a runtime of months", changed(1, { runtime: 9e12 }), "trace/bad-number"],
  ["is_cpu_op that is neither", changed(1, { is_cpu_op: "yes" }), "trace/malformed"],
  ["a type of collective that there is not", changed(2, { comm_type: 10 }), "trace/bad-number"],
  ["half a byte", changed(2, { comm_size: 0.5 }), "trace/bad-number"],
  ["bytes over 2^53", changed(3, { tensor_size: 1e16 }), "trace/bad-number"],
  ["a job of no boards", json(NODES, { ngpus: 0 }), "trace/bad-number"],
  ["a graph of the host alone", json([NODES[0]]), "trace/incomplete"],
  [
    "a device without time or bytes",
    changed(1, {}).replace(/"runtime":\d+|"(comm|tensor)_size":\d+/g, '"x":0'),
    "trace/incomplete",
  ],
  ["an .et of no nodes", METADATA, "trace/incomplete"],
  ["an .et cut short", ET_GOOD.slice(0, -1), "trace/malformed"],
  ["an .et that goes on with a length alone", [...ET_GOOD, 200], "trace/malformed"],
  ["a field longer than its node", et(GOOD_NODE, message(whole(1, 2), [18, 90])), "trace/malformed"],
  ["a field without its content", et(GOOD_NODE, message(whole(1, 2), [24])), "trace/malformed"],
  ["a field of number 0", et(GOOD_NODE, message([0, 1])), "trace/malformed"],
  ["a group", et(GOOD_NODE, message(whole(1, 2), [35])), "trace/malformed"],
  ["a tag of over 32 bits", et(GOOD_NODE, message(whole(2 ** 40, 1))), "trace/malformed"],
  ["a number of over ten bytes", et(GOOD_NODE, message([8, ...new Array(10).fill(255), 1])), "trace/malformed"],
  ["a number of over 64 bits", et(GOOD_NODE, message([8, ...new Array(9).fill(255), 2])), "trace/malformed"],
  ["an id that is text", et(GOOD_NODE, message(bytes(1, "1"))), "trace/malformed"],
  ["a name that is a number", withField(whole(2, 5)), "trace/malformed"],
  ["an attribute that is a number", withField(whole(10, 5)), "trace/malformed"],
  ["a runtime over its bound", withField(whole(7, 2 ** 50)), "trace/bad-number"],
  ["an .et's node without a type", et(message(whole(1, 1))), "trace/malformed"],
  ["an .et's type that there is not", et(node({ id: 1, type: 99 })), "trace/bad-number"],
  ["an .et's dependency that is text", withField(bytes(5, [255])), "trace/malformed"],
  ["negative bytes", et(node({ id: 1, type: 7, attributes: { comm_size: -5n } })), "trace/bad-number"],
  ["bytes that are true", et(node({ id: 1, type: 7, attributes: { comm_size: true } })), "trace/malformed"],
  ["an is_cpu_op of 1", et(node({ id: 1, type: 7, attributes: { is_cpu_op: 1 } })), "trace/malformed"],
  ["a group that is a number", et(node({ id: 1, type: 7, attributes: { pg_name: 1 } })), "trace/malformed"],
  ["inputs that are a number", withField(whole(8, 1)), "trace/malformed"],
  ["shapes that are a number", withField(bytes(8, whole(2, 1))), "trace/malformed"],
  ["a control dependency that is text", withField(bytes(4, [255])), "trace/malformed"],
  ["a lone zero byte", [0], "trace/unknown-format"],
];

describe("a bad Chakra trace gets one clear line and a code", () => {
  test.each(BAD)("%s", (_what, content, code) => {
    let refusal: unknown;
    try {
      readTrace(file(content));
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(WorkloadError);
    const { code: given, message: line } = refusal as WorkloadError;
    expect([given, line]).toEqual([code, expect.stringMatching(/^trace-\d+\b[^\n]{5,400}$/)]);
  });

  test("a board that the job does not have", () => {
    expect(() => readTrace(file(JSON_GOOD), { board: 4 })).toThrow("the job has the boards 0 to 3, not 4");
    expect(readTrace(file(JSON_GOOD), { board: 3 }).board).toBe(3);
  });

  test("no change of a few bytes makes anything but a workload or a refusal", () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255));
    const edit = fc.tuple(fc.nat(), byte, fc.nat({ max: 4 }), fc.boolean());
    const types = "['Tensor(float)', 'Tensor(float)']";
    const multiplying = readFileSync(product("aten::mm", "[[2, 3], [3, 4]]", types));
    const goods = [Buffer.from(JSON_GOOD), Buffer.from(ET_GOOD), multiplying];
    fc.assert(
      fc.property(fc.constantFrom(...goods), fc.array(edit, { minLength: 1, maxLength: 4 }), (good, edits) => {
        let content = [...good];
        for (const [at, put, cut, isKept] of edits) {
          const index = at % content.length;
          content = [...content.slice(0, index), put, ...content.slice(index + (isKept ? 1 : cut))];
        }
        try {
          expectSound(readTrace(file(content), { boards: 4 }));
        } catch (error) {
          if (!(error instanceof WorkloadError)) throw error;
        }
      }),
      { numRuns: 1500 },
    );
  });
});

/** A file of a tar archive: a head of 512 bytes with name and length, then the content, filled up to 512. */
function unpacked(archive: Buffer, name: string): Buffer {
  for (let at = 0; at + 512 <= archive.length; ) {
    const field = (from: number, length: number) =>
      archive.toString("latin1", at + from, at + from + length).replace(/\0.*$/s, "");
    const length = Number.parseInt(field(124, 12) || "0", 8);
    if (field(0, 100).endsWith(`/${name}`)) return archive.subarray(at + 512, at + 512 + length);
    at += 512 + Math.ceil(length / 512) * 512;
  }
  throw new Error(`the archive has no ${name}`);
}

describe.skipIf(!sharedIsHere)("public Chakra traces", () => {
  test("the JSON trace of a training: 1,216 nodes of the device in 0.33 s, 7 collectives without a size, no work made up", () => {
    const archive = gunzipSync(readFileSync(sharedPath("traces/chakra/json_trace.tar.gz")));
    const text = unpacked(archive, "chakra.0.json");
    const nodes = (JSON.parse(text.toString()) as { workload_graph: { is_cpu_op: boolean; runtime?: number }[] })
      .workload_graph;
    expect(nodes.length).toBe(3664);
    const device = nodes.filter((one) => !one.is_cpu_op);
    const busySeconds = device.reduce((sum, { runtime = 0 }) => sum + runtime / 1e6, 0);
    expect([device.length, busySeconds]).toEqual([1216, expect.closeTo(0.329543, 9)]);
    for (const content of [text, gzipSync(text)]) {
      const workload = readTrace(file(content));
      expectSound(workload);
      const { work, recorded, durationSeconds } = workload.totals;
      expect(work).toEqual(new Map());
      expect(recorded.collectivesUnmetered).toBe(7);
      // Seven messages of 23 ms in all run beside the kernels; nothing else does.
      expect(durationSeconds).toBeGreaterThan(busySeconds - 0.0365);
      expect(durationSeconds).toBeLessThan(busySeconds);
    }
  });

  test("the small JSON trace names its 8 boards", () => {
    const archive = gunzipSync(readFileSync(sharedPath("traces/chakra/json_trace.tar.gz")));
    const workload = readTrace(file(unpacked(archive, "small_chakra.0.json")));
    expect(workload.boards).toBe(8);
    expect(workload.totals.recorded.collectivesUnmetered).toBe(1);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("rank %i of the 8-rank all-reduce of 1 MiB sends 14/8 of it", (board) => {
    const path = sharedPath(`traces/astra-sim/all_reduce_8npus_1MB/all_reduce.${board}.et`);
    const workload = readTrace(path, { boards: 8, board, accelerator: "h100" });
    expectSound(workload);
    expect(workload.totals.work.get(EngineClass.LINK_TX)).toBe(1_835_008n);
    expect(workload.totals.work.get(EngineClass.LINK_RX)).toBe(1_835_008n);
    expect(() => readTrace(path)).toThrow(expect.objectContaining({ code: "trace/incomplete" }));
  });
});
