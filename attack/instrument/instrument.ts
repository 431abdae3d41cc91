/**
 * Adds instructions to a module without changing any of its own: the tools say what goes before which. What is added
 * counts or hashes into 64-bit globals that the module then exports, or counts in memory that the module leaves alone; it
 * touches no locals, so the module computes what it did before; unless what is added is a fault.
 */
import { instructionsOf, Op } from "./instructions.ts";
import { type Body, Cursor, Section, type Signature, unsigned, WasmModule } from "./module.ts";

/** Value types of section 5.3.1. */
export const I32 = 0x7f;
export const I64 = 0x7e;
const FUNCTION_TYPE = 0x60;
const MUTABLE = 1;
const EXPORTED_GLOBAL = 3;
const IMPORTED_FUNCTION = 0;

/** Goes into a function's code, before the byte at `at`; in place of as many bytes as `instead` says. */
export type Insertion = { at: number; code: readonly number[]; instead?: number };

/** A function that a tool brings along. */
export type Helper = Signature & { code: readonly number[] };

export class Instrument {
  readonly #module: WasmModule;
  #bodies: readonly Pick<Body, "locals" | "code">[];
  #helpers: Pick<Body, "locals" | "code">[] = [];

  constructor(bytes: Uint8Array) {
    this.#module = new WasmModule(bytes);
    this.#bodies = this.#module.bodies;
  }

  /** Index of a new global, exported under this name. */
  global(name: string): number {
    const constant = [Op.I64_CONST, 0, Op.END];
    const module = this.#module;
    const index = module.importedGlobals + module.append(Section.GLOBAL, [[I64, MUTABLE, ...constant]]);
    this.#export(name, index);
    return index;
  }

  /** Exports every global of the module's own that changes, under these names. */
  exportGlobals(nameOf: (index: number) => string): string[] {
    const indices = this.#module.mutableGlobals;
    for (const index of indices) this.#export(nameOf(index), index);
    return indices.map(nameOf);
  }

  #export(name: string, global: number): void {
    this.#module.append(Section.EXPORT, [[...nameBytes(name), EXPORTED_GLOBAL, ...unsigned(global)]]);
  }

  /** Index of a new type: of functions, or of blocks that take something from the stack. */
  type({ parameters, results }: Signature): number {
    const type = [FUNCTION_TYPE, parameters.length, ...parameters, results.length, ...results];
    return this.#module.append(Section.TYPE, [type]);
  }

  typeOf(functionIndex: number): number {
    return this.#module.typeOf(functionIndex);
  }

  signatureOf(functionIndex: number): Signature {
    return this.#module.signatures[this.typeOf(functionIndex)]!;
  }

  /** Index of a new imported function. All of the module's own move up by one: import before anything else is added. */
  import(module: string, name: string, signature: Signature): number {
    const index = this.#module.importedFunctions;
    const moved = (functionIndex: number) => (functionIndex < index ? functionIndex : functionIndex + 1);
    const type = this.type(signature);
    this.#module.moveExports(moved);
    this.#bodies = this.#bodies.map(({ locals, code }) => ({ locals, code: withCalls(code, moved) }));
    this.#module.append(Section.IMPORT, [
      [...nameBytes(module), ...nameBytes(name), IMPORTED_FUNCTION, ...unsigned(type)],
    ]);
    return index;
  }

  /** Index of a new function. */
  helper({ parameters, results, code }: Helper): number {
    const type = this.type({ parameters, results });
    const index = this.#module.importedFunctions + this.#module.append(Section.FUNCTION, [unsigned(type)]);
    this.#helpers.push({ locals: Uint8Array.of(0), code: Uint8Array.from([...code, Op.END]) });
    return index;
  }

  /** The module with, in each of its own functions, what `insertionsInto` returns for it, in order of place. */
  insert(insertionsInto: (code: Uint8Array, functionIndex: number) => readonly Insertion[]): Uint8Array {
    const first = this.#module.importedFunctions;
    const own = this.#bodies.map(({ locals, code }, i) => ({
      locals,
      code: spliced(code, insertionsInto(code, first + i)),
    }));
    this.#module.replaceBodies([...own, ...this.#helpers]);
    return this.#module.toBytes();
  }
}

function nameBytes(name: string): number[] {
  const text = [...new TextEncoder().encode(name)];
  return [...unsigned(text.length), ...text];
}

/** The code with every call going where `moved` says. */
function withCalls(code: Uint8Array, moved: (functionIndex: number) => number): Uint8Array {
  const parts: number[] = [];
  for (const { op, start, end } of instructionsOf(code)) {
    if (op !== Op.CALL) parts.push(...code.subarray(start, end));
    else parts.push(op, ...unsigned(moved(new Cursor(code, start + 1).unsigned())));
  }
  return Uint8Array.from(parts);
}

function spliced(code: Uint8Array, insertions: readonly Insertion[]): Uint8Array {
  const more = insertions.reduce((sum, insertion) => sum + insertion.code.length - (insertion.instead ?? 0), 0);
  const whole = new Uint8Array(code.length + more);
  let [from, to] = [0, 0];
  for (const insertion of insertions) {
    whole.set(code.subarray(from, insertion.at), to);
    to += insertion.at - from;
    from = insertion.at + (insertion.instead ?? 0);
    whole.set(insertion.code, to);
    to += insertion.code.length;
  }
  whole.set(code.subarray(from), to);
  return whole;
}
