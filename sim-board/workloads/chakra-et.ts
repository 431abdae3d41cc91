/**
 * Chakra execution traces as `.et` files: Protocol Buffers, one message after the other with its length before it, first a
 * GlobalMetadata, then Nodes (et_def.proto of github.com/mlcommons/chakra, version 0.0.4). Read are the fields that say
 * what ran, when and after what; those of other numbers are passed over, as the wire format means them to be.
 */
import {
  BYTES_MAX,
  type ChakraNode,
  COMM_TYPE_MAX,
  chakraWorkload,
  MICROSECONDS_MAX,
  NODE_TYPE_MAX,
} from "./chakra.ts";
import type { NodeInputs } from "./chakra-products.ts";
import { WorkloadError } from "./errors.ts";
import { RECORDS_MAX, type ReadOptions, refuseTooMany, type TraceFile, wholeQuantity } from "./files.ts";
import { type Field, fieldsOf, type Source, type Span, varint, Wire } from "./protobuf.ts";
import type { Workload } from "./types.ts";

const DEPENDENCIES_MAX = 4 * RECORDS_MAX;
/** Longest name, and longest list of shapes or types, in bytes: more of it is not decoded. */
const TEXT_BYTES_MAX = 400;

/** Field numbers of the messages. */
const NODE = { id: 1, name: 2, type: 3, ctrlDeps: 4, dataDeps: 5, startUs: 6, runtimeUs: 7, inputs: 8, attribute: 10 };
const INPUTS = { shapes: 2, types: 3 };
const METADATA = { version: 1, attribute: 2 };
const ATTRIBUTE = { name: 1, bool: 27, text: 29 };
/** int32, int64, uint32 and uint64: all are plain varints. */
const ATTRIBUTE_WHOLE: ReadonlySet<number> = new Set([7, 9, 11, 13]);

/** A GlobalMetadata, and, unless the file ends there, what has the form of a Node behind it. */
export function isChakraEt({ bytes, name }: TraceFile): boolean {
  const source = { bytes, file: name };
  try {
    const metadata = messageAt(source, 0);
    if (metadata.until === bytes.length && metadata.from === metadata.until) return false;
    for (const { number, wire } of fieldsOf(source, metadata)) {
      if (wire !== Wire.BYTES || (number !== METADATA.version && number !== METADATA.attribute)) return false;
    }
    if (metadata.until === bytes.length) return true;
    const [first] = fieldsOf(source, messageAt(source, metadata.until));
    return first !== undefined && first.number <= NODE.attribute;
  } catch (error) {
    if (error instanceof WorkloadError) return false;
    throw error;
  }
}

export function readChakraEt({ bytes, name }: TraceFile, options: ReadOptions = {}): Workload {
  const source = { bytes, file: name };
  const nodes: ChakraNode[] = [];
  let dependencies = 0;
  for (let at = messageAt(source, 0).until; at < bytes.length; ) {
    const message = messageAt(source, at);
    const node = nodeOf(source, message);
    nodes.push(node);
    dependencies += node.dataDeps.length;
    refuseTooMany(nodes.length, "nodes", name);
    refuseTooMany(dependencies, "dependencies", name, DEPENDENCIES_MAX);
    at = message.until;
  }
  return chakraWorkload({ nodes }, name, options);
}

function messageAt(source: Source, at: number): Span {
  const { value, until: from } = varint(source, { from: at, until: source.bytes.length });
  if (value <= source.bytes.length - from) return { from, until: from + value };
  throw new WorkloadError("trace/malformed", `${source.file} ends within the message at byte ${at}`);
}

