/**
 * The tables once more, for code that treats all alike: the kind of each column and the primary key. Those that others
 * refer to come first. tables.ts has the types; the two cannot differ, and a test compares both engines with this.
 */
import type { Tables } from "./tables.ts";

export type ColumnKind = "integer" | "bytes" | "text";
export type TableName = keyof Tables;

interface TableShape<Row> {
  readonly key: readonly (keyof Row & string)[];
  readonly columns: { readonly [C in keyof Row & string]: ColumnKind };
}

// biome-ignore format: a table, one row a table
export const TABLES = {
  meta: { key: ["key"], columns: { key: "text", value: "bytes" } },
  state: { key: ["id"], columns: { id: "integer", version: "integer" } },
  agreements: { key: ["version"], columns: { version: "integer", digest: "bytes", bytes: "bytes" } },
  devices: { key: ["id"], columns: {
    id: "integer", ueid: "bytes", owner: "text", site: "text", model: "text", profile: "text", status: "text",
    enrolled_ms: "integer", seen_ms: "integer", epoch: "integer", license_sequence: "integer",
    report_sequence: "integer", licensed_until_seconds: "integer", state: "bytes",
  } },
  endorsements: { key: ["device_id"], columns: { device_id: "integer", bytes: "bytes" } },
  certificates: { key: ["kid"], columns: {
    kid: "bytes", device_id: "integer", public_key: "bytes", measurement: "bytes", bytes: "bytes", added_ms: "integer",
  } },
  licenses: { key: ["id"], columns: {
    id: "integer", device_id: "integer", sequence: "integer", kind: "integer", evidence_digest: "bytes",
    issued_ms: "integer", expiry_seconds: "integer", bytes: "bytes", verdict: "bytes",
  } },
  verdicts: { key: ["evidence_digest"], columns: {
    evidence_digest: "bytes", device_id: "integer", judged_ms: "integer", claims: "bytes",
  } },
  reports: { key: ["id"], columns: {
    id: "integer", device_id: "integer", sequence: "integer", received_ms: "integer", bytes: "bytes",
    intervals: "bytes", opening_index: "integer", totals_before: "bytes", opened_ms: "integer",
  } },
  orders: { key: ["epoch"], columns: { epoch: "integer", digest: "bytes", bytes: "bytes", active_ms: "integer" } },
  drafts: { key: ["id"], columns: {
    id: "integer", epoch: "integer", quorum: "integer", approvals: "text", bytes: "bytes", created_ms: "integer",
    active_ms: "integer", group_approvals: "text", group_shares: "text",
  } },
  usage: { key: ["owner", "site", "model", "slot"], columns: {
    owner: "text", site: "text", model: "text", slot: "integer", devices: "integer", sums: "bytes",
  } },
  cap_usage: { key: ["scope", "bucket_seconds"], columns: { scope: "text", bucket_seconds: "integer", units: "integer" } },
  tokens: { key: ["id"], columns: {
    id: "text", hash: "bytes", name: "text", roles: "text", created_ms: "integer", expires_ms: "integer",
    revoked_ms: "integer",
  } },
  clients: { key: ["kid"], columns: {
    kid: "bytes", public_key: "bytes", name: "text", roles: "text", created_ms: "integer", revoked_ms: "integer",
  } },
  seen_signatures: { key: ["hash"], columns: { hash: "bytes", expires_ms: "integer" } },
  audit: { key: ["id"], columns: {
    id: "integer", at_ms: "integer", actor: "text", action: "text", subject: "text", outcome: "text", detail: "text",
  } },
  log_state: { key: ["id"], columns: { id: "integer", size: "integer", root: "bytes" } },
  log_entries: { key: ["leaf"], columns: {
    leaf: "integer", digest: "bytes", type: "integer", entry: "bytes", message: "bytes", salt: "bytes",
  } },
  log_tiles: { key: ["level", "tile"], columns: { level: "integer", tile: "integer", bytes: "bytes" } },
  log_subjects: { key: ["key"], columns: { key: "bytes", count: "integer", head: "bytes" } },
  log_heads: { key: ["size"], columns: {
    size: "integer", root: "bytes", origin: "text", public_key: "bytes", signature: "bytes", receipt: "bytes",
    published_ms: "integer",
  } },
  log_cosignatures: { key: ["size", "witness"], columns: {
    size: "integer", witness: "bytes", name: "text", seconds: "integer", signature: "bytes",
  } },
  known_heads: { key: ["log", "size"], columns: {
    log: "text", size: "integer", root: "bytes", note: "text", is_linked: "integer", seen_ms: "integer",
  } },
  split_views: { key: ["id"], columns: {
    id: "integer", log: "text", size: "integer", root: "bytes", note: "text", other_size: "integer",
    other_root: "bytes", other_note: "text", proof: "bytes", found_ms: "integer",
  } },
} as const satisfies { readonly [T in TableName]: TableShape<Tables[T]> };

export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];

/** Whose rows the database numbers, from 1. */
export const NUMBERED_TABLES = [
  "devices",
  "licenses",
  "reports",
  "drafts",
  "audit",
  "split_views",
] as const satisfies readonly TableName[];
