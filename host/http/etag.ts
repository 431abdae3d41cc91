/** Entity tags and conditional requests (RFC 9110 sections 8.8.3 and 13.1.2): an agent that has it asks for little. */
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

const TAG_BYTES = 16;

/** A strong tag of these parts, of which each is a whole. */
export function entityTag(parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return `"${hash.digest("base64url").slice(0, TAG_BYTES)}"`;
}

/** Sets the headers of a cacheable answer. True: the asker has it already, and a 304 is on its way. */
export function isFresh(request: FastifyRequest, reply: FastifyReply, tag: string, cacheControl: string): boolean {
  reply.header("etag", tag).header("cache-control", cacheControl);
  const held = request.headers["if-none-match"];
  if (held === undefined || !(held.trim() === "*" || tagsOf(held).includes(tag))) return false;
  reply.code(304).send();
  return true;
}

/** Compared weakly: a `W/` says nothing here. */
function tagsOf(held: string): string[] {
  return [...held.matchAll(/(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)].map(([, tag]) => tag!);
}
