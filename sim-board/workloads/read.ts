/** Reads any recording that the readers know: the format is found from the bytes themselves, never from the file's name. */
import { isInferenceCsv, readInferenceCsv } from "./azure-llm.ts";
import { isChakraEt, readChakraEt } from "./chakra-et.ts";
import { isChakraJson, readChakraJson } from "./chakra-json.ts";
import { WorkloadError } from "./errors.ts";
import { type ReadOptions, readTraceFile, type TraceFile } from "./files.ts";
import { isKernelsCsv, readKernelsCsv } from "./kernels-csv.ts";
import { isKineto, readKineto } from "./kineto.ts";
import { isMlperf, readMlperf } from "./mlperf.ts";
import type { Workload } from "./types.ts";

type Format = {
  title: string;
  matches(file: TraceFile): boolean;
  read(file: TraceFile, options: ReadOptions): Workload;
};

const FORMATS: Format[] = [
  { title: "an MLPerf Training log (:::MLLOG)", matches: ({ text }) => isMlperf(text), read: readMlperf },
  { title: "a kernel table (t_us,dur_us,...)", matches: ({ text }) => isKernelsCsv(text), read: readKernelsCsv },
  {
    title: "a request table (TIMESTAMP,ContextTokens,GeneratedTokens)",
    matches: ({ text }) => isInferenceCsv(text),
    read: readInferenceCsv,
  },
  { title: "a PyTorch Kineto trace (JSON with traceEvents)", matches: ({ text }) => isKineto(text), read: readKineto },
  {
    title: "a Chakra execution trace (JSON with workload_graph)",
    matches: ({ text }) => isChakraJson(text),
    read: readChakraJson,
  },
  // Last: what has no marks but its form.
  { title: "a Chakra execution trace (.et)", matches: isChakraEt, read: readChakraEt },
];

/** Throws `WorkloadError`, and nothing else, for a file that is no readable workload. */
export function readTrace(path: string, options: ReadOptions = {}): Workload {
  const file = readTraceFile(path, options.sha256);
  const format = FORMATS.find((candidate) => candidate.matches(file));
  if (!format) {
    const known = FORMATS.map(({ title }) => title).join(", ");
    const what = file.text === "" ? `is a binary file, and` : "is";
    throw new WorkloadError("trace/unknown-format", `${file.name} ${what} none of: ${known}, or one of them in gzip`);
  }
  return format.read(file, options);
}
