/** Whether a CBOR item is what a rule of CDDL says (RFC 8610), and if not, why. */
import { type CborMap, type CborValue, decode, Tagged } from "../../host/protocol/cbor.ts";
import { Refusal } from "../../host/protocol/refusal.ts";
import { type Entry, type Group, type Literal, parseCddl, type Rule, type Type } from "./parse.ts";

/** Types that RFC 8610 appendix D gives, as far as they are used. */
const PRELUDE: Readonly<Record<string, (value: CborValue) => boolean>> = {
  uint: (value) => isInteger(value) && value >= 0,
  bstr: (value) => value instanceof Uint8Array,
  tstr: (value) => typeof value === "string",
  bool: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

/** What is wrong, and where; nothing is. */
type Fault = string | undefined;

/** What generic parameters stand for: a type, and the parameters that hold inside it. */
type Scope = ReadonlyMap<string, { readonly type: Type; readonly scope: Scope }>;

const EMPTY: Scope = new Map();

export class Cddl {
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #named = new Set<string>();

  /** Throws an `Error` for a name that no rule explains, used or not. */
  constructor(text: string) {
    this.#rules = parseCddl(text);
    for (const [name, { parameters, value }] of this.#rules) this.#checkNames(name, value, parameters);
  }

  /** Rules that no other rule names: what there is to send. */
  get roots(): readonly string[] {
    return [...this.#rules.keys()].filter((name) => !this.#named.has(name));
  }

  /** Nothing if the item is what the rule says, else what is wrong with it. */
  faultOf(bytes: Uint8Array, rule: string): Fault {
    return this.#embedded(bytes, { kind: "name", name: rule, parameters: [] }, EMPTY);
  }

  #embedded(bytes: Uint8Array, type: Type, scope: Scope): Fault {
    let value: CborValue;
    try {
      // Whoever embeds an item bounds its length; its depth is the reader's own affair.
      value = decode(bytes, { depthMax: 16 });
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      throw error;
    }
    return this.#type(value, type, scope);
  }

  #type(value: CborValue, type: Type, scope: Scope): Fault {
    switch (type.kind) {
      case "literal":
        return isSame(value, type.value) ? undefined : `${shown(value)} is not ${shown(type.value)}`;
      case "range":
        if (isInteger(value) && value >= type.least && value <= type.most) return undefined;
        return `${shown(value)} is not ${type.least} to ${type.most}`;
      case "choice": {
        const faults = type.types.map((one) => this.#type(value, one, scope));
        return faults.includes(undefined) ? undefined : faults.join(", and ");
      }
      case "tag":
        if (!(value instanceof Tagged) || value.tag !== type.tag) return `${shown(value)} has no tag ${type.tag}`;
        return this.#type(value.value, type.type, scope);
      case "size": {
        const fault = this.#type(value, type.type, scope);
        if (fault !== undefined) return fault;
        const size = typeof value === "string" ? Buffer.byteLength(value) : (value as Uint8Array).length;
        return this.#type(size, type.size, scope) && `${shown(value)} has ${size} bytes`;
      }
      case "cbor":
        return value instanceof Uint8Array ? this.#embedded(value, type.type, scope) : `${shown(value)} is no bytes`;
      case "map":
        if (!(value instanceof Map)) return `${shown(value)} is no map`;
        return this.#map(value, type.group, scope);
      case "array":
        if (!Array.isArray(value)) return `${shown(value)} is no array`;
        return this.#array(value as readonly CborValue[], type.group, scope);
      case "name":
        return this.#name(value, type, scope);
    }
  }

  #name(value: CborValue, { name, parameters }: Type & { kind: "name" }, scope: Scope): Fault {
    const bound = scope.get(name);
    if (bound) return this.#type(value, bound.type, bound.scope);
    const rule = this.#rules.get(name);
    if (!rule) return PRELUDE[name]!(value) ? undefined : `${shown(value)} is no ${name}`;
    if (rule.value.kind === "group") throw new Error(`${name} is a group where a type must be`);
    const inner = new Map(rule.parameters.map((parameter, i) => [parameter, { type: parameters[i]!, scope }]));
    const fault = this.#type(value, rule.value, inner);
    return fault && `${name}: ${fault}`;
  }

  /** Every entry of the map must be taken, by one of the alternatives of the group. */
  #map(map: CborMap, group: Group, scope: Scope): Fault {
    const faults: string[] = [];
    for (const left of this.#takeGroup(new Map(map), group, scope, faults)) {
      if (left.size === 0) return undefined;
      faults.push(`${[...left.keys()].map(shown).join(", ")} is too much`);
    }
    return faults.join("; ");
  }

  /** What is left of the entries after the group took its own, for each of its alternatives that fits. */
  *#takeGroup(entries: CborMap, group: Group, scope: Scope, faults: string[]): Generator<CborMap> {
    for (const alternative of group) yield* this.#takeAll(entries, alternative, scope, faults);
  }

  *#takeAll(entries: CborMap, wanted: readonly Entry[], scope: Scope, faults: string[]): Generator<CborMap> {
    const [first, ...rest] = wanted;
    if (!first) {
      yield entries;
      return;
    }
    for (const left of this.#take(entries, first, scope, faults)) yield* this.#takeAll(left, rest, scope, faults);
  }

  *#take(entries: CborMap, entry: Entry, scope: Scope, faults: string[]): Generator<CborMap> {
    const group = this.#groupOf(entry);
    if (group) {
      if (entry.least !== 1 || entry.most !== 1) throw new Error("a group with an occurrence is not of this subset");
      yield* this.#takeGroup(entries, group, scope, faults);
      return;
    }
    if (!entry.key) throw new Error("a member of a map has a key");
    const left = new Map(entries);
    let taken = 0;
    for (const [key, value] of entries) {
      if (taken === entry.most || this.#type(key, entry.key, scope) !== undefined) continue;
      const fault = this.#type(value, entry.value as Type, scope);
      if (fault !== undefined) {
        faults.push(`${shown(key)}: ${fault}`);
        return;
      }
      left.delete(key);
      taken += 1;
    }
    if (taken >= entry.least) yield left;
    else faults.push(`${taken} of ${entry.key.kind === "literal" ? shown(entry.key.value) : "a member"}`);
  }

  #array(items: readonly CborValue[], group: Group, scope: Scope): Fault {
    const faults: string[] = [];
    for (const alternative of group) {
      for (const end of this.#sequence(items, 0, alternative, scope, faults)) {
        if (end === items.length) return undefined;
        faults.push(`${items.length - end} items too many`);
      }
    }
    return faults.join("; ");
  }

  /** Where the entries may end that begin at an item. */
  *#sequence(
    items: readonly CborValue[],
    start: number,
    wanted: readonly Entry[],
    scope: Scope,
    faults: string[],
  ): Generator<number> {
    const [first, ...rest] = wanted;
    if (!first) {
      yield start;
      return;
    }
    if (this.#groupOf(first)) throw new Error("a group in an array is not of this subset");
    let end = start;
    while (end - start < first.most && end < items.length) {
      const fault = this.#type(items[end]!, first.value as Type, scope);
      if (fault !== undefined) {
        faults.push(`item ${end}: ${fault}`);
        break;
      }
      end += 1;
    }
    if (end - start < first.least) faults.push(`${end - start} items instead of ${first.least}`);
    for (; end - start >= first.least; end -= 1) yield* this.#sequence(items, end, rest, scope, faults);
  }

  /** The group that an entry stands for; undefined if it is a type. */
  #groupOf({ value, key }: Entry): Group | undefined {
    if (value.kind === "group") return value.group;
    if (value.kind !== "name" || key) return undefined;
    const named = this.#rules.get(value.name)?.value;
    return named?.kind === "group" ? named.group : undefined;
  }

  #checkNames(rule: string, value: Entry["value"], parameters: readonly string[]): void {
    if (value.kind === "name") {
      const { name } = value;
      this.#named.add(name);
      const isKnown = parameters.includes(name) || name in PRELUDE || this.#rules.has(name);
      if (!isKnown) throw new Error(`${rule} names ${name}, which has no rule`);
      const wanted = this.#rules.get(name)?.parameters.length ?? 0;
      if (value.parameters.length !== wanted) throw new Error(`${rule}: ${name} has ${wanted} parameters`);
    }
    for (const part of partsOf(value)) this.#checkNames(rule, part, parameters);
  }
}

function partsOf(value: Entry["value"]): readonly Entry["value"][] {
  switch (value.kind) {
    case "name":
      return value.parameters;
    case "choice":
      return value.types;
    case "size":
      return [value.type, value.size];
    case "tag":
    case "cbor":
      return [value.type];
    case "map":
    case "array":
    case "group":
      return value.group.flat().flatMap((entry) => (entry.key ? [entry.key, entry.value] : [entry.value]));
    default:
      return [];
  }
}

function isInteger(value: CborValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function isSame(value: CborValue, literal: Literal): boolean {
  if (literal instanceof Uint8Array) return value instanceof Uint8Array && Buffer.compare(value, literal) === 0;
  return isInteger(value) && typeof literal === "bigint" ? BigInt(value) === literal : value === literal;
}

function shown(value: CborValue | Literal): string {
  if (value instanceof Uint8Array) return `h'${Buffer.from(value).subarray(0, 8).toString("hex")}'`;
  if (value instanceof Map) return "a map";
  if (value instanceof Tagged) return `a tag ${value.tag}`;
  if (Array.isArray(value)) return "an array";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
