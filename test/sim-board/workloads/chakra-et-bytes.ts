/** Writes Chakra's `.et` files for tests: Protocol Buffers by hand, so that they can be wrong on purpose. */

export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** A field of wire type 0. */
export function whole(number: number, value: number | bigint): number[] {
  return [...varint(number * 8), ...varint(value)];
}

/** A field of wire type 2. */
export function bytes(number: number, content: readonly number[] | string): number[] {
  const inner = typeof content === "string" ? [...Buffer.from(content)] : content;
  return [...varint(number * 8 + 2), ...varint(inner.length), ...inner];
}

export function message(...fields: readonly number[][]): number[] {
  const inner = fields.flat();
  return [...varint(inner.length), ...inner];
}

const INT64 = 9;
const BOOL = 27;

/** An attribute of a node: a number as int64, or a truth. */
export function attribute(name: string, value: number | bigint | boolean): number[] {
  return bytes(10, [
    ...bytes(1, name),
    ...(typeof value === "boolean" ? whole(BOOL, value ? 1 : 0) : whole(INT64, value)),
  ]);
}

export const METADATA = message(bytes(1, "0.0.4"));

export interface NodeParts {
  id: number;
  type: number;
  name?: string;
  deps?: number[];
  launchedBy?: number;
  inputs?: { shapes: string; types: string };
  startUs?: number;
  runtimeUs?: number;
  attributes?: Record<string, number | bigint | boolean>;
}

export function node({
  id,
  type,
  name,
  deps,
  launchedBy,
  inputs,
  startUs,
  runtimeUs,
  attributes = {},
}: NodeParts): number[] {
  return message(
    whole(1, id),
    name === undefined ? [] : bytes(2, name),
    whole(3, type),
    launchedBy === undefined ? [] : whole(4, launchedBy),
    deps === undefined ? [] : bytes(5, deps.flatMap(varint)),
    startUs === undefined ? [] : whole(6, startUs),
    runtimeUs === undefined ? [] : whole(7, runtimeUs),
    inputs === undefined ? [] : bytes(8, [...bytes(1, "[1]"), ...bytes(2, inputs.shapes), ...bytes(3, inputs.types)]),
    ...Object.entries(attributes).map(([attributeName, value]) => attribute(attributeName, value)),
  );
}
