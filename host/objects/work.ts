/** Quantities of work: operations or bytes, a bigint here, 16 bytes big-endian on the wire. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Limit } from "../../firmware/protocol/limits.ts";

/** What some engine classes may do or did; a class that is not in it has none. */
export type WorkByClass = ReadonlyMap<EngineClass, bigint>;

/** A quantity of every engine class, by class number. */
export type AllWork = readonly bigint[];

const WORK_MAX = 2n ** 128n - 1n;
export const U64_MAX = 2n ** 64n - 1n;

/** Quantities pass through here, since to make a `DataView` of each takes longer than to read it. */
const scratch = new Uint8Array(Limit.WORK_BYTES);
const view = new DataView(scratch.buffer);

/** 16 bytes, big-endian. Throws a `RangeError` for what is negative or over 2^128 - 1. */
export function workBytes(work: bigint): Uint8Array {
  if (work < 0n || work > WORK_MAX) throw new RangeError(`${work} is no quantity of work`);
  view.setBigUint64(0, work >> 64n);
  view.setBigUint64(8, work & U64_MAX);
  return scratch.slice();
}

/** Of exactly 16 bytes, big-endian. */
export function workOf(bytes: Uint8Array): bigint {
  if (bytes.length !== Limit.WORK_BYTES) throw new RangeError("a quantity of work has 16 bytes");
  scratch.set(bytes);
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
}

/** Zero of every class. */
export function noWork(): bigint[] {
  return new Array<bigint>(EngineClass.COUNT).fill(0n);
}

/** What lies between two totals, class by class; negative where the later is less. */
export function workBetween(earlier: AllWork, later: AllWork): bigint[] {
  return later.map((work, engineClass) => work - earlier[engineClass]!);
}

/** The larger of each class. */
export function mostWork(a: AllWork, b: AllWork): bigint[] {
  return a.map((work, engineClass) => (work > b[engineClass]! ? work : b[engineClass]!));
}

export function sumWork(a: AllWork, b: AllWork): bigint[] {
  return a.map((work, engineClass) => work + b[engineClass]!);
}

/** A quantity of every class, from one that names some. */
export function allWork(work: WorkByClass | undefined): bigint[] {
  const all = noWork();
  for (const [engineClass, quantity] of work ?? []) all[engineClass] = quantity;
  return all;
}
