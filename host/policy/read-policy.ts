/** Reads a policy from JSON, strictly: every field by its type and bounds, nothing unknown, each error with its field. */
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { CLASS_KEYS, classKeyOf, isByteClass } from "./classes.ts";
import { COUNTING_RULES } from "./counting.ts";
import { PolicyError } from "./errors.ts";
import { CAP_SCOPES, type FixedSets, POLICY_FORMAT, type Policy, type PolicyCap, type WorkProfile } from "./policy.ts";
import { parseQuantity, type QuantityKind, quantityText } from "./quantity.ts";

/** Longest document, in characters. */
const DOCUMENT_CHARACTERS_MAX = 1_048_576;
const NAME_CHARACTERS_MAX = 64;
const TEXT_CHARACTERS_MAX = 400;
const CAPS_MAX = 64;
const PEER_SETS_MAX = 64;
const SET_BOARDS_MAX = 1024;
const PERMILLE_MAX = 1000n;
/** A hundred years: longer periods are "ever". */
const SECONDS_MAX = 3_155_695_200n;
const TICKS_MAX = 2n ** 56n;
const BOARDS_MAX = 10n ** 9n;
const OFFLINE_LICENSES_MAX = 1024n;
/** One work quantity of the drain and one rate fit the governor's 64 bits. */
const U64_MAX = 2n ** 64n - 1n;

/** One JSON object, whose fields are taken one by one. */
class Fields {
  readonly #left: Map<string, unknown>;
  readonly #at: string;

  constructor(value: unknown, at: string) {
    this.#at = at;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new PolicyError("policy/field", at === "" ? "policy" : at, value, "must be an object");
    }
    this.#left = new Map(Object.entries(value));
  }

  path(field: string): string {
    return this.#at === "" ? field : `${this.#at}.${field}`;
  }

  take(field: string): unknown {
    const value = this.#left.get(field);
    this.#left.delete(field);
    return value;
  }

  refuse(field: string, value: unknown, allowed: string): never {
    throw new PolicyError("policy/field", this.path(field), value, allowed);
  }

  end(): void {
    for (const [field, value] of this.#left) this.refuse(field, value, "no such field here");
  }

  keys(): string[] {
    return [...this.#left.keys()];
  }

  text(field: string, charactersMax: number): string | undefined {
    const value = this.take(field);
    if (value === undefined) return undefined;
    // Control characters would let a document write over the terminal that shows it.
    const printable = typeof value === "string" && /^[^\p{Cc}\p{Cf}]+$/u.test(value) && value.length <= charactersMax;
    return printable
      ? (value as string)
      : this.refuse(field, value, `must be 1 to ${charactersMax} printable characters`);
  }

  oneOf<T extends string>(field: string, allowed: readonly T[]): T {
    const value = this.take(field);
    const found = allowed.find((name) => name === value);
    return found ?? this.refuse(field, value, `must be one of ${allowed.join(", ")}`);
  }

  flag(field: string): boolean | undefined {
    const value = this.take(field);
    if (value !== undefined && typeof value !== "boolean") this.refuse(field, value, "must be true or false");
    return value as boolean | undefined;
  }

  /** A whole number of JSON. */
  count(field: string, min: bigint, max: bigint): bigint | undefined {
    const value = this.take(field);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || BigInt(value) < min || BigInt(value) > max) {
      this.refuse(field, value, `must be a whole number from ${min} to ${max}`);
    }
    return BigInt(value as number);
  }

  quantity(field: string, kind: QuantityKind, min: bigint, max?: bigint): bigint | undefined {
    const value = this.take(field);
    if (value === undefined) return undefined;
    if (typeof value !== "string") this.refuse(field, value, `must be a text such as "${EXAMPLE_TEXTS[kind]}"`);
    const quantity = parseQuantity(value as string, kind, this.path(field));
    if (quantity < min || (max !== undefined && quantity > max)) {
      const most = max === undefined ? "" : ` and at most ${quantityText(max, kind)}`;
      this.refuse(field, value, `must be at least ${quantityText(min, kind)}${most}`);
    }
    return quantity;
  }

  list<T>(field: string, itemsMax: number, read: (value: unknown, at: string) => T): T[] | undefined {
    const value = this.take(field);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length < 1 || value.length > itemsMax) {
      this.refuse(field, Array.isArray(value) ? value.length : value, `must be a list of 1 to ${itemsMax} items`);
    }
    return (value as unknown[]).map((item, i) => read(item, `${this.path(field)}[${i}]`));
  }

  byClass(field: string, rates: boolean, max?: bigint): Map<EngineClass, bigint> | undefined {
    const value = this.take(field);
    if (value === undefined) return undefined;
    const fields = new Fields(value, this.path(field));
    return new Map(
      fields.keys().map((key) => {
        const engineClass = CLASS_KEYS.get(key);
        if (engineClass === undefined) fields.refuse(key, value, `no such class: ${[...CLASS_KEYS.keys()].join(", ")}`);
        const kind = isByteClass(engineClass!) ? "bytes" : "operations";
        return [engineClass!, fields.quantity(key, rates ? `${kind}PerSecond` : kind, rates ? 1n : 0n, max)!];
      }),
    );
  }
}

