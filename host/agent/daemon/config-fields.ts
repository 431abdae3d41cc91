/** One JSON object of a configuration, whose members are taken one by one. Every mistake is noted, none is thrown. */
import { resolve } from "node:path";

export class Fields {
  readonly #left: Map<string, unknown>;
  readonly #at: string;
  readonly #mistakes: string[];
  readonly #base: string;

  /** `at` is what mistakes call it; paths are relative to `base`. */
  constructor(value: unknown, at: string, mistakes: string[], base: string) {
    this.#at = at;
    this.#mistakes = mistakes;
    this.#base = base;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isObject) this.#note("", "must be an object");
    this.#left = new Map(isObject ? Object.entries(value) : []);
  }

  has(name: string): boolean {
    return this.#left.has(name);
  }

  text(name: string, form: RegExp, what: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    return typeof value === "string" && form.test(value) ? value : this.#note(name, `must be ${what}`);
  }

  required(name: string, form: RegExp, what: string): string {
    if (!this.#left.has(name)) this.#note(name, `is missing: ${what}`);
    return this.text(name, form, what) ?? "";
  }

  path(name: string): string | undefined {
    const text = this.text(name, /^[^\0]+$/, "a path");
    return text === undefined ? undefined : resolve(this.#base, text);
  }

  requiredPath(name: string): string {
    if (!this.#left.has(name)) this.#note(name, "is missing: a path");
    return this.path(name) ?? "";
  }

  number(name: string, min: number, max: number, otherwise: number): number {
    const value = this.#take(name);
    if (value === undefined) return otherwise;
    const fits = typeof value === "number" && Number.isFinite(value) && value >= min && value <= max;
    return fits ? value : (this.#note(name, `must be a number from ${min} to ${max}`) ?? otherwise);
  }

  whole(name: string, min: number, max: number, otherwise: number): number {
    const value = this.#take(name);
    if (value === undefined) return otherwise;
    const fits = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
    return fits ? (value as number) : (this.#note(name, `must be a whole number from ${min} to ${max}`) ?? otherwise);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.#take(name);
    if (value === undefined) return otherwise;
    return typeof value === "boolean" ? value : (this.#note(name, "must be true or false") ?? otherwise);
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    return choices.find((choice) => choice === value) ?? this.#note(name, `must be one of ${choices.join(", ")}`);
  }

  /** The members of an object; without it, of an empty one. */
  object<T>(name: string, read: (fields: Fields) => T): T {
    const value = this.#left.has(name) ? this.#take(name) : {};
    const fields = new Fields(value, this.#pathOf(name), this.#mistakes, this.#base);
    const result = read(fields);
    fields.end();
    return result;
  }

  optional<T>(name: string, read: (fields: Fields) => T): T | undefined {
    return this.#left.has(name) ? this.object(name, read) : undefined;
  }

  list<T>(name: string, min: number, max: number, read: (fields: Fields) => T): T[] {
    const value = this.#take(name);
    const items = Array.isArray(value) ? value : [];
    if (!Array.isArray(value) || items.length < min || items.length > max) {
      this.#note(name, `must be a list of ${min} to ${max}`);
    }
    return items.slice(0, max).map((item, i) => {
      const fields = new Fields(item, `${this.#pathOf(name)}[${i}]`, this.#mistakes, this.#base);
      const result = read(fields);
      fields.end();
      return result;
    });
  }

  /** Each member by its name; `read` throws what is wrong with one. */
  entries<K, V>(read: (key: string, value: unknown) => readonly [K, V]): Map<K, V> {
    const found = new Map<K, V>();
    for (const [key, value] of this.#left) {
      try {
        found.set(...read(key, value));
      } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        this.#note(key, error.message);
      }
    }
    this.#left.clear();
    return found;
  }

  /** A value that `read` understands, or throws `Unfit` for. */
  value<T>(name: string, read: (value: unknown) => T): T | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      return this.#note(name, error.message);
    }
  }

  /** What fits by itself and not with the rest. */
  mistake(name: string, what: string): void {
    this.#note(name, what);
  }

  end(): void {
    for (const name of this.#left.keys()) this.#note(name, "is no key of the configuration");
  }

  #take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  #note(name: string, what: string): undefined {
    const path = this.#pathOf(name);
    // Foreign text: nothing in it may act on a terminal.
    const shown = path.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?").slice(0, 200);
    this.#mistakes.push(`${shown === "" ? "" : `${shown} `}${what}`);
    return undefined;
  }

  #pathOf(name: string): string {
    if (name === "") return this.#at;
    return this.#at === "" ? name : `${this.#at}.${name}`;
  }
}

/** Thrown by readers: what a value must be. */
export class Unfit extends Error {}
