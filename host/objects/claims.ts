/**
 * Typed access to a CBOR map of claims: every claim is taken once, by its type and bounds, and nothing may be left over.
 * Whatever does not fit is refused with the code of the object that is read, as the governor refuses it.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { type CborMap, type CborValue, decode, encode } from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";
import { type AllWork, U64_MAX, type WorkByClass, workBytes, workOf } from "./work.ts";

const U32_MAX = 2 ** 32 - 1;

/** Latest time that is read, in seconds: 34,000 years. */
const SECONDS_MAX = 2 ** 40;

export class Claims {
  readonly #values: CborMap | readonly CborValue[];
  /** Labels that were read, each once. They are few: looking through them costs less than a set. */
  readonly #taken: number[] = [];
  readonly #code: ErrorCode;
  readonly #what: string;
  readonly #at: number | undefined;

  /** `what` is how messages call the object, `at` the claim of it that this is. */
  constructor(value: CborValue, code: ErrorCode, what: string, at?: number) {
    this.#code = code;
    this.#what = what;
    this.#at = at;
    if (!(value instanceof Map) && !Array.isArray(value)) throw new Refusal(code, `the ${this.#name()} is not a map`);
    this.#values = value;
  }

  static ofPayload(payload: Uint8Array, code: ErrorCode, what: string): Claims {
    if (payload.length > Limit.MESSAGE_BYTES_MAX) throw new Refusal(code, `the ${what} is too long`);
    const value = decode(payload);
    if (!(value instanceof Map)) throw new Refusal(code, `the ${what} is not a map`);
    return new Claims(value, code, what);
  }

  refuse(message: string, code: ErrorCode = this.#code): never {
    throw new Refusal(code, `${this.#name()}: ${message}`);
  }