const EXAMPLE_TEXTS: Readonly<Record<QuantityKind, string>> = {
  operations: "1e18FLOP",
  bytes: "1GB",
  seconds: "15min",
  ticks: "900000",
  operationsPerSecond: "1e15FLOP/s",
  bytesPerSecond: "450GB/s",
};

/** The policy of a JSON document. Throws a `PolicyError`. */
export function readPolicy(text: string): Policy {
  if (text.length > DOCUMENT_CHARACTERS_MAX) {
    throw new PolicyError("policy/document", "policy", text.length, `has over ${DOCUMENT_CHARACTERS_MAX} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PolicyError("policy/document", "policy", text, "must be a JSON document");
  }
  return policyOf(value);
}

function policyOf(value: unknown): Policy {
  const fields = new Fields(value, "");
  fields.oneOf("format", [POLICY_FORMAT]);
  const policy: Policy = {
    name: fields.text("name", NAME_CHARACTERS_MAX) ?? fields.refuse("name", undefined, "must be given"),
    title: fields.text("title", TEXT_CHARACTERS_MAX),
    source: fields.text("source", TEXT_CHARACTERS_MAX),
    counting: fields.oneOf("counting", COUNTING_RULES),
    budgetMax: fields.byClass("budgetMax", false),
    operationsMax: fields.quantity("operationsMax", "operations", 0n),
    licenseSecondsMax: fields.quantity("licenseSecondsMax", "seconds", 1n, SECONDS_MAX),
    licenseTicksMax: fields.quantity("licenseTicksMax", "ticks", 1n, TICKS_MAX),
    renewalMarginPermille: fields.count("renewalMarginPermille", 0n, PERMILLE_MAX),
    rateMaxPerSecond: fields.byClass("rateMaxPerSecond", true, U64_MAX),
    drainMax: fields.byClass("drainMax", false, U64_MAX),
    baselinePermilleMax: fields.count("baselinePermilleMax", 0n, PERMILLE_MAX),
    offlineLicensesMax: fields.count("offlineLicensesMax", 0n, OFFLINE_LICENSES_MAX),
    cohortLicenses: fields.flag("cohortLicenses"),
    caps: fields.list("caps", CAPS_MAX, capOf),
    fixedSets: fixedSetsOf(fields),
    profiles: fields.list("profiles", 2, profileOf),
  };
  fields.end();
  const names = policy.profiles?.map(({ name }) => name) ?? [];
  if (new Set(names).size < names.length) fields.refuse("profiles", names, "each profile may be given once");
  if (policy.cohortLicenses && policy.offlineLicensesMax === 0n) {
    fields.refuse("cohortLicenses", true, "a cohort's license is offline, and offlineLicensesMax is 0");
  }
  return policy;
}

function capOf(value: unknown, at: string): PolicyCap {
  const fields = new Fields(value, at);
  const cap: PolicyCap = {
    per: fields.oneOf("per", CAP_SCOPES),
    name: fields.text("name", NAME_CHARACTERS_MAX),
    boardsMax: fields.count("boardsMax", 0n, BOARDS_MAX),
    operationsMax: fields.quantity("operationsMax", "operations", 0n),
    periodSeconds: fields.quantity("periodSeconds", "seconds", 1n, SECONDS_MAX),
  };
  fields.end();
  if (cap.boardsMax === undefined && cap.operationsMax === undefined) {
    fields.refuse("boardsMax", undefined, "a cap needs boardsMax or operationsMax");
  }
  if (cap.periodSeconds !== undefined && cap.operationsMax === undefined) {
    fields.refuse("periodSeconds", Number(cap.periodSeconds), "a period goes with operationsMax only");
  }
  if (cap.per === "fleet" && cap.name !== undefined)
    fields.refuse("name", cap.name, "there is one fleet, without a name");
  return cap;
}

function fixedSetsOf(fields: Fields): FixedSets | undefined {
  const value = fields.take("fixedSets");
  if (value === undefined) return undefined;
  const inner = new Fields(value, "fixedSets");
  const seen = new Set<string>();
  const sets: FixedSets = {
    boardsTogetherMax: inner.count("boardsTogetherMax", 1n, BOARDS_MAX),
    peerSets: inner.list("peerSets", PEER_SETS_MAX, (item, at) => {
      const set = new Fields(item, at);
      const name = set.text("name", NAME_CHARACTERS_MAX) ?? set.refuse("name", undefined, "must be given");
      const ueids = set.list("ueids", SET_BOARDS_MAX, (ueid, ueidAt) => ueidOf(ueid, ueidAt, seen));
      set.end();
      return { name, ueids: ueids ?? set.refuse("ueids", undefined, "must be given") };
    }),
  };
  inner.end();
  return sets;
}

function ueidOf(value: unknown, at: string, seen: Set<string>): string {
  if (typeof value !== "string" || !/^[0-9a-f]{66}$/.test(value)) {
    throw new PolicyError("policy/field", at, value, "must be a UEID: 66 lower-case hex digits");
  }
  if (seen.has(value)) throw new PolicyError("policy/field", at, value, "a board may be in one peer set only");
  seen.add(value);
  return value;
}

function profileOf(value: unknown, at: string): WorkProfile {
  const fields = new Fields(value, at);
  const profile: WorkProfile = {
    name: fields.oneOf("name", ["training", "inference"]),
    classes:
      fields.list("classes", CLASS_KEYS.size, (key, keyAt) => {
        const engineClass = typeof key === "string" ? CLASS_KEYS.get(key) : undefined;
        if (engineClass !== undefined) return engineClass;
        throw new PolicyError("policy/field", keyAt, key, `must be one of ${[...CLASS_KEYS.keys()].join(", ")}`);
      }) ?? fields.refuse("classes", undefined, "must be given"),
    linkBytesMax: fields.quantity("linkBytesMax", "bytes", 0n),
  };
  fields.end();
  return profile;
}

/** The document of a policy, as `readPolicy` reads it back. */
export function policyDocument(policy: Policy): Record<string, unknown> {
  const amounts = (work: ReadonlyMap<EngineClass, bigint> | undefined, rates = false) =>
    work &&
    Object.fromEntries(
      [...work].map(([engineClass, amount]) => {
        const kind = isByteClass(engineClass) ? "bytes" : "operations";
        return [classKeyOf(engineClass), quantityText(amount, rates ? `${kind}PerSecond` : kind)];
      }),
    );
  const text = (value: bigint | undefined, kind: QuantityKind) =>
    value === undefined ? undefined : quantityText(value, kind);
  const count = (value: bigint | undefined) => (value === undefined ? undefined : Number(value));
  return withoutGaps({
    format: POLICY_FORMAT,
    ...policy,
    budgetMax: amounts(policy.budgetMax),
    operationsMax: text(policy.operationsMax, "operations"),
    licenseSecondsMax: text(policy.licenseSecondsMax, "seconds"),
    licenseTicksMax: text(policy.licenseTicksMax, "ticks"),
    renewalMarginPermille: count(policy.renewalMarginPermille),
    rateMaxPerSecond: amounts(policy.rateMaxPerSecond, true),
    drainMax: amounts(policy.drainMax),
    baselinePermilleMax: count(policy.baselinePermilleMax),
    offlineLicensesMax: count(policy.offlineLicensesMax),
    caps: policy.caps?.map((cap) =>
      withoutGaps({
        ...cap,
        boardsMax: count(cap.boardsMax),
        operationsMax: text(cap.operationsMax, "operations"),
        periodSeconds: text(cap.periodSeconds, "seconds"),
      }),
    ),
    fixedSets:
      policy.fixedSets &&
      withoutGaps({ ...policy.fixedSets, boardsTogetherMax: count(policy.fixedSets.boardsTogetherMax) }),
    profiles: policy.profiles?.map((profile) =>
      withoutGaps({
        ...profile,
        classes: profile.classes.map(classKeyOf),
        linkBytesMax: text(profile.linkBytesMax, "bytes"),
      }),
    ),
  });
}

function withoutGaps(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}
