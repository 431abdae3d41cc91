/**
 * A WebAssembly module as its sections: read from the bytes that ship and written back byte for byte, so that a tool
 * that adds to it changes nothing else. Section numbers refer to the WebAssembly core specification, chapter 5.
 */

export const Section = {
  CUSTOM: 0,
  TYPE: 1,
  IMPORT: 2,
  FUNCTION: 3,
  TABLE: 4,
  MEMORY: 5,
  GLOBAL: 6,
  EXPORT: 7,
  START: 8,
  ELEMENT: 9,
  CODE: 10,
  DATA: 11,
  DATA_COUNT: 12,
} as const;

/** Their order in a module (section 5.5.2): the count of data segments comes before the code. */
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
const HEAD_BYTES = 8;

const Kind = { FUNCTION: 0, TABLE: 1, MEMORY: 2, GLOBAL: 3 } as const;

/** Reads LEB128 (section 5.2.2) and what else stands in sections. */
export class Cursor {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new RangeError(`the module ends in the middle, at byte ${this.at}`);
    this.at++;
    return value;
  }

  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** A signed number, as constants are. */
  signed(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
  }

  /** Passes over a number of any length and sign. */
  skipNumber(): void {
    while (this.byte() >= 0x80);
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new RangeError(`the module ends before byte ${this.at + length}`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest < -64n || rest > 63n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest & 0x7fn)];
}

/** One of the module's own functions. */
export type Body = {
  /** Declarations of locals, as they stand. */
  locals: Uint8Array;
  code: Uint8Array;
  /** Bytes that it takes in the section, its length included. */
  bytes: number;
};

/** Value types, as they are encoded. */
export type Signature = { parameters: readonly number[]; results: readonly number[] };

type Imported = { kind: number; type?: number; most?: number };

type Content = { id: number; content: Uint8Array };

export class WasmModule {
  readonly #head: Uint8Array;
  readonly #sections: Content[] = [];

  constructor(bytes: Uint8Array) {
    const cursor = new Cursor(bytes);
    this.#head = cursor.take(HEAD_BYTES);
    while (cursor.at < bytes.length)
      this.#sections.push({ id: cursor.byte(), content: cursor.take(cursor.unsigned()) });
  }

