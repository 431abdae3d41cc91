import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { WorkloadError } from "../../../sim-board/workloads/errors.ts";
import { FILE_BYTES_MAX } from "../../../sim-board/workloads/files.ts";
import { readTrace } from "../../../sim-board/workloads/read.ts";
import { expectSound } from "./expect-workload.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-traces-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function file(content: string | Uint8Array): string {
  const path = join(folder, `trace-${files++}.txt`);
  writeFileSync(path, content);
  return path;
}

const mllog = (key: string, value: unknown, timeMs = 1000, metadata = {}): string =>
  `:::MLLOG ${JSON.stringify({ namespace: "", time_ms: timeMs, event_type: "POINT_IN_TIME", key, value, metadata })}\n`;

const LOG = [
  mllog("submission_benchmark", "llama31_405b"),
  mllog("submission_platform", "1x8xH100"),
  mllog("global_batch_size", 2),
  mllog("max_sequence_length", 128),
  mllog("run_start", null, 2000),
  mllog("tracked_stats", { train_step_time: 5 }, 7000),
  mllog("tracked_stats", { train_step_time: 5.5 }, 12_500),
  mllog("run_stop", null, 13_000, { samples_count: 4 }),
];

const HEADER =
  "t_us,dur_us,stream,cat,kernel,memcpy_bytes,op,input_dims,input_types,collective,in_nelems,out_nelems,dtype,group_size\n";
const ROW = '0,10,7,kernel,gemm_tf32,,aten::mm,"[[2,3],[3,4]]",float;float,,,,,\n';
const COLLECTIVE = "5,10,8,kernel,nccl,,,,,allreduce,100,100,Float,2\n";
const REQUESTS = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n";
const KINETO = JSON.stringify({
  traceEvents: [
    { ph: "X", cat: "kernel", name: "gemm tf32", ts: 100.5, dur: 20, args: { correlation: 1 } },
    { ph: "X", cat: "cuda_runtime", name: "cudaLaunchKernel", tid: 1, ts: 90, dur: 5, args: { correlation: 1 } },
    {
      ph: "X",
      cat: "cpu_op",
      name: "aten::mm",
      tid: 1,
      ts: 80,
      dur: 30,
      args: {
        "Input Dims": [
          [2, 3],
          [3, 4],
        ],
        "Input type": ["float", "float"],
      },
    },
    { ph: "X", cat: "gpu_memcpy", name: "Memcpy HtoD", ts: 130, dur: 2, args: { bytes: 4096 } },
  ],
});
const GOOD: Record<string, string> = { LOG: LOG.join(""), TABLE: HEADER + ROW + COLLECTIVE, REQUESTS, KINETO };

const without = (text: string): string => LOG.filter((line) => !line.includes(`"${text}"`)).join("");
const swapped = (from: string, to: string): string => LOG.join("").replace(from, to);

