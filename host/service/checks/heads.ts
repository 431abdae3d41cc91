/** Heads that were shown: each is signed by its log and says what its row does; and split views prove what they are. */
import { openCheckpoint } from "../../log/checkpoint.ts";
import { parseVkey } from "../../log/note.ts";
import { verifySplitView } from "../../log/split-view.ts";
import type { Check } from "../../store/fsck.ts";
import { sameBytes } from "../../verifier/bytes.ts";
import { splitOf } from "../log/sql-heads.ts";
import { readOf } from "./read.ts";
import { found, type RowOf, rowsOf } from "./rows.ts";

export const heads: Check = {
  name: "heads",
  async *run({ db }) {
    for await (const row of rowsOf(db, "known_heads")) {
      const read = readOf(() => openCheckpoint(row.note, parseVkey(row.log)));
      if ("fault" in read) yield found("known_heads", row, read.fault);
      else if (read.value.size !== row.size || !sameBytes(read.value.root, row.root)) {
        yield found("known_heads", row, "its note is another head's");
      }
      if (row.is_linked !== 0 && row.is_linked !== 1) yield found("known_heads", row, "it is linked or it is not");
    }
    for await (const row of rowsOf(db, "split_views")) {
      const read = readOf(() => holds(row));
      if ("fault" in read) yield found("split_views", row, read.fault);
      else if (!read.value) yield found("split_views", row, "it proves nothing");
    }
  },
};

function holds(row: RowOf<"split_views">): boolean {
  const key = parseVkey(row.log);
  const [one, other] = [openCheckpoint(row.note, key), openCheckpoint(row.other_note, key)];
  const isOf = one.size === row.size && sameBytes(one.root, row.root);
  const isOther = other.size === row.other_size && sameBytes(other.root, row.other_root);
  verifySplitView({ first: row.note, second: row.other_note, proof: splitOf(row).proof }, key);
  return isOf && isOther;
}
