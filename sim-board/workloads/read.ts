/** Reads any recording that the readers know: the format is found from the text itself, never from the file's name. */
import { isInferenceCsv, readInferenceCsv } from "./azure-llm.ts";
import { WorkloadError } from "./errors.ts";
import { type ReadOptions, readTraceFile, type TraceFile } from "./files.ts";
import { isKernelsCsv, readKernelsCsv } from "./kernels-csv.ts";
import { isKineto, readKineto } from "./kineto.ts";
import { isMlperf, readMlperf } from "./mlperf.ts";
import type { Workload } from "./types.ts";

type Format = {
  title: string;
  matches(text: string): boolean;
  read(file: TraceFile, options: ReadOptions): Workload;
};

const FORMATS: Format[] = [
  { title: "an MLPerf Training log (:::MLLOG)", matches: isMlperf, read: readMlperf },
  { title: "a kernel table (t_us,dur_us,...)", matches: isKernelsCsv, read: readKernelsCsv },
  {
    title: "a request table (TIMESTAMP,ContextTokens,GeneratedTokens)",
    matches: isInferenceCsv,
    read: readInferenceCsv,
  },
  { title: "a PyTorch Kineto trace (JSON with traceEvents)", matches: isKineto, read: readKineto },
];

/** Throws `WorkloadError`, and nothing else, for a file that is no readable workload. */
export function readTrace(path: string, options: ReadOptions = {}): Workload {
  const file = readTraceFile(path, options.sha256);
  const format = FORMATS.find((candidate) => candidate.matches(file.text));
  if (!format) {
    const known = FORMATS.map(({ title }) => title).join(", ");
    throw new WorkloadError("trace/unknown-format", `${file.name} is none of: ${known}, or one of them in gzip`);
  }
  return format.read(file, options);
}
