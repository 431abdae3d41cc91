/**
 * Adds instructions to a module without changing any of its own: the tools say what goes before which. What is added
 * counts or hashes into 64-bit globals that the module then exports; it touches neither memory nor locals, so the
 * module computes what it did before.
 */
import { Op } from "./instructions.ts";
import { type Body, Section, unsigned, WasmModule } from "./module.ts";

/** Value types of section 5.3.1. */
const I64 = 0x7e;
const FUNCTION_TYPE = 0x60;
const MUTABLE = 1;
const EXPORTED_GLOBAL = 3;

/** Goes into a function's code, before the byte at `at`. */
export type Insertion = { at: number; code: readonly number[] };

/** A function that a tool brings along. */
export type Helper = { parameters: readonly number[]; results: readonly number[]; code: readonly number[] };

export class Instrument {
  readonly #module: WasmModule;
  readonly #bodies: readonly Body[];
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
    const text = [...new TextEncoder().encode(name)];
    module.append(Section.EXPORT, [[...unsigned(text.length), ...text, EXPORTED_GLOBAL, ...unsigned(index)]]);
    return index;
  }

  /** Index of a new function. */
  helper({ parameters, results, code }: Helper): number {
    const types = [FUNCTION_TYPE, parameters.length, ...parameters, results.length, ...results];
    const type = this.#module.append(Section.TYPE, [types]);
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

function spliced(code: Uint8Array, insertions: readonly Insertion[]): Uint8Array {
  const whole = new Uint8Array(code.length + insertions.reduce((sum, insertion) => sum + insertion.code.length, 0));
  let [from, to] = [0, 0];
  for (const insertion of insertions) {
    whole.set(code.subarray(from, insertion.at), to);
    to += insertion.at - from;
    from = insertion.at;
    whole.set(insertion.code, to);
    to += insertion.code.length;
  }
  whole.set(code.subarray(from), to);
  return whole;
}
