/** Heads of logs that were shown here, and split views: two heads that no one log can have. */
import type { Migration } from "./migration.ts";

export const heads: Migration = {
  name: "0004-heads",
  statements: ({ identity, integer, bytes, text, end, endByKey }) => [
    `create table known_heads (
      log ${text} not null, size ${integer} not null, root ${bytes} not null, note ${text} not null,
      is_linked ${integer} not null, seen_ms ${integer} not null,
      primary key (log, size)
    )${endByKey}`,

    `create table split_views (
      id ${identity}, log ${text} not null,
      size ${integer} not null, root ${bytes} not null, note ${text} not null,
      other_size ${integer} not null, other_root ${bytes} not null, other_note ${text} not null,
      proof ${bytes} not null, found_ms ${integer} not null,
      unique (log, size, root, other_size, other_root)
    )${end}`,
  ],
};