/** What is wrong, the file's content, the code. */
const BAD: [string, string | Uint8Array, string][] = [
  ["an empty file", "", "trace/empty"],
  ["gzip of nothing", gzipSync(""), "trace/empty"],
  ["gzip cut short", gzipSync(GOOD.LOG!.repeat(50)).subarray(0, 200), "trace/broken-gzip"],
  [
    "gzip with a wrong checksum",
    gzipSync(GOOD.LOG!).map((b, i, all) => (i === all.length - 6 ? b ^ 1 : b)),
    "trace/broken-gzip",
  ],
  ["a gzip head and nothing more", Uint8Array.of(0x1f, 0x8b), "trace/broken-gzip"],
  ["binary data", Uint8Array.of(0, 1, 2, 3, 0, 255), "trace/unknown-format"],
  ["prose", "Dear reader, this is no trace.\n", "trace/unknown-format"],
  ["another table", "a,b,c\n1,2,3\n", "trace/unknown-format"],
  ["other JSON", '{"hello": "world"}', "trace/unknown-format"],
  ["a log line that is no JSON", `${LOG[0]}:::MLLOG {"key": \n`, "trace/malformed"],
  ["a log entry without a key", ':::MLLOG {"time_ms": 1}\n', "trace/malformed"],
  ["a log entry without a time", ':::MLLOG {"key": "run_start"}\n', "trace/bad-number"],
  ["a log of power readings", mllog("power_reading", 500) + mllog("power_reading", 501), "trace/not-a-workload"],
  ["a log without a benchmark", without("submission_benchmark"), "trace/incomplete"],
  ["a log without a batch", without("global_batch_size"), "trace/incomplete"],
  ["a log without an end", without("run_stop"), "trace/incomplete"],
  ["a log without steps", without("tracked_stats"), "trace/incomplete"],
  ["a log that lost many steps", swapped('"samples_count":4', '"samples_count":400'), "trace/incomplete"],
  ["a log of an unknown benchmark", swapped("llama31_405b", "dlrm"), "workload/unknown-name"],
  [
    "a log of a benchmark called like a built-in property",
    swapped("llama31_405b", "constructor"),
    "workload/unknown-name",
  ],
  ["a log of an unknown chip", swapped("1x8xH100", "1x8xABACUS"), "workload/unknown-name"],
  ["a log of an unknown number of boards", swapped("1x8xH100", "some H100"), "trace/incomplete"],
  ["a log of absurdly many boards", swapped("1x8xH100", "99999999x8xH100"), "workload/bad-option"],
  ["a negative step time", swapped('"train_step_time":5}', '"train_step_time":-5}'), "trace/bad-number"],
  ["a step time that is text", swapped('"train_step_time":5}', '"train_step_time":"soon"}'), "trace/bad-number"],
  ["a step time of a century", swapped('"train_step_time":5}', '"train_step_time":3e9}'), "trace/bad-number"],
  ["a batch of 0", swapped('"value":2', '"value":0'), "trace/bad-number"],
  ["a batch of 1.5", swapped('"value":2', '"value":1.5'), "trace/bad-number"],
  ["a batch that is a list", swapped('"value":2', '"value":[2]'), "trace/bad-number"],
  ["a sequence of 0 tokens", swapped('"value":128', '"value":0'), "trace/bad-number"],
  ["a platform that is no text", swapped('"1x8xH100"', '{"toString":1}'), "trace/malformed"],
  ["a run that ends before it starts", swapped("13000", "1000"), "trace/bad-number"],
  ["a table with a header only", HEADER, "trace/empty"],
  ["a table without a column", (HEADER + ROW).replace("dur_us,", "duration,"), "trace/malformed"],
  ["a table with a short row", `${HEADER}0,1,7\n`, "trace/malformed"],
  ["a table with an open quote", `${HEADER}0,1,7,kernel,"gemm`, "trace/malformed"],
  ["a table with a time that is no number", HEADER + ROW.replace("0,10", "0,NaN"), "trace/bad-number"],
  ["a table with a negative time", HEADER + ROW.replace("0,10", "0,-10"), "trace/bad-number"],
  ["a table with an infinite time", HEADER + ROW.replace("0,10", "0,Infinity"), "trace/bad-number"],
  ["a table with broken dimensions", HEADER + ROW.replace("[3,4]]", "[3,4"), "trace/malformed"],
  ["a table with a negative dimension", HEADER + ROW.replace("[3,4]]", "[3,-4]]"), "trace/bad-number"],
  ["a table with half an element", HEADER + COLLECTIVE.replace("100,100", "0.5,100"), "trace/bad-number"],
  ["requests without tokens", REQUESTS.replace("4808", ""), "trace/bad-number"],
  ["requests with negative tokens", REQUESTS.replace("4808", "-1"), "trace/bad-number"],
  ["requests with half a token", REQUESTS.replace("4808", "0.5"), "trace/bad-number"],
  ["requests without a date", REQUESTS.replace("2023-11-16", "yesterday"), "trace/malformed"],
  ["requests of the 13th month", REQUESTS.replace("2023-11-16", "2023-13-16"), "trace/malformed"],
  ["requests a century apart", `${REQUESTS}2123-11-16 18:17:03,1,1\n`, "trace/too-many"],
  ["a profile cut short", KINETO.slice(0, -20), "trace/malformed"],
  ["a profile whose events are no list", '{"traceEvents": {}}', "trace/malformed"],
  ["a profile with an event that is none", '{"traceEvents": [null]}', "trace/malformed"],
  ["a profile without events of a device", '{"traceEvents": []}', "trace/incomplete"],
  ["a profile with a time that is text", KINETO.replace("100.5", '"100.5"'), "trace/bad-number"],
  ["a profile with a negative duration", KINETO.replace('"dur":20', '"dur":-20'), "trace/bad-number"],
  ["a profile over years", KINETO.replace('"ts":130', '"ts":130000000000000'), "trace/bad-number"],
  ["a profile with negative bytes", KINETO.replace("4096", "-4096"), "trace/bad-number"],
];

