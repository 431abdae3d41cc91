/**
 * Kernel tables: one row per kernel, copy or memset of one board, made from a profiler's trace. Columns: t_us, dur_us,
 * stream, cat, kernel, memcpy_bytes, op, input_dims, input_types, collective, in_nelems, out_nelems, dtype, group_size.
 */
import { parse } from "csv-parse/sync";
import { accelerator } from "../accelerators.ts";
import type { Collective } from "./collectives.ts";
import { slicePhases } from "./device-timeline.ts";
import { WorkloadError } from "./errors.ts";
import {
  boardCount,
  profiledBoard,
  quantity,
  RECORDS_MAX,
  type ReadOptions,
  refuseTooMany,
  type TraceFile,
  wholeQuantity,
} from "./files.ts";
import { dimensions, metered, PROFILE_PROVENANCE, type ProfiledKernel } from "./profiled-kernels.ts";
import { type Workload, workloadOf } from "./types.ts";

const COLUMNS = [
  "t_us",
  "dur_us",
  "stream",
  "cat",
  "kernel",
  "memcpy_bytes",
  "op",
  "input_dims",
  "input_types",
  "collective",
  "in_nelems",
  "out_nelems",
  "dtype",
  "group_size",
] as const;

type Row = Record<(typeof COLUMNS)[number], string>;

const MICROSECONDS_MAX = 1e12;

export function isKernelsCsv(text: string): boolean {
  return /^t_us,/.test(text);
}

export function readKernelsCsv(file: TraceFile, options: ReadOptions = {}): Workload {
  const kernels = rowsOf(file.text, file.name, COLUMNS).map((row, index) => kernelOf(row as Row, index + 2, file.name));
  const { events, recorded } = metered(kernels, { batched: options.batchedProducts ?? false });
  const ranks = kernels.reduce((most, { collective }) => Math.max(most, Number(collective?.ranks ?? 0n)), 0);
  const chip = options.accelerator ?? "a100";
  accelerator(chip);
  return workloadOf({
    name: `profile ${file.name}`,
    source: `Kernel table ${file.name}, made from a PyTorch Kineto trace`,
    accelerator: chip,
    boards: boardCount(options.boards ?? Math.max(ranks, 1)),
    board: profiledBoard(options, 0),
    provenance: PROFILE_PROVENANCE,
    recorded,
    phases: slicePhases(events, file.name),
  });
}

/** Rows of a table that must have these columns; shared by the CSV readers. */
export function rowsOf(text: string, file: string, columns: readonly string[]): Record<string, string>[] {
  let rows: Record<string, string>[];
  try {
    rows = parse(text, {
      columns: true,
      bom: true,
      skip_empty_lines: true,
      to: RECORDS_MAX + 1,
      max_record_size: 65_536,
    });
  } catch (cause) {
    const message = String((cause as Error).message).split("\n")[0];
    throw new WorkloadError("trace/malformed", `${file} is not a whole table: ${message}`, { cause });
  }
  refuseTooMany(rows.length, "rows", file);
  if (rows.length === 0) throw new WorkloadError("trace/empty", `${file} has a header and no rows`);
  const missing = columns.filter((column) => !(column in rows[0]!));
  if (missing.length > 0) {
    throw new WorkloadError(
      "trace/malformed",
      `${file} lacks the column${missing.length > 1 ? "s" : ""} ${missing.join(", ")}`,
    );
  }
  return rows;
}

function kernelOf(row: Row, line: number, file: string): ProfiledKernel {
  const nanoseconds = (value: string, what: string) =>
    Math.round(1000 * quantity(value, `${what} of line ${line}`, file, MICROSECONDS_MAX));
  const kernel: ProfiledKernel = {
    startNs: nanoseconds(row.t_us, "t_us"),
    durationNs: nanoseconds(row.dur_us, "dur_us"),
    kernel: row.kernel,
    kind: row.cat === "kernel" ? "kernel" : row.cat === "gpu_memcpy" ? "copy" : "other",
    // The column also holds the bytes of memsets, which are no copies.
    copyBytes:
      row.cat !== "gpu_memcpy" || row.memcpy_bytes === ""
        ? 0n
        : whole(row.memcpy_bytes, `memcpy_bytes of line ${line}`, file),
    operator: row.op,
    inputDims: row.input_dims === "" ? [] : dimensions(list(row.input_dims, line, file), file),
    inputTypes: row.input_types.split(";"),
  };
  return row.collective === "" ? kernel : { ...kernel, collective: collectiveOf(row, line, file) };
}

function collectiveOf(row: Row, line: number, file: string): Collective {
  return {
    name: row.collective,
    inElements: whole(row.in_nelems, `in_nelems of line ${line}`, file),
    outElements: whole(row.out_nelems, `out_nelems of line ${line}`, file),
    dtype: row.dtype,
    ranks: whole(row.group_size, `group_size of line ${line}`, file),
  };
}

function whole(value: string, what: string, file: string): bigint {
  return BigInt(wholeQuantity(value, what, file));
}

function list(text: string, line: number, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WorkloadError("trace/malformed", `${file}, line ${line}: input_dims is not a list`, { cause });
  }
}
