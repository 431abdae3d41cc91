/** The transparency log: its entries and tree, the subjects of its index, and the heads that were signed. */
import type { Migration } from "./migration.ts";

export const log: Migration = {
  name: "0003-log",
  statements: ({ integer, bytes, text, end, endByKey, endUpdated }) => [
    `create table log_state (
      id ${integer} primary key check (id = 1), size ${integer} not null, root ${bytes} not null
    )${endUpdated}`,

    `create table log_entries (
      leaf ${integer} primary key, digest ${bytes} unique, type ${integer},
      entry ${bytes} not null, message ${bytes}, salt ${bytes}
    )${end}`,

    `create table log_tiles (
      level ${integer} not null, tile ${integer} not null, bytes ${bytes} not null,
      primary key (level, tile)
    )${endUpdated}`,

    `create table log_subjects (
      key ${bytes} primary key, count ${integer} not null, head ${bytes} not null
    )${endByKey}`,

    `create table log_heads (
      size ${integer} primary key, root ${bytes} not null,
      origin ${text} not null, public_key ${bytes} not null,
      signature ${bytes} not null, receipt ${bytes} not null, published_ms ${integer} not null
    )${end}`,

    `create table log_cosignatures (
      size ${integer} not null references log_heads (size), witness ${bytes} not null, name ${text} not null,
      seconds ${integer} not null, signature ${bytes} not null,
      primary key (size, witness)
    )${endByKey}`,
  ],
};
