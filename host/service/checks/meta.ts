/** What the verifier keeps once. */
import type { Check } from "../../store/fsck.ts";
import { NONCE_SECRET, NONCE_SECRET_BYTES } from "../create.ts";
import { found, rowsOf } from "./rows.ts";

export const meta: Check = {
  name: "meta",
  async *run({ db }) {
    for await (const row of rowsOf(db, "meta")) {
      const isSecret = row.key === NONCE_SECRET;
      if (isSecret && row.value.length !== NONCE_SECRET_BYTES) yield found("meta", row, `${row.value.length} bytes`);
    }
  },
};
