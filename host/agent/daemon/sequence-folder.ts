/** A folder of numbered objects, one file each, of which the newest are kept. */
import { join } from "node:path";
import type { Files } from "./files.ts";

const DIGITS = 20;

export class SequenceFolder {
  readonly #files: Files;
  readonly #folder: string;
  readonly #ending: string;
  readonly #bytesMax: number;
  #sequences: readonly bigint[];

  private constructor(files: Files, folder: string, ending: string, bytesMax: number, sequences: readonly bigint[]) {
    this.#files = files;
    this.#folder = folder;
    this.#ending = ending;
    this.#bytesMax = bytesMax;
    this.#sequences = sequences;
  }

  /** Makes the folder if it is not there. `ending` is that of its files' names. */
  static async open(files: Files, folder: string, ending: string, bytesMax: number): Promise<SequenceFolder> {
    await files.makeFolder(folder);
    const form = new RegExp(`^([0-9]{${DIGITS}})\\.${ending}$`);
    const names = await files.list(folder);
    const sequences = names.flatMap((name) => form.exec(name)?.[1] ?? []).map(BigInt);
    return new SequenceFolder(
      files,
      folder,
      ending,
      bytesMax,
      sequences.sort((a, b) => (a < b ? -1 : 1)),
    );
  }

  /** Rising. */
  get sequences(): readonly bigint[] {
    return this.#sequences;
  }

  get newest(): bigint {
    return this.#sequences.at(-1) ?? 0n;
  }

  /** Whatever has a higher number is of a branch that is dead, and goes. */
  async put(sequence: bigint, bytes: Uint8Array): Promise<void> {
    await this.#remove(this.#sequences.filter((other) => other > sequence));
    await this.#files.writeDurably(this.#path(sequence), bytes);
    this.#sequences = [...this.#sequences.filter((other) => other < sequence), sequence];
  }

  /** Undefined where it is not here. */
  read(sequence: bigint): Promise<Uint8Array | undefined> {
    return this.#files.readIfThere(this.#path(sequence), this.#bytesMax);
  }

  /** All but the newest so many. */
  async keep(count: number): Promise<void> {
    if (this.#sequences.length > count) await this.#remove(this.#sequences.slice(0, -count));
  }

  async removeAfter(sequence: bigint): Promise<void> {
    await this.#remove(this.#sequences.filter((other) => other > sequence));
  }

  async #remove(sequences: readonly bigint[]): Promise<void> {
    if (sequences.length === 0) return;
    const gone = new Set(sequences);
    this.#sequences = this.#sequences.filter((sequence) => !gone.has(sequence));
    for (const sequence of sequences) await this.#files.remove(this.#path(sequence));
  }

  #path(sequence: bigint): string {
    return join(this.#folder, `${sequence.toString().padStart(DIGITS, "0")}.${this.#ending}`);
  }
}
