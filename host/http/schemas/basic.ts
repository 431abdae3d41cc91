/** The forms that members of the API's documents have: ids, objects, amounts, times, names. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { CLASS_KEYS } from "../../policy/classes.ts";

/** An object that has no other members than these. */
export function Closed<T extends TProperties>(properties: T, options: Record<string, unknown> = {}): TObject<T> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** A schema by the name that it has in the document. */
export function Named<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` });
}

function hexOf(bytes: number, description: string, example: string) {
  const pattern = `^[0-9a-f]{${2 * bytes}}$`;
  return { ...Type.String({ pattern, description }), examples: [example] as const };
}

export const Ueid = hexOf(
  Limit.UEID_BYTES,
  "UEID of a device (RFC 9711 section 4.2.1), in hex",
  `01${"5a".repeat(32)}`,
);
export const Kid = hexOf(Limit.KID_BYTES, "id of a key, in hex", "0123456789abcdef");
export const Digest = hexOf(Limit.DIGEST_BYTES, "SHA-256, in hex", "ab".repeat(32));
export const Nonce = hexOf(Limit.NONCE_BYTES, "nonce of 32 bytes, in hex", "0f".repeat(32));

/** Base64 has 4 characters for 3 bytes. */
const OBJECT_CHARACTERS_MAX = Math.ceil((Limit.MESSAGE_BYTES_MAX * 4) / 3);

export const OBJECT_EXAMPLE = "0oRDoQEyoQRI";

export function ObjectBytes(what: string) {
  return Type.String({
    pattern: "^[A-Za-z0-9_-]+$",
    maxLength: OBJECT_CHARACTERS_MAX,
    description: `${what}, in base64url without padding`,
    examples: [OBJECT_EXAMPLE],
  });
}

/** Decimal without leading zeros; at most `digits` of them. */
function decimal(digits: number, description: string) {
  return Type.String({ pattern: `^(?:0|[1-9][0-9]{0,${digits - 1}})$`, description, examples: ["1024"] });
}

export const U64 = decimal(20, "unsigned integer of up to 64 bits, in decimal");
export const Work = decimal(39, "operations or bytes, unsigned integer of up to 128 bits, in decimal");

export const Works = Type.Unsafe<Readonly<Partial<Record<string, string>>>>({
  $id: "Works",
  type: "object",
  properties: Object.fromEntries([...CLASS_KEYS.keys()].map((key) => [key, Work])),
  additionalProperties: false,
  description: "amounts of work by engine class",
  examples: [{ tensor_bf16: "1000000000000000" }],
});

export const EngineClassKey = Type.Unsafe<string>({
  type: "string",
  enum: [...CLASS_KEYS.keys()],
  description: "engine class",
});

export const Seconds = Type.Integer({
  minimum: 0,
  maximum: 2 ** 40,
  description: "agreement time in seconds since 1970-01-01T00:00Z",
  examples: [1_790_000_000],
});
export const Milliseconds = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "agreement time in milliseconds since 1970-01-01T00:00Z",
  examples: [1_790_000_000_000],
});
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const U32 = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 });

/** What people call an owner, a site, a model: 1 to 128 characters that no terminal acts on. */
export function Name(description: string) {
  return Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+$",
    description,
  });
}

export const Cursor = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: "^[A-Za-z0-9_-]+$",
  description: "of the page before, as it was given",
});
export const PageLimit = Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: "items of a page" });

export function Choice<const T extends readonly string[]>(values: T, description?: string) {
  return Type.Unsafe<T[number]>({ type: "string", enum: [...values], ...(description && { description }) });
}

export function PageOf<T extends TSchema>(item: T) {
  return Closed({ items: Type.Array(item), cursor: Type.Optional(Cursor) });
}