function nodeOf(source: Source, message: Span): ChakraNode {
  const { file } = source;
  const dataDeps: number[] = [];
  const ctrlDeps: number[] = [];
  const attributes: Attributes = {};
  const node = { id: 0, name: "", type: 0, dataDeps, startUs: 0, runtimeUs: 0, onHost: true, inGroup: false };
  for (const field of fieldsOf(source, message)) {
    if (field.number === NODE.id) node.id = wholeOf(field, "id of a node", file);
    else if (field.number === NODE.name) node.name = textOf(source, field, "name of a node");
    else if (field.number === NODE.type) node.type = wholeOf(field, "type of a node", file, NODE_TYPE_MAX);
    else if (field.number === NODE.startUs) node.startUs = wholeOf(field, "start_time_micros of a node", file);
    else if (field.number === NODE.runtimeUs) {
      node.runtimeUs = wholeOf(field, "duration_micros of a node", file, MICROSECONDS_MAX);
    } else if (field.number === NODE.dataDeps) addDependencies(source, field, "data_deps", dataDeps);
    else if (field.number === NODE.ctrlDeps) addDependencies(source, field, "ctrl_deps", ctrlDeps);
    else if (field.number === NODE.inputs)
      attributes.inputs = inputsOf(source, bytesOf(field, "inputs of a node", file));
    else if (field.number === NODE.attribute) readAttribute(source, bytesOf(field, "attr of a node", file), attributes);
  }
  if (node.type === 0) throw new WorkloadError("trace/malformed", `${file}: node ${node.id} has no type`);
  if (ctrlDeps.length > 0) attributes.launchedBy = ctrlDeps[0]!;
  return { ...node, ...attributes };
}

/** In one packed field or one by one, as the wire format allows for lists of numbers. */
function addDependencies(source: Source, field: Field, list: string, into: number[]): void {
  const what = `an entry of ${list}`;
  if (field.wire === Wire.VARINT) {
    into.push(wholeQuantity(field.value, what, source.file));
    return;
  }
  const { from, until } = bytesOf(field, what, source.file);
  for (let at = from; at < until; ) {
    const { value, until: next } = varint(source, { from: at, until });
    into.push(wholeQuantity(value, what, source.file));
    at = next;
  }
}

function inputsOf(source: Source, span: Span): NodeInputs {
  const inputs = { shapes: "", types: "" };
  for (const field of fieldsOf(source, span)) {
    if (field.number === INPUTS.shapes) inputs.shapes = textOf(source, field, "shapes of a node");
    else if (field.number === INPUTS.types) inputs.types = textOf(source, field, "types of a node");
  }
  return inputs;
}

type Attributes = Partial<Omit<ChakraNode, "id" | "name" | "type" | "dataDeps">>;

function readAttribute(source: Source, span: Span, into: Attributes): void {
  let name = "";
  let value: Field | undefined;
  for (const field of fieldsOf(source, span)) {
    if (field.number === ATTRIBUTE.name) name = textOf(source, field, "name of an attr");
    // 2 is a note for people; of a choice that is written twice the last counts.
    else if (field.number > 2) value = field;
  }
  if (name === "comm_type") into.commType = attributeOf(value, name, source.file, COMM_TYPE_MAX);
  else if (name === "comm_size") into.commBytes = attributeOf(value, name, source.file);
  else if (name === "tensor_size") into.tensorBytes = attributeOf(value, name, source.file);
  else if (name === "num_ops") into.operations = attributeOf(value, name, source.file);
  else if (name === "is_cpu_op") {
    if (value?.number !== ATTRIBUTE.bool) {
      throw new WorkloadError("trace/malformed", `${source.file}: is_cpu_op of a node is neither true nor false`);
    }
    into.onHost = varintOf(value, name, source.file) !== 0;
  } else if (name === "pg_name") {
    if (value?.number !== ATTRIBUTE.text) {
      throw new WorkloadError("trace/malformed", `${source.file}: pg_name of a node is not text`);
    }
    into.inGroup = textOf(source, value, name) !== "";
  }
}

function attributeOf(value: Field | undefined, name: string, file: string, max = BYTES_MAX): number {
  if (value && ATTRIBUTE_WHOLE.has(value.number)) return wholeOf(value, `${name} of a node`, file, max);
  throw new WorkloadError("trace/malformed", `${file}: ${name} of a node is not a whole number`);
}

function varintOf(field: Field, what: string, file: string): number {
  if (field.wire === Wire.VARINT) return field.value;
  throw new WorkloadError("trace/malformed", `${file}: ${what} is not a whole number`);
}

function wholeOf(field: Field, what: string, file: string, max = BYTES_MAX): number {
  return wholeQuantity(varintOf(field, what, file), what, file, max);
}

function bytesOf(field: Field, what: string, file: string): Span {
  if (field.wire === Wire.BYTES) return field;
  throw new WorkloadError("trace/malformed", `${file}: ${what} has wire type ${field.wire}`);
}

const UTF8 = new TextDecoder("utf-8");

function textOf(source: Source, field: Field, what: string): string {
  const { from, until } = bytesOf(field, what, source.file);
  return UTF8.decode(source.bytes.subarray(from, Math.min(until, from + TEXT_BYTES_MAX)));
}
