/**
 * JSON held against a TypeBox schema: every wrong field is noted with its path, its value and what is allowed, and what is
 * left out is filled in from the schema's defaults. Schemas are read as the JSON Schema that they are; a keyword that is not
 * understood here is a mistake of the schema and throws, so that none is passed over.
 */
import type { TSchema } from "@sinclair/typebox";
import { jsonText, shown } from "../../host/policy/errors.ts";
import type { Json } from "../study.ts";
import { nearestText } from "./nearest.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about what is allowed. `allowed` is ours: the words for a refusal. */
const SILENT = ["title", "description", "examples", "default", "$id", "allowed", "unit"];
const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  string: ["minLength", "maxLength", "pattern", "enum"],
  boolean: [],
  null: [],
  array: ["items", "minItems", "maxItems", "uniqueItems"],
  object: ["properties", "required", "additionalProperties", "patternProperties"],
};

/** The value with defaults filled in; mistakes are added to `mistakes`, and then the value is worth nothing. */
export function checked(schema: TSchema, value: unknown, path: string, mistakes: string[]): Json {
  return new Checker(mistakes).value(schema as Schema, value, path);
}

class Checker {
  readonly #mistakes: string[];

  constructor(mistakes: string[]) {
    this.#mistakes = mistakes;
  }

  value(schema: Schema, given: unknown, path: string): Json {
    const value = given === undefined ? structuredClone(schema.default) : given;
    if (Array.isArray(schema.anyOf)) return this.#oneOf(schema, schema.anyOf as Schema[], value, path);
    checkKeywords(schema);
    if (value === undefined && schema.type === "object") return this.#object(schema, {}, path);
    if (!isOfType(schema, value)) return this.#refuse(schema, value, path);
    const refused = isInBounds(schema, value) ? undefined : this.#refuse(schema, value, path);
    if (Array.isArray(value) && schema.items !== undefined) {
      // Of a list that is wrong as a whole, what is wrong in it is told too.
      const items = value.map((item, i) => this.value(schema.items as Schema, item, `${path}[${i}]`));
      return refused === undefined ? items : refused;
    }
    if (refused !== undefined) return refused;
    if (schema.type === "object") return this.#object(schema, value as Record<string, unknown>, path);
    return value as Json;
  }

  #object(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): Json {
    const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
    const required = (schema.required ?? []) as readonly string[];
    const filled: [string, Json][] = [];
    for (const [name, inner] of Object.entries(properties)) {
      const isGiven = Object.hasOwn(value, name);
      if (!isGiven && !required.includes(name) && inner.default === undefined) continue;
      filled.push([name, this.value(inner, isGiven ? value[name] : undefined, join(path, name))]);
    }
    for (const [name, inner] of Object.entries(value)) {
      if (Object.hasOwn(properties, name)) continue;
      const other = otherProperty(schema, name);
      if (other) filled.push([name, this.value(other, inner, join(path, name))]);
      else
        this.#note(join(path, name), inner, `there is no such field here${nearestText(name, Object.keys(properties))}`);
    }
    return Object.fromEntries(filled);
  }

  /** Of variants, that which the value seems to be is held against it. */
  #oneOf(schema: Schema, variants: readonly Schema[], value: unknown, path: string): Json {
    for (const variant of variants) {
      const mistakes: string[] = [];
      const filled = new Checker(mistakes).value(variant, value, path);
      if (mistakes.length === 0) return filled;
    }
    const alike = variants.filter((variant) => isAlike(variant, value));
    return alike.length === 1 && schema.allowed === undefined
      ? this.value(alike[0]!, value, path)
      : this.#refuse(schema, value, path);
  }

  #refuse(schema: Schema, value: unknown, path: string): Json {
    return this.#note(path, value, allowedText(schema));
  }

  #note(path: string, value: unknown, allowed: string): Json {
    this.#mistakes.push(mistake(path, value, allowed));
    return null;
  }
}

