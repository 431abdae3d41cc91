/** `Content-Digest`, RFC 9530: SHA-256 or SHA-512 of a request's body as it is sent. */
import { AuthError } from "./errors.ts";
import { isInnerList, itemText, parseDictionary } from "./fields.ts";
import { type AuthRequest, bodyDigest } from "./request.ts";

export const CONTENT_DIGEST = "content-digest";

/** RFC 9530 section 5: the two algorithms that are not deprecated. */
const ALGORITHMS = new Map([
  ["sha-256", { hash: "sha256", lengthBytes: 32 }],
  ["sha-512", { hash: "sha512", lengthBytes: 64 }],
] as const);

export function contentDigest(request: AuthRequest): string {
  return `sha-256=${itemText({ value: bodyDigest(request, "sha256"), parameters: new Map() })}`;
}

/** Every digest that is named must be the body's. An algorithm that is not known here is refused, never passed over. */
export function checkContentDigest(text: string, request: AuthRequest): void {
  for (const [key, member] of parseDictionary(text, CONTENT_DIGEST)) {
    const algorithm = (ALGORITHMS as ReadonlyMap<string, { hash: "sha256" | "sha512"; lengthBytes: number }>).get(key);
    if (algorithm === undefined) throw new AuthError("auth/digest-algorithm", key);
    if (isInnerList(member) || !(member.value instanceof Uint8Array) || member.parameters.size > 0) {
      throw new AuthError("auth/field-type", `${CONTENT_DIGEST}, ${key}`);
    }
    if (member.value.length !== algorithm.lengthBytes) throw new AuthError("auth/digest-length", key);
    if (Buffer.compare(member.value, bodyDigest(request, algorithm.hash)) !== 0) throw new AuthError("auth/digest");
  }
}