describe("a bad file gets one clear line and a code, never a stack", () => {
  test.each(Object.entries(GOOD))("the good %s of this table is read", (_name, content) => {
    expectSound(readTrace(file(content)));
    expectSound(readTrace(file(gzipSync(content))));
  });

  test.each(BAD)("%s", (_what, content, code) => {
    let refusal: unknown;
    try {
      readTrace(file(content));
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(WorkloadError);
    const { code: given, message } = refusal as WorkloadError;
    expect(given).toBe(code);
    expect(message).not.toContain("\n");
    expect(message.length).toBeLessThan(400);
    expect(message).toMatch(/trace-\d+\.txt|boards/);
  });

  test("a file that is not there, and a folder", () => {
    expect(() => readTrace(join(folder, "none"))).toThrow("none cannot be opened: ENOENT");
    expect(() => readTrace(folder)).toThrow("is not a file");
  });

  test("a tar archive is called one, packed or not", () => {
    const archive = new Uint8Array(1024);
    archive.set(Buffer.from("result_0.txt"), 0);
    archive.set(Buffer.from("ustar\0"), 257);
    for (const content of [archive, gzipSync(archive)]) {
      expect(() => readTrace(file(content))).toThrow(
        expect.objectContaining({
          code: "trace/unknown-format",
          message: expect.stringMatching(/^trace-\d+\.txt is a tar archive; unpack it and name one of its files$/),
        }),
      );
    }
  });

  test("requests without any work count nonetheless, and those of one token end with the prefill", () => {
    const rows = ["0,0", "0,5", "7,1", "7,0"].map((tokens) => `2023-11-16 18:17:03,${tokens}\n`);
    const workload = readTrace(file(`TIMESTAMP,ContextTokens,GeneratedTokens\n${rows.join("")}`));
    expectSound(workload);
    expect([...workload.phases()].map(({ name, counts }) => ({ name, ...counts }))).toEqual([
      { name: "prefill", tokens: 16, requests: 3 },
      { name: "decode", tokens: 4, requests: 1 },
    ]);
  });

  test("a file over the bound, and gzip that would unpack to more than the bound", () => {
    const large = file("x");
    truncateSync(large, FILE_BYTES_MAX + 1);
    expect(() => readTrace(large)).toThrow(expect.objectContaining({ code: "trace/too-large" }));
    const bomb = file(gzipSync(Buffer.alloc(FILE_BYTES_MAX + 1), { level: 1 }));
    expect(() => readTrace(bomb)).toThrow(expect.objectContaining({ code: "trace/too-large" }));
  });

  test("options out of range", () => {
    const good = file(GOOD.LOG!);
    for (const options of [{ board: 8 }, { board: -1 }, { boards: 0 }, { boards: 1.5 }, { accelerator: "abacus" }]) {
      expect(() => readTrace(good, options)).toThrow(WorkloadError);
    }
  });

  test("no change of a few bytes of any good file makes anything but a workload or a refusal", () => {
    const edit = fc.tuple(fc.nat(), fc.constantFrom(...'0-9.eE{}[]":,\n\0N\\ x'.split("")), fc.nat({ max: 6 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(GOOD)),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (text, edits) => {
          let changed = text;
          for (const [at, put, cut] of edits) {
            const index = at % changed.length;
            changed = changed.slice(0, index) + put + changed.slice(index + cut);
          }
          try {
            expectSound(readTrace(file(changed)));
          } catch (error) {
            if (!(error instanceof WorkloadError)) throw error;
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});
