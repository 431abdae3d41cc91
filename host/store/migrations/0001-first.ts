/** The first tables; tables.ts says what each is for. */
import type { Migration } from "./migration.ts";

export const first: Migration = {
  name: "0001-first",
  statements: ({ identity, integer, bytes, text, end, endByKey, endUpdated }) => [
    `create table state (id ${integer} primary key check (id = 1), version ${integer} not null)${end}`,
    "insert into state (id, version) values (1, 0)",

    `create table agreements (
      version ${integer} primary key, digest ${bytes} not null unique, bytes ${bytes} not null
    )${end}`,

    `create table devices (
      id ${identity},
      ueid ${bytes} not null unique,
      owner ${text} not null, site ${text} not null, model ${text} not null, profile ${text},
      status ${text} not null,
      enrolled_ms ${integer} not null, seen_ms ${integer} not null,
      epoch ${integer} not null,
      license_sequence ${integer} not null, report_sequence ${integer} not null,
      licensed_until_seconds ${integer} not null,
      state ${bytes} not null
    )${endUpdated}`,
    ...["owner", "site", "model", "status", "epoch"].map(
      (column) => `create index devices_${column} on devices (${column}, id)`,
    ),

    `create table endorsements (
      device_id ${integer} primary key references devices (id), bytes ${bytes} not null
    )${end}`,

    `create table certificates (
      kid ${bytes} primary key,
      device_id ${integer} not null references devices (id),
      public_key ${bytes} not null, measurement ${bytes} not null, bytes ${bytes} not null,
      added_ms ${integer} not null
    )${end}`,
    "create index certificates_device on certificates (device_id)",

    `create table licenses (
      id ${identity},
      device_id ${integer} not null references devices (id),
      sequence ${integer} not null, kind ${integer} not null,
      evidence_digest ${bytes},
      issued_ms ${integer} not null, expiry_seconds ${integer} not null,
      bytes ${bytes} not null, verdict ${bytes},
      unique (device_id, sequence, kind)
    )${end}`,
    "create unique index licenses_evidence on licenses (evidence_digest) where evidence_digest is not null",

    `create table verdicts (
      evidence_digest ${bytes} primary key,
      device_id ${integer} not null references devices (id),
      judged_ms ${integer} not null, claims ${bytes} not null
    )${end}`,

    `create table reports (
      id ${identity},
      device_id ${integer} not null references devices (id),
      sequence ${integer} not null,
      received_ms ${integer} not null,
      bytes ${bytes} not null, intervals ${bytes},
      opening_index ${integer}, totals_before ${bytes}, opened_ms ${integer},
      unique (device_id, sequence)
    )${end}`,
    `create index reports_wanted on reports (device_id, sequence)
      where opening_index is not null and opened_ms is null`,

    `create table orders (
      epoch ${integer} primary key, digest ${bytes} not null, bytes ${bytes} not null, active_ms ${integer} not null
    )${end}`,

    `create table drafts (
      id ${identity},
      epoch ${integer} not null, quorum ${integer} not null, approvals ${text} not null, bytes ${bytes} not null,
      created_ms ${integer} not null, active_ms ${integer}
    )${end}`,

    `create table usage (
      owner ${text} not null, site ${text} not null, model ${text} not null, slot ${integer} not null,
      devices ${integer} not null, sums ${bytes} not null,
      primary key (owner, site, model, slot)
    )${endByKey}`,

    `create table cap_usage (
      scope ${text} not null, bucket_seconds ${integer} not null, units ${integer} not null,
      primary key (scope, bucket_seconds)
    )${endByKey}`,

    `create table tokens (
      id ${text} primary key,
      hash ${bytes} not null unique,
      name ${text} not null, roles ${text} not null,
      created_ms ${integer} not null, expires_ms ${integer} not null, revoked_ms ${integer}
    )${end}`,

    `create table clients (
      kid ${bytes} primary key,
      public_key ${bytes} not null,
      name ${text} not null, roles ${text} not null,
      created_ms ${integer} not null, revoked_ms ${integer}
    )${end}`,

    `create table seen_signatures (hash ${bytes} primary key, expires_ms ${integer} not null)${endByKey}`,
    "create index seen_signatures_expires on seen_signatures (expires_ms)",

    `create table audit (
      id ${identity},
      at_ms ${integer} not null,
      actor ${text} not null, action ${text} not null, subject ${text} not null,
      outcome ${text} not null, detail ${text}
    )${end}`,
  ],
};
