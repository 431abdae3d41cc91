/** Chakra execution traces in JSON: a list `workload_graph` of nodes, as Chakra's feeder reads it (JSONNode.cpp). */
import {
  BYTES_MAX,
  type ChakraNode,
  COMM_TYPE_MAX,
  chakraWorkload,
  MICROSECONDS_MAX,
  NODE_TYPE_MAX,
} from "./chakra.ts";
import { WorkloadError } from "./errors.ts";
import {
  positiveQuantity,
  quantity,
  RECORDS_MAX,
  type ReadOptions,
  refuseTooMany,
  type TraceFile,
  textValue,
  wholeQuantity,
} from "./files.ts";
import type { Workload } from "./types.ts";

const BOARDS_MAX = 1_000_000;
const DEPENDENCIES_MAX = 4 * RECORDS_MAX;

export function isChakraJson(text: string): boolean {
  return /^\s*\{/.test(text) && text.includes('"workload_graph"');
}

export function readChakraJson(file: TraceFile, options: ReadOptions = {}): Workload {
  const { workload_graph: graph, ngpus } = parse(file);
  if (!Array.isArray(graph)) throw new WorkloadError("trace/malformed", `${file.name}: workload_graph is not a list`);
  refuseTooMany(graph.length, "nodes", file.name);
  const nodes = graph.map((node) => nodeOf(node, file.name));
  const dependencies = nodes.reduce((sum, { dataDeps }) => sum + dataDeps.length, 0);
  refuseTooMany(dependencies, "dependencies", file.name, DEPENDENCIES_MAX);
  return chakraWorkload(
    {
      nodes,
      ...(ngpus === undefined ? {} : { boards: positiveQuantity(ngpus, "ngpus", file.name, BOARDS_MAX) }),
    },
    file.name,
    options,
  );
}

function parse({ text, name }: TraceFile): { workload_graph?: unknown; ngpus?: unknown } {
  try {
    return JSON.parse(text) as { workload_graph?: unknown };
  } catch (cause) {
    const message = String((cause as Error).message)
      .slice(0, 80)
      .split("\n")[0];
    throw new WorkloadError("trace/malformed", `${name} is not whole JSON: ${message}`, { cause });
  }
}

function nodeOf(value: unknown, file: string): ChakraNode {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new WorkloadError("trace/malformed", `${file}: an entry of workload_graph is not a node`);
  }
  const node = value as Readonly<Record<string, unknown>>;
  const id = wholeQuantity(node.Id, "Id of a node", file);
  const whole = (name: string, max = BYTES_MAX) => wholeQuantity(node[name], `${name} of node ${id}`, file, max);
  const type = whole("NodeType", NODE_TYPE_MAX);
  if (type === 0) throw new WorkloadError("trace/malformed", `${file}: node ${id} has no type (NodeType 0)`);
  const { data_deps: deps = [], is_cpu_op: onHost = true } = node;
  if (!Array.isArray(deps))
    throw new WorkloadError("trace/malformed", `${file}: data_deps of node ${id} is not a list`);
  // Some writers have 0 and 1.
  if (onHost !== true && onHost !== false && onHost !== 0 && onHost !== 1) {
    throw new WorkloadError("trace/malformed", `${file}: is_cpu_op of node ${id} is neither true nor false`);
  }
  return {
    id,
    name: node.Name === undefined ? "" : textValue(node.Name, `Name of node ${id}`, file),
    type,
    dataDeps: deps.map((dep) => wholeQuantity(dep, `an entry of data_deps of node ${id}`, file)),
    startUs: 0,
    runtimeUs: node.runtime === undefined ? 0 : quantity(node.runtime, `runtime of node ${id}`, file, MICROSECONDS_MAX),
    onHost: onHost === true || onHost === 1,
    ...(node.comm_type === undefined ? {} : { commType: whole("comm_type", COMM_TYPE_MAX) }),
    ...(node.comm_size === undefined ? {} : { commBytes: whole("comm_size") }),
    ...(node.tensor_size === undefined ? {} : { tensorBytes: whole("tensor_size") }),
    inGroup: node.pg_name !== undefined && node.pg_name !== "",
  };
}
