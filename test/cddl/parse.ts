/**
 * CDDL (RFC 8610), as much of it as docs/protocol.md uses: choices, ranges, literals, maps, arrays, groups with
 * occurrences and alternatives, generics, tags, and the controls `.size` and `.cbor`. What it does not know it refuses, so
 * that the page cannot say something that is checked by nobody.
 */

export type Literal = number | bigint | string | Uint8Array;

export type Type =
  | { readonly kind: "literal"; readonly value: Literal }
  | { readonly kind: "range"; readonly least: bigint; readonly most: bigint }
  | { readonly kind: "name"; readonly name: string; readonly parameters: readonly Type[] }
  | { readonly kind: "map" | "array"; readonly group: Group }
  | { readonly kind: "tag"; readonly tag: number; readonly type: Type }
  | { readonly kind: "size"; readonly type: Type; readonly size: Type }
  | { readonly kind: "cbor"; readonly type: Type }
  | { readonly kind: "choice"; readonly types: readonly Type[] };

/** Alternatives, each a sequence of entries. */
export type Group = readonly (readonly Entry[])[];

export interface Entry {
  readonly least: number;
  readonly most: number;
  readonly key?: Type;
  /** A group stands for all of its entries. */
  readonly value: Type | { readonly kind: "group"; readonly group: Group };
}

export interface Rule {
  readonly parameters: readonly string[];
  readonly value: Entry["value"];
}

const TOKEN =
  /\s*(?:;[^\n]*\s*)*(?:(h'[0-9A-Fa-f]*'|"[^"\\]*"|#6\.\d+|\/\/|=>|\.\.|\.[a-z]+|\d*\*\d*|-?\d+|[A-Za-z_$@](?:[-.]?[A-Za-z0-9_$@])*|[=?+/:,(){}[\]<>])|$)/y;

/** The rules of a text, by name. Throws an `Error` for what is not of the subset, or has no rule. */
export function parseCddl(text: string): ReadonlyMap<string, Rule> {
  const parser = new Parser(tokensOf(text));
  const rules = new Map<string, Rule>();
  while (!parser.isAtEnd) {
    const [name, rule] = parser.rule();
    if (rules.has(name)) throw new Error(`${name} has two rules`);
    rules.set(name, rule);
  }
  return rules;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`not read: ${text.slice(at, at + 40)}`);
    if (match[1] === undefined) return tokens;
    tokens.push(match[1]);
  }
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  rule(): [string, Rule] {
    const name = this.#next();
    const parameters: string[] = [];
    if (this.#takes("<")) {
      do parameters.push(this.#next());
      while (this.#takes(","));
      this.#take(">");
    }
    this.#take("=");
    return [name, { parameters, value: this.#peek() === "(" ? this.#parenthesized() : this.#type() }];
  }

  /** A group in parentheses; around one type alone it is that type. */
  #parenthesized(): Entry["value"] {
    this.#take("(");
    const group = this.#group(")");
    const [only, ...others] = group.length === 1 ? group[0]! : [];
    const isType = only && others.length === 0 && only.key === undefined && only.least === 1 && only.most === 1;
    return isType ? only.value : { kind: "group", group };
  }

  #group(close: string): Group {
    const alternatives: Entry[][] = [[]];
    while (!this.#takes(close)) {
      if (this.#takes("//")) alternatives.push([]);
      else alternatives.at(-1)!.push(this.#entry());
      this.#takes(",");
    }
    return alternatives;
  }

  #entry(): Entry {
    const [least, most] = this.#occurrence();
    if (this.#peek() === "(") return { least, most, value: this.#parenthesized() };
    const first = this.#type();
    if (this.#takes("=>")) return { least, most, key: first, value: this.#type() };
    if (!this.#takes(":")) return { least, most, value: first };
    // A bare word before a colon is a text as a key, and in an array a name without meaning.
    const key: Type = first.kind === "name" ? { kind: "literal", value: first.name } : first;
    return { least, most, key, value: this.#type() };
  }

  #occurrence(): [number, number] {
    if (this.#takes("?")) return [0, 1];
    if (this.#takes("+")) return [1, Number.POSITIVE_INFINITY];
    const bounds = /^(\d*)\*(\d*)$/.exec(this.#peek());
    if (!bounds) return [1, 1];
    this.#next();
    return [Number(bounds[1]), bounds[2] === "" ? Number.POSITIVE_INFINITY : Number(bounds[2])];
  }

  #type(): Type {
    const types = [this.#controlled()];
    while (this.#takes("/")) types.push(this.#controlled());
    return types.length === 1 ? types[0]! : { kind: "choice", types };
  }

  #controlled(): Type {
    const type = this.#ranged();
    if (this.#takes(".size")) return { kind: "size", type, size: this.#ranged() };
    if (!this.#takes(".cbor")) return type;
    if (type.kind !== "name" || type.name !== "bstr") throw new Error(".cbor is of a byte string");
    return { kind: "cbor", type: this.#ranged() };
  }

  #ranged(): Type {
    const type = this.#plain();
    if (!this.#takes("..")) return type;
    return { kind: "range", least: integerOf(type), most: integerOf(this.#plain()) };
  }

  #plain(): Type {
    const token = this.#next();
    if (token === "{") return { kind: "map", group: this.#group("}") };
    if (token === "[") return { kind: "array", group: this.#group("]") };
    if (token === "(") {
      const type = this.#type();
      this.#take(")");
      return type;
    }
    if (token.startsWith("#6.")) {
      this.#take("(");
      const type = this.#type();
      this.#take(")");
      return { kind: "tag", tag: Number(token.slice(3)), type };
    }
    if (token.startsWith("h'")) return { kind: "literal", value: bytesOf(token.slice(2, -1)) };
    if (token.startsWith('"')) return { kind: "literal", value: token.slice(1, -1) };
    if (/^-?\d+$/.test(token)) return { kind: "literal", value: BigInt(token) };
    if (!/^[A-Za-z_$@]/.test(token)) throw new Error(`${token} is no type`);
    const parameters: Type[] = [];
    if (this.#takes("<")) {
      do parameters.push(this.#type());
      while (this.#takes(","));
      this.#take(">");
    }
    return { kind: "name", name: token, parameters };
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error("the text ends in the middle of a rule");
    return token;
  }

  #takes(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  #take(token: string): void {
    const found = this.#next();
    if (found !== token) throw new Error(`${found} instead of ${token}`);
  }
}

function integerOf(type: Type): bigint {
  if (type.kind !== "literal" || typeof type.value !== "bigint") throw new Error("a range is of integers");
  return type.value;
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