  /** Refuses if a claim was not asked for. */
  end(): void {
    if (this.#taken.length === this.length) return;
    for (const label of this.#values.keys()) {
      if (!this.#taken.includes(label as number)) this.refuse(`claim ${String(label)} is unknown here`);
    }
  }

  get length(): number {
    return this.#values instanceof Map ? this.#values.size : (this.#values as readonly CborValue[]).length;
  }

  /** How many claims were not asked for yet. */
  get left(): number {
    return this.length - this.#taken.length;
  }

  has(label: number): boolean {
    return this.#peek(label) !== undefined;
  }

  /** What `read` gives for the claim if it is there. */
  optional<T>(label: number, read: (label: number) => T): T | undefined {
    return this.has(label) ? read(label) : undefined;
  }

  /** The claim as it stands. */
  value(label: number): CborValue {
    const value = this.#peek(label);
    if (value === undefined) this.refuse(`claim ${label} is missing`);
    this.#taken.push(label);
    return value;
  }

  /** An unsigned integer of at most `max`. */
  u64(label: number, max: bigint = U64_MAX): bigint {
    const integer = this.#unsigned(label);
    if (integer > max) this.refuse(`claim ${label} is over ${max}`);
    return BigInt(integer);
  }

  /** An unsigned integer of at most `max`. */
  u32(label: number, max: number = U32_MAX): number {
    const integer = this.#unsigned(label);
    if (integer > max) this.refuse(`claim ${label} is over ${max}`);
    return Number(integer);
  }

  /** A time or a duration in seconds. */
  seconds(label: number): number {
    const integer = this.#unsigned(label);
    if (integer > SECONDS_MAX) this.refuse(`claim ${label} is beyond the end of time`);
    return Number(integer);
  }

  /** A time in milliseconds. */
  ms(label: number): number {
    const integer = this.#unsigned(label);
    if (integer > Number.MAX_SAFE_INTEGER) this.refuse(`claim ${label} is beyond the end of time`);
    return Number(integer);
  }

  /** Takes the claim if it is null. */
  isNull(label: number): boolean {
    if (this.#peek(label) !== null) return false;
    this.#taken.push(label);
    return true;
  }

  bool(label: number): boolean {
    const value = this.value(label);
    if (typeof value !== "boolean") this.refuse(`claim ${label} is not true or false`);
    return value;
  }

  /** A byte string of `bytesMin` to `bytesMax` bytes. */
  bytes(label: number, bytesMin: number, bytesMax: number = bytesMin): Uint8Array {
    const value = this.value(label);
    if (!(value instanceof Uint8Array)) this.refuse(`claim ${label} is not a byte string`);
    if (value.length < bytesMin || value.length > bytesMax) {
      const wanted = bytesMin === bytesMax ? `${bytesMin}` : `${bytesMin} to ${bytesMax}`;
      this.refuse(`claim ${label} has ${value.length} bytes instead of ${wanted}`);
    }
    return value;
  }

  digest(label: number): Uint8Array {
    return this.bytes(label, Limit.DIGEST_BYTES);
  }

  ueid(label: number): Uint8Array {
    return this.bytes(label, Limit.UEID_BYTES);
  }

  /** A text of 1 to `bytesMax` bytes of UTF-8. */
  text(label: number, bytesMax: number): string {
    const value = this.value(label);
    if (typeof value !== "string") this.refuse(`claim ${label} is not a text`);
    const length = Buffer.byteLength(value);
    if (length < 1 || length > bytesMax) this.refuse(`claim ${label} has ${length} bytes instead of 1 to ${bytesMax}`);
    return value;
  }

  /** An array of `itemsMin` to `itemsMax` items, read by their index as label. */
  array(label: number, itemsMin: number, itemsMax: number = itemsMin): Claims {
    const value = this.value(label);
    if (!Array.isArray(value)) this.refuse(`claim ${label} is not an array`);
    if (value.length < itemsMin || value.length > itemsMax) this.refuse(`claim ${label} has ${value.length} items`);
    return this.#inner(value, label);
  }

  /** What `read` gives for each item of an array. */
  list<T>(label: number, itemsMin: number, itemsMax: number, read: (items: Claims, index: number) => T): T[] {
    const items = this.array(label, itemsMin, itemsMax);
    const result: T[] = [];
    for (let index = 0; index < items.length; index++) result.push(read(items, index));
    return result;
  }

  map(label: number): Claims {
    const value = this.value(label);
    if (!(value instanceof Map)) this.refuse(`claim ${label} is not a map`);
    return this.#inner(value, label);
  }

  /** What an embedded item holds, refused as this object is. */
  nested(value: CborValue): Claims {
    return new Claims(value, this.#code, this.#what, this.#at);
  }

  /** Refuses unless the claim is exactly this. */
  constant(label: number, expected: number | string): void {
    const value = this.value(label);
    if (value !== expected) this.refuse(`claim ${label} is ${String(value)} instead of ${expected}`);
  }

  /** A map from engine classes to what `read` gives. */
  byClass<T>(label: number, read: (entries: Claims, engineClass: number) => T): Map<EngineClass, T> {
    const entries = this.map(label);
    const result = new Map<EngineClass, T>();
    for (let engineClass = 0; engineClass < EngineClass.COUNT; engineClass++) {
      if (entries.has(engineClass)) result.set(engineClass, read(entries, engineClass));
    }
    entries.end();
    return result;
  }

  work(label: number): bigint {
    return workOf(this.bytes(label, Limit.WORK_BYTES));
  }

  /** Work of at most 2^64 - 1. */
  work64(label: number): bigint {
    const work = this.work(label);
    if (work > U64_MAX) this.refuse(`claim ${label} is work of more than 64 bits`);
    return work;
  }

  works(label: number): Map<EngineClass, bigint> {
    return this.byClass(label, (entries, engineClass) => entries.work(engineClass));
  }

  works64(label: number): Map<EngineClass, bigint> {
    return this.byClass(label, (entries, engineClass) => entries.work64(engineClass));
  }

  /** Work of every class. */
  allWorks(label: number): bigint[] {
    return this.#all(label, (entries, engineClass) => entries.work(engineClass));
  }

  /** A count of every class. */
  allCounts(label: number): bigint[] {
    return this.#all(label, (entries, engineClass) => entries.u64(engineClass));
  }

  #all(label: number, read: (entries: Claims, engineClass: number) => bigint): bigint[] {
    const entries = this.map(label);
    const all: bigint[] = [];
    for (let engineClass = 0; engineClass < EngineClass.COUNT; engineClass++) all.push(read(entries, engineClass));
    entries.end();
    return all;
  }

  #peek(label: number): CborValue | undefined {
    if (this.#taken.includes(label)) return undefined;
    return this.#values instanceof Map ? this.#values.get(label) : (this.#values as readonly CborValue[])[label];
  }

  #unsigned(label: number): number | bigint {
    const value = this.value(label);
    if (typeof value !== "number" && typeof value !== "bigint") this.refuse(`claim ${label} is not an integer`);
    // No decoded integer is over 64 bits.
    if (value < 0) this.refuse(`claim ${label} is not an unsigned integer`);
    return value;
  }

  #inner(value: CborValue, label: number): Claims {
    return new Claims(value, this.#code, this.#name(), label);
  }

  #name(): string {
    return this.#at === undefined ? this.#what : `${this.#what}, claim ${this.#at}`;
  }
}

/** Claims to be written: those whose value is undefined are left out. */
export type ClaimEntries = readonly (readonly [label: number, value: CborValue | undefined])[];

/**
 * The payload of an object. It is read back by `check`, so that nothing is ever sent that would be refused for its form.
 */
export function encodeClaims(entries: ClaimEntries, check: (payload: Uint8Array) => unknown): Uint8Array {
  const claims = new Map<number, CborValue>();
  for (const [label, value] of entries) if (value !== undefined) claims.set(label, value);
  const payload = encode(claims);
  check(payload);
  return payload;
}

export function worksValue(work: WorkByClass): CborMap {
  const value = new Map<number, CborValue>();
  for (const [engineClass, quantity] of work) value.set(engineClass, workBytes(quantity));
  return value;
}

export function allWorksValue(work: AllWork): CborMap {
  return worksValue(new Map(work.entries()));
}

export function allCountsValue(counts: readonly bigint[]): CborMap {
  return new Map(counts.entries());
}