  /** In the order of the module; bytes with the section's own head. */
  get sections(): { id: number; bytes: number }[] {
    return this.#sections.map(({ id, content }) => ({
      id,
      bytes: 1 + unsigned(content.length).length + content.length,
    }));
  }

  get importedFunctions(): number {
    return this.#imports().filter(({ kind }) => kind === Kind.FUNCTION).length;
  }

  get importedGlobals(): number {
    return this.#imports().filter(({ kind }) => kind === Kind.GLOBAL).length;
  }

  /** Index of a function's type. */
  typeOf(functionIndex: number): number {
    const imported = this.#imports().filter(({ kind }) => kind === Kind.FUNCTION);
    if (functionIndex < imported.length) return imported[functionIndex]!.type!;
    const cursor = new Cursor(this.#find(Section.FUNCTION)!.content);
    const types = Array.from({ length: cursor.unsigned() }, () => cursor.unsigned());
    return types[functionIndex - imported.length]!;
  }

  /** What the functions of each type take and give (section 5.3.6). */
  get signatures(): Signature[] {
    const cursor = new Cursor(this.#find(Section.TYPE)!.content);
    return Array.from({ length: cursor.unsigned() }, () => {
      cursor.byte();
      const parameters = [...cursor.take(cursor.unsigned())];
      return { parameters, results: [...cursor.take(cursor.unsigned())] };
    });
  }

  /** Indices of the module's own globals that change; their values must be plain constants. */
  get mutableGlobals(): number[] {
    const section = this.#find(Section.GLOBAL);
    if (section === undefined) return [];
    const first = this.importedGlobals;
    const cursor = new Cursor(section.content);
    return Array.from({ length: cursor.unsigned() }, (_, i) => {
      const [, mutable] = cursor.take(2);
      cursor.byte();
      cursor.skipNumber();
      cursor.byte();
      return mutable === 1 ? first + i : -1;
    }).filter((index) => index >= 0);
  }

  /** What an export of a function names (section 5.5.10) becomes what `moved` says. */
  moveExports(moved: (functionIndex: number) => number): void {
    const cursor = new Cursor(this.#find(Section.EXPORT)!.content);
    const entries = Array.from({ length: cursor.unsigned() }, () => {
      const name = cursor.take(cursor.unsigned());
      const kind = cursor.byte();
      const index = cursor.unsigned();
      return [...unsigned(name.length), ...name, kind, ...unsigned(kind === Kind.FUNCTION ? moved(index) : index)];
    });
    this.#put(Section.EXPORT, joined([unsigned(entries.length), ...entries]));
  }

  /** Most pages of 64 KiB that the imported memory may have. */
  get importedMemoryPages(): number {
    const memory = this.#imports().find(({ kind }) => kind === Kind.MEMORY);
    return memory?.most ?? Number.POSITIVE_INFINITY;
  }

  get bodies(): Body[] {
    const section = this.#find(Section.CODE);
    if (section === undefined) return [];
    const cursor = new Cursor(section.content);
    return Array.from({ length: cursor.unsigned() }, () => {
      const begun = cursor.at;
      const body = cursor.take(cursor.unsigned());
      const inside = new Cursor(body);
      for (let groups = inside.unsigned(); groups > 0; groups--) {
        inside.skipNumber();
        inside.byte();
      }
      return { locals: body.subarray(0, inside.at), code: body.subarray(inside.at), bytes: cursor.at - begun };
    });
  }

  /** Where the active segments lie, and how long they are. */
  get data(): { address: number; length: number }[] {
    const section = this.#find(Section.DATA);
    if (section === undefined) return [];
    const cursor = new Cursor(section.content);
    return Array.from({ length: cursor.unsigned() }, () => {
      const [kind, constant, address, end] = [cursor.unsigned(), cursor.byte(), cursor.unsigned(), cursor.byte()];
      if (kind !== 0 || constant !== 0x41 || end !== 0x0b) throw new Error("a segment that is not at a fixed address");
      const length = cursor.unsigned();
      cursor.take(length);
      return { address, length };
    });
  }

  replaceBodies(bodies: readonly Pick<Body, "locals" | "code">[]): void {
    const parts = bodies.map(({ locals, code }) => [unsigned(locals.length + code.length), locals, code]);
    this.#put(Section.CODE, joined([unsigned(bodies.length), ...parts.flat()]));
  }

  /** Adds entries to a section that is a list; makes the section if there is none. Index of the first in the section. */
  append(id: number, entries: readonly (readonly number[])[]): number {
    const section = this.#find(id);
    const cursor = new Cursor(section?.content ?? Uint8Array.of(0));
    const count = cursor.unsigned();
    const before = cursor.bytes.subarray(cursor.at);
    this.#put(id, joined([unsigned(count + entries.length), before, ...entries]));
    return count;
  }

  toBytes(): Uint8Array {
    const parts = this.#sections.flatMap(({ id, content }) => [[id], unsigned(content.length), content]);
    return joined([this.#head, ...parts]);
  }

  #find(id: number): Content | undefined {
    return this.#sections.find((section) => section.id === id);
  }

  #put(id: number, content: Uint8Array): void {
    const section = this.#find(id);
    if (section !== undefined) {
      section.content = content;
      return;
    }
    const later = ORDER.slice(ORDER.indexOf(id) + 1);
    const index = this.#sections.findIndex((other) => later.includes(other.id));
    this.#sections.splice(index < 0 ? this.#sections.length : index, 0, { id, content });
  }

  #imports(): Imported[] {
    const section = this.#find(Section.IMPORT);
    if (section === undefined) return [];
    const cursor = new Cursor(section.content);
    return Array.from({ length: cursor.unsigned() }, () => {
      for (let names = 0; names < 2; names++) cursor.take(cursor.unsigned());
      return importedBy(cursor);
    });
  }
}

/** Section 5.5.5; of tables and memories, the most they may have. */
function importedBy(cursor: Cursor): Imported {
  const kind = cursor.byte();
  if (kind === Kind.FUNCTION) return { kind, type: cursor.unsigned() };
  if (kind === Kind.GLOBAL) {
    cursor.take(2);
    return { kind };
  }
  if (kind === Kind.TABLE) cursor.byte();
  const isBounded = (cursor.byte() & 1) !== 0;
  cursor.skipNumber();
  return isBounded ? { kind, most: cursor.unsigned() } : { kind };
}

function joined(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(part))));
}
