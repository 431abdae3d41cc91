/** Bytes and amounts in JSON: ids in lower-case hex, objects in base64url without padding, 64 bits and more in decimal. */
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import type { WorkByClass } from "../objects/work.ts";
import { CLASS_KEYS, classKeyOf } from "../policy/classes.ts";
import { HttpProblem } from "./problem-codes.ts";

const WORK_MAX = 2n ** 128n - 1n;
const U64_MAX = 2n ** 64n - 1n;

export function hexText(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("hex");
}

export function base64urlText(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("base64url");
}

/** Without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Of a text that a schema has found to be hex. */
export function hexBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** One text for one sequence of bytes: bits that nothing stands in are 0 (RFC 4648 section 3.5). */
export function base64urlBytes(text: string, field: string): Uint8Array {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length === 0 || bytes.toString("base64url") !== text) {
    throw new HttpProblem("request/field", `${field} must be base64url without padding`);
  }
  return new Uint8Array(bytes);
}

/** `{tensor_bf16: "123"}` as amounts of work. */
export function worksOf(texts: Readonly<Partial<Record<string, string>>>, field: string): WorkByClass {
  return byClass(texts, field, WORK_MAX);
}

export function ratesOf(texts: Readonly<Partial<Record<string, string>>>, field: string): WorkByClass {
  return byClass(texts, field, U64_MAX);
}

export function u64Of(text: string, field: string): bigint {
  return amountOf(text, field, U64_MAX);
}

export function worksJson(works: WorkByClass): Record<string, string> {
  return Object.fromEntries([...works].map(([engineClass, amount]) => [classKeyOf(engineClass), amount.toString()]));
}

function byClass(texts: Readonly<Partial<Record<string, string>>>, field: string, most: bigint): WorkByClass {
  const works = new Map<EngineClass, bigint>();
  for (const [key, engineClass] of CLASS_KEYS) {
    const text = texts[key];
    if (text !== undefined) works.set(engineClass, amountOf(text, `${field}.${key}`, most));
  }
  return works;
}

function amountOf(text: string, field: string, most: bigint): bigint {
  const amount = BigInt(text);
  if (amount > most) throw new HttpProblem("request/field", `${field} must be at most ${most}`);
  return amount;
}
