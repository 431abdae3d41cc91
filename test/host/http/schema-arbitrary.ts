/** Values that a JSON schema of the OpenAPI document admits, and whether a value is one: as a client reads it. */
import fc from "fast-check";

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly minProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

export type Schemas = Readonly<Record<string, Schema>>;

/** Of a list that is not bounded otherwise. */
const ITEMS = 4;

export function arbitraryOf(schema: Schema, schemas: Schemas): fc.Arbitrary<unknown> {
  const { type, enum: values, items, properties = {}, required = [], anyOf } = resolved(schema, schemas);
  if (anyOf) return fc.oneof(...anyOf.map((one) => arbitraryOf(one, schemas)));
  if (values) return fc.constantFrom(...values);
  if (type === "integer") return integerOf(resolved(schema, schemas));
  if (type === "string") return textOf(resolved(schema, schemas));
  if (type === "array") {
    const { minItems = 0, maxItems = ITEMS, uniqueItems } = resolved(schema, schemas);
    const bounds = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, ITEMS)) };
    const item = arbitraryOf(items!, schemas);
    return uniqueItems ? fc.uniqueArray(item, bounds) : fc.array(item, bounds);
  }
  if (type !== "object") throw new Error(`no value is made of ${JSON.stringify(schema)}`);
  const { minProperties = 0 } = resolved(schema, schemas);
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, arbitraryOf(member, schemas)]),
  );
  return fc
    .record(members, { requiredKeys: [...required] })
    .filter((value) => Object.keys(value).length >= minProperties);
}

function integerOf({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(minimum, maximum),
    // Within a narrow range hardly any number at random is.
    fc.bigInt({ min: BigInt(minimum), max: BigInt(maximum) }).map(Number),
    fc.integer({ min: minimum, max: Math.min(maximum, 2 ** 31 - 1) }),
  );
}

function textOf({ pattern, minLength = 0, maxLength = 128 }: Schema): fc.Arbitrary<string> {
  if (pattern === undefined)
    return fc.string({ minLength, maxLength, unit: "grapheme" }).filter((text) => text.length <= maxLength);
  const isFit = (text: string) => text.length >= minLength && text.length <= maxLength;
  // What is an object in base64url: of texts at random few are the one form of their bytes.
  if (pattern === "^[A-Za-z0-9_-]+$" && maxLength > 1000) {
    return fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString("base64url"));
  }
  // Classes of what is excluded are beyond what can be generated from a pattern.
  if (pattern.startsWith("^[^")) {
    return fc.string({ minLength, maxLength: 20 }).filter((text) => isFit(text) && new RegExp(pattern, "u").test(text));
  }
  return fc.stringMatching(new RegExp(pattern)).filter(isFit);
}

/** Why the value is none that the schema admits; undefined if it is one. */
export function misfit(schema: Schema, value: unknown, schemas: Schemas, at = "$"): string | undefined {
  const known = resolved(schema, schemas);
  for (const part of known.allOf ?? []) {
    const found = misfit(part, value, schemas, at);
    if (found) return found;
  }
  if (known.anyOf?.every((part) => misfit(part, value, schemas, at))) return `${at} is none of its forms`;
  if (known.enum && !known.enum.includes(value)) return `${at} is ${JSON.stringify(value)}`;
  if (known.type === undefined) return undefined;
  if (known.type === "object") return objectMisfit(known, value, schemas, at);
  if (known.type === "array") {
    if (!Array.isArray(value)) return `${at} is no list`;
    return value.map((item, i) => misfit(known.items ?? {}, item, schemas, `${at}[${i}]`)).find(Boolean);
  }
  if (known.type === "string") {
    if (typeof value !== "string") return `${at} is no text`;
    return known.pattern && !new RegExp(known.pattern, "u").test(value) ? `${at} is ${value}` : undefined;
  }
  if (known.type === "boolean") return typeof value === "boolean" ? undefined : `${at} is no flag`;
  if (typeof value !== "number" || (known.type === "integer" && !Number.isInteger(value))) return `${at} is no number`;
  const { minimum = value, maximum = value } = known;
  return value < minimum || value > maximum ? `${at} is ${value}` : undefined;
}

function objectMisfit(schema: Schema, value: unknown, schemas: Schemas, at: string): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `${at} is no object`;
  const members = value as Record<string, unknown>;
  const missing = schema.required?.find((name) => !(name in members));
  if (missing) return `${at} lacks ${missing}`;
  for (const [name, member] of Object.entries(members)) {
    const known = schema.properties?.[name];
    if (known === undefined && schema.additionalProperties === false) return `${at} has ${name}`;
    const found = known && misfit(known, member, schemas, `${at}.${name}`);
    if (found) return found;
  }
  return undefined;
}

function resolved(schema: Schema, schemas: Schemas): Schema {
  if (schema.$ref === undefined) return schema;
  return schemas[schema.$ref.replace("#/components/schemas/", "")]!;
}
