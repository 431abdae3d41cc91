/** What people here have approved for groups, and for which orders a share of a group's key was given. */
import type { Migration } from "./migration.ts";

export const groups: Migration = {
  name: "0002-groups",
  statements: ({ text }) =>
    ["group_approvals", "group_shares"].map(
      (column) => `alter table drafts add column ${column} ${text} not null default '[]'`,
    ),
};
