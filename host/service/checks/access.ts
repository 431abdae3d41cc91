/** Who may do what: tokens of people, keys of agents and other programs. */
import { areRoles } from "../../auth/principal.ts";
import { keyId } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { readOf } from "./read.ts";
import { found, rowsOf } from "./rows.ts";

const HASH_BYTES = 32;
const ID_BYTES = 8;

export const tokens: Check = {
  name: "tokens",
  async *run({ db }) {
    for await (const row of rowsOf(db, "tokens")) {
      if (row.hash.length !== HASH_BYTES) yield found("tokens", row, `a hash of ${row.hash.length} bytes`);
      if (hexOf(row.hash.subarray(0, ID_BYTES)) !== row.id) yield found("tokens", row, "its id is not of its hash");
      if (!hasRoles(row.roles)) yield found("tokens", row, "there are no such roles");
      if (row.expires_ms <= row.created_ms) yield found("tokens", row, "it expired before it was made");
    }
  },
};

export const clients: Check = {
  name: "clients",
  async *run({ db }) {
    for await (const row of rowsOf(db, "clients")) {
      const kid = readOf(() => keyId(row.public_key));
      if ("fault" in kid) yield found("clients", row, kid.fault);
      else if (!sameBytes(kid.value, row.kid)) yield found("clients", row, `its kid is ${hexOf(kid.value)}`);
      if (!hasRoles(row.roles)) yield found("clients", row, "there are no such roles");
    }
  },
};

function hasRoles(text: string): boolean {
  const roles = readOf(() => JSON.parse(text) as unknown);
  return "value" in roles && Array.isArray(roles.value) && areRoles(roles.value);
}