/** One line: where, what stands there, what is allowed. */
export function mistake(path: string, value: unknown, allowed: string): string {
  return `${path === "" ? "scenario" : path}: ${shown(value)}: ${allowed}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** A field that the schema has by its form, not by its name, as records have them. */
function otherProperty(schema: Schema, name: string): Schema | undefined {
  for (const [pattern, inner] of Object.entries((schema.patternProperties ?? {}) as Record<string, Schema>)) {
    if (new RegExp(pattern, "u").test(name)) return inner;
  }
  return typeof schema.additionalProperties === "object" ? (schema.additionalProperties as Schema) : undefined;
}

function checkKeywords(schema: Schema): void {
  const type = schema.type as string | undefined;
  const known = type === undefined ? ["const", "enum"] : ["type", "const", ...(BY_TYPE[type] ?? [])];
  const unknown = Object.keys(schema).find((name) => !known.includes(name) && !SILENT.includes(name));
  if (unknown !== undefined) throw new Error(`a schema of type ${type} has "${unknown}", which is not understood here`);
}

function isOfType({ type }: Schema, value: unknown): boolean {
  if (value === undefined) return false;
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "number") return typeof value === "number" && Number.isFinite(value);
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return type === undefined || typeof value === type;
}

function isInBounds(schema: Schema, value: unknown): boolean {
  if ("const" in schema && schema.const !== value) return false;
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) return false;
  const bound = (name: string, otherwise: number) => (schema[name] as number | undefined) ?? otherwise;
  if (typeof value === "number") {
    const isMultiple = schema.multipleOf === undefined || value % (schema.multipleOf as number) === 0;
    const isAbove = value >= bound("minimum", -Infinity) && !(value <= bound("exclusiveMinimum", NaN));
    return isMultiple && isAbove && value <= bound("maximum", Infinity) && !(value >= bound("exclusiveMaximum", NaN));
  }
  if (typeof value === "string") {
    const fits = value.length >= bound("minLength", 0) && value.length <= bound("maxLength", Infinity);
    return fits && (schema.pattern === undefined || new RegExp(schema.pattern as string, "u").test(value));
  }
  if (Array.isArray(value)) {
    const isUnique = !schema.uniqueItems || new Set(value.map(jsonText)).size === value.length;
    return isUnique && value.length >= bound("minItems", 0) && value.length <= bound("maxItems", Infinity);
  }
  return true;
}

/** Of the same type, and where the variants are told apart by a constant field, with this constant. */
function isAlike(variant: Schema, value: unknown): boolean {
  if ("const" in variant || !isOfType(variant, value)) return false;
  if (variant.type !== "object") return true;
  const properties = Object.entries((variant.properties ?? {}) as Record<string, Schema>);
  return properties.every(([name, inner]) => !("const" in inner) || inner.const === (value as Schema)[name]);
}

/** `must be a whole number from 1 to 86400`. */
function allowedText(schema: Schema): string {
  return typeof schema.allowed === "string" ? schema.allowed : `must be ${whatText(schema)}`;
}

/** What a value may be: `a whole number from 1 to 86400`. */
export function whatText(schema: Schema): string {
  if (Array.isArray(schema.anyOf)) {
    const variants = schema.anyOf as Schema[];
    const values = variants.flatMap((one) => ("const" in one ? [plain(one.const)] : ((one.enum as string[]) ?? [])));
    const others = variants.filter((one) => !("const" in one) && !one.enum).map(whatText);
    if (values.length === 0) return [...new Set(others)].join(", or ");
    return [values.length === 1 ? values[0] : `one of ${values.join(", ")}`, ...others].join(", or ");
  }
  if ("const" in schema) return plain(schema.const);
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.map(plain).join(", ")}`;
  switch (schema.type) {
    case "integer":
      return `a whole number${rangeText(schema)}`;
    case "number":
      return `a ${isBounded(schema) ? "" : "finite "}number${rangeText(schema)}`;
    case "boolean":
      return "true or false";
    case "string":
      return textText(schema);
    case "array":
      return `a list of ${countText(schema.minItems, schema.maxItems)}${schema.uniqueItems ? "different " : ""}items`;
    default:
      return schema.type === "object" ? `an object${namesText(schema)}` : `${schema.type}`;
  }
}

function isBounded({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Schema): boolean {
  return (minimum ?? exclusiveMinimum) !== undefined && (maximum ?? exclusiveMaximum) !== undefined;
}

function rangeText(schema: Schema): string {
  const low = schema.minimum !== undefined ? `${schema.minimum}` : undefined;
  const above = schema.exclusiveMinimum !== undefined ? `above ${schema.exclusiveMinimum}` : undefined;
  const below = schema.exclusiveMaximum !== undefined ? `below ${schema.exclusiveMaximum}` : undefined;
  const step = schema.multipleOf === undefined ? "" : `, a multiple of ${schema.multipleOf}`;
  if (low !== undefined && schema.maximum !== undefined) return ` from ${low} to ${schema.maximum}${step}`;
  const parts = [
    low && `of at least ${low}`,
    above,
    schema.maximum !== undefined && `at most ${schema.maximum}`,
    below,
  ];
  const text = parts.filter(Boolean).join(" and ");
  return `${text === "" ? "" : ` ${text}`}${step}`;
}

function textText(schema: Schema): string {
  const length = countText(schema.minLength, schema.maxLength);
  const form = schema.pattern === undefined ? "" : ` of the form ${schema.pattern}`;
  return length === "" ? `a text${form}` : `a text of ${length}characters${form}`;
}

/** `1 to 64 `. */
function countText(min: unknown, max: unknown): string {
  if (max === undefined) return min === undefined ? "" : `at least ${min} `;
  return `${min ?? 0} to ${max} `;
}

function namesText(schema: Schema): string {
  const names = Object.keys((schema.properties ?? {}) as object);
  return names.length === 0 ? "" : ` with ${names.join(", ")}`;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
