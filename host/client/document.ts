/**
 * JSON documents of a verifier, read member by member: ids in hex, objects in base64url, wide integers in decimal. What
 * does not fit is refused as an answer that is none; members that nobody asks for are left alone, so that a verifier may
 * say more.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import type { WorkByClass } from "../objects/work.ts";
import { CLASS_KEYS, classKeyOf } from "../policy/classes.ts";
import { ClientError } from "./errors.ts";

const TEXT_CHARACTERS_MAX = 4_096;
const ITEMS_MAX = 10_000;

export class Doc {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #where: string;

  /** `where` is what refusals call it. */
  constructor(value: unknown, where: string) {
    this.#where = where;
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.refuse("is no object");
    this.#members = value as Readonly<Record<string, unknown>>;
  }

  static parse(bytes: Uint8Array, where: string): Doc {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
    } catch (cause) {
      throw new ClientError("client/answer", `${where} is not JSON`, { cause });
    }
    return new Doc(value, where);
  }

  refuse(what: string): never {
    throw new ClientError("client/answer", `${this.#where} ${what}`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name) && this.#members[name] !== null;
  }

  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read(name) : undefined;
  }

  text(name: string): string {
    const value = this.#members[name];
    if (typeof value !== "string" || value.length > TEXT_CHARACTERS_MAX) this.refuse(`lacks the text '${name}'`);
    return value;
  }

  bool(name: string): boolean {
    const value = this.#members[name];
    if (typeof value !== "boolean") this.refuse(`lacks '${name}'`);
    return value;
  }

  /** A whole number from 0 up that a double holds exactly. */
  uint(name: string): number {
    const value = this.#members[name];
    if (!Number.isSafeInteger(value) || (value as number) < 0) this.refuse(`lacks the number '${name}'`);
    return value as number;
  }

  number(name: string): number {
    const value = this.#members[name];
    if (typeof value !== "number" || !Number.isFinite(value)) this.refuse(`lacks the number '${name}'`);
    return value;
  }

  /** In decimal, of up to 128 bits. */
  amount(name: string): bigint {
    const text = this.#members[name];
    if (typeof text !== "string" || !/^(?:0|[1-9][0-9]{0,38})$/.test(text)) this.refuse(`lacks the amount '${name}'`);
    return BigInt(text);
  }

  hex(name: string, bytes: number): Uint8Array {
    return this.#hex(this.#members[name], bytes, name);
  }

  /** An object in base64url. */
  bytes(name: string): Uint8Array {
    return this.#base64url(this.#members[name], name);
  }

  choice<const T extends readonly string[]>(name: string, choices: T): T[number] {
    const text = this.text(name);
    return choices.includes(text) ? text : this.refuse(`has '${name}' of a kind that is not known here`);
  }

  doc(name: string): Doc {
    return new Doc(this.#members[name], `${this.#where}.${name}`);
  }

  docs(name: string): Doc[] {
    return this.#list(name).map((item, i) => new Doc(item, `${this.#where}.${name}[${i}]`));
  }

  objects(name: string): Uint8Array[] {
    return this.#list(name).map((item, i) => this.#base64url(item, `${name}[${i}]`));
  }

  hexes(name: string, bytes: number): Uint8Array[] {
    return this.#list(name).map((item, i) => this.#hex(item, bytes, `${name}[${i}]`));
  }

  texts(name: string): string[] {
    return this.#list(name).map((item, i) => (typeof item === "string" ? item : this.refuse(`lacks '${name}[${i}]'`)));
  }

  /** `{tensor_bf16: "123"}`. */
  works(name: string): WorkByClass {
    const works = this.doc(name);
    return new Map([...CLASS_KEYS].flatMap(([key, c]) => (works.has(key) ? [[c, works.amount(key)] as const] : [])));
  }

  /** The document as it came. */
  get value(): Readonly<Record<string, unknown>> {
    return this.#members;
  }

  #list(name: string): readonly unknown[] {
    const value = this.#members[name];
    if (!Array.isArray(value) || value.length > ITEMS_MAX) this.refuse(`lacks the list '${name}'`);
    return value;
  }

  #hex(text: unknown, bytes: number, name: string): Uint8Array {
    if (typeof text !== "string" || text.length !== 2 * bytes || !/^[0-9a-f]*$/.test(text)) {
      this.refuse(`lacks the id '${name}'`);
    }
    return new Uint8Array(Buffer.from(text, "hex"));
  }

  #base64url(text: unknown, name: string): Uint8Array {
    const isForm = typeof text === "string" && /^[A-Za-z0-9_-]+$/.test(text);
    const bytes = isForm ? new Uint8Array(Buffer.from(text, "base64url")) : new Uint8Array(0);
    if (bytes.length < 1 || bytes.length > Limit.MESSAGE_BYTES_MAX) this.refuse(`lacks the object '${name}'`);
    return bytes;
  }
}

/** As documents have amounts. */
export function worksJson(works: WorkByClass | undefined): Record<string, string> | undefined {
  return works && Object.fromEntries([...works].map(([c, amount]) => [classKeyOf(c), amount.toString()]));
}

export function objectText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
