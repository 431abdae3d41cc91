/**
 * What may go wrong with a verifier's rows behind its back, and which check must find it. Subqueries pick the rows, so
 * that the same statements fit any store in which there is one of everything.
 */
import { type RawBuilder, sql } from "kysely";
import type { TableName } from "../../../host/store/columns.ts";

export type Plant = readonly [what: string, check: string, ...statements: RawBuilder<unknown>[]];

const idOf = (table: TableName, where: string, pick: "min" | "max" = "min") =>
  `(select ${pick}(id) from ${table} where ${where})`;

const IS_LICENSED = "exists (select 1 from licenses where device_id = devices.id and kind = 1)";
const A_DEVICE = idOf("devices", IS_LICENSED);
const ANOTHER = idOf("devices", IS_LICENSED, "max");
const A_WORKER = idOf("devices", "report_sequence > 0");
const A_LICENSE = idOf("licenses", "kind = 1 and evidence_digest is not null");
const A_RECOVERY = idOf("licenses", "kind = 2");
const OTHERS_RECOVERY = idOf("licenses", "kind = 4");
const FIRST_REPORT = idOf("reports", "sequence = 1");
const KEPT = "length(intervals) > 0";
const first = (table: TableName, key: string, way = "") =>
  `(select ${key} from ${table} order by ${key} ${way} limit 1)`;
const [A_KID, LAST_KID] = [first("certificates", "kid"), first("certificates", "kid", "desc")];
const [A_VERDICT, LAST_VERDICT] = [first("verdicts", "evidence_digest"), first("verdicts", "evidence_digest", "desc")];
const [A_CLIENT, LAST_CLIENT] = [first("clients", "kid"), first("clients", "kid", "desc")];
const A_SUM =
  "(owner, site, model, slot) = (select owner, site, model, slot from usage where devices > 0 order by owner, site limit 1)";
const ELSEWHERE = idOf("devices", `site <> (select site from devices d where d.id = ${A_DEVICE})`);
const NEWEST = "sequence = (select max(sequence) from reports r where r.device_id = reports.device_id)";

function drop(table: TableName, where: string): RawBuilder<unknown> {
  return sql`delete from ${sql.table(table)} where ${sql.raw(where)}`;
}

function set(table: TableName, values: string, where = "1 = 1"): RawBuilder<unknown> {
  return sql`update ${sql.table(table)} set ${sql.raw(values)} where ${sql.raw(where)}`;
}

/** Values of two rows of one table change places. */
function swap(table: TableName, column: string, a: string, b: string, key = "id"): RawBuilder<unknown> {
  const value = (row: string) => `(select ${column} from ${table} where ${key} = ${row})`;
  return set(
    table,
    `${column} = case when ${key} = ${a} then ${value(b)} else ${value(a)} end`,
    `${key} in (${a}, ${b})`,
  );
}

/** The row once more, with some columns changed. */
function twice(table: TableName, columns: string, change: Record<string, unknown>, where: string) {
  const names = columns.split(" ");
  const values = names.map((name) => {
    const value = change[name];
    if (value === undefined) return sql.ref(name);
    return typeof value === "string" ? sql.raw(value) : sql`${value}`;
  });
  const list = sql.join(names.map((name) => sql.ref(name)));
  return sql`insert into ${sql.table(table)} (${list}) select ${sql.join(values)} from ${sql.table(table)}
    where ${sql.raw(where)}`;
}

const DEVICE =
  "ueid owner site model status enrolled_ms seen_ms epoch license_sequence report_sequence licensed_until_seconds state";
const LICENSE = "device_id sequence kind issued_ms expiry_seconds bytes";
const REPORT = "device_id sequence received_ms bytes intervals opening_index totals_before opened_ms";
const bytes = (length: number) => new Uint8Array(length).fill(7);

// biome-ignore format: a table, one row a plant
export const PLANTS: readonly Plant[] = [
  ["the first agreement gone", "agreements", drop("agreements", "version = 1")],
  ["the newest agreement gone", "orders", drop("agreements", "version = (select max(version) from agreements)")],
  ["all agreements gone", "agreements", drop("agreements", "1 = 1")],
  ["the first order gone", "orders", drop("orders", "epoch = 1")],
  ["the newest order gone", "orders", drop("orders", "epoch = (select max(epoch) from orders)")],
  ["the draft of an active order gone", "drafts", drop("drafts", "active_ms is not null and epoch = 2")],
  ["a device gone", "orphans", drop("devices", `id = ${A_DEVICE}`)],
  ["a device gone with all that is its own", "usage",
    ...(["endorsements", "certificates", "licenses", "verdicts", "reports"] as const).map((table) => drop(table, `device_id = ${A_WORKER}`)),
    drop("devices", `id = ${A_WORKER}`)],
  ["an endorsement gone", "endorsements", drop("endorsements", `device_id = ${A_DEVICE}`)],
  ["a certificate gone", "certificates", drop("certificates", `kid = ${A_KID}`)],
  ["the first license gone", "licenses", drop("licenses", `id = ${A_LICENSE}`)],
  ["the newest license gone", "licenses", drop("licenses", `id = ${idOf("licenses", "kind = 1", "max")}`)],
  ["a license of others gone", "licenses", drop("licenses", `id = ${idOf("licenses", "kind = 3")}`)],
  ["a recovery gone", "licenses", drop("licenses", `id = ${A_RECOVERY}`)],
  ["a recovery of others gone", "licenses", drop("licenses", `id = ${OTHERS_RECOVERY}`)],
  ["a first report gone", "reports", drop("reports", `id = ${FIRST_REPORT}`)],
  ["a newest report gone", "reports", drop("reports", `id = ${idOf("reports", NEWEST)}`)],
  ["a running sum gone", "usage", drop("usage", A_SUM)],

  ["an entry of the log gone", "log", drop("log_entries", "leaf = 1")],
  ["the newest entries of the log gone", "log", drop("log_entries", "leaf >= (select max(leaf) - 1 from log_entries)")],
  ["all of the log gone", "log", drop("log_entries", "1 = 1")],
  ["a tile gone", "log", drop("log_tiles", "level = 0")],
  ["a subject gone", "log", drop("log_subjects", `key = ${first("log_subjects", "key")}`)],
  ["the log's head gone", "log", drop("log_state", "1 = 1")],
  ["two entries swapped", "log", swap("log_entries", "entry", "0", "(select max(leaf) - 1 from log_entries)", "leaf")],
  ["a tile that should not be there", "log", twice("log_tiles", "level tile bytes", { tile: "tile + 1000" }, "level = 0")],
  ["a head of more entries than there are", "log", twice("log_heads", "size root origin public_key signature receipt published_ms", { size: "size + 1000" }, "size = (select max(size) from log_heads)")],

  ["a device twice", "devices", twice("devices", DEVICE, { ueid: bytes(33) }, `id = ${A_DEVICE}`)],
  ["a certificate twice", "certificates", twice("certificates", "kid device_id public_key measurement bytes added_ms", { kid: bytes(8) }, `kid = ${A_KID}`)],
  ["a license twice", "licenses", twice("licenses", LICENSE, { sequence: "sequence + 1000" }, `id = ${A_LICENSE}`)],
  ["a recovery twice", "licenses", twice("licenses", LICENSE, { sequence: "sequence + 1000" }, `id = ${A_RECOVERY}`)],
  ["a verdict twice", "verdicts", twice("verdicts", "evidence_digest device_id judged_ms claims", { evidence_digest: bytes(32) }, `evidence_digest = ${A_VERDICT}`)],
  ["a report twice", "reports", twice("reports", REPORT, { sequence: "sequence + 1000" }, `id = ${FIRST_REPORT}`)],
  ["an agreement twice", "agreements", twice("agreements", "version digest bytes", { version: "version + 1000", digest: bytes(32) }, "version = 1")],
  ["an order twice", "orders", twice("orders", "epoch digest bytes active_ms", { epoch: "epoch + 1000" }, "epoch = 1")],
  ["an active draft twice", "drafts", twice("drafts", "epoch quorum approvals bytes created_ms active_ms", {}, "active_ms is not null and epoch = 1")],
  ["a running sum twice", "usage", twice("usage", "owner site model slot devices sums", { slot: "slot + 1" }, A_SUM)],
  ["a token twice", "tokens", twice("tokens", "id hash name roles created_ms expires_ms", { id: "'0123456789abcdef'", hash: bytes(32) }, "id = (select min(id) from tokens)")],
  ["a client twice", "clients", twice("clients", "kid public_key name roles created_ms", { kid: bytes(8) }, `kid = ${A_CLIENT}`)],

  ["two devices' states swapped", "devices", swap("devices", "state", A_DEVICE, ANOTHER)],
  ["two devices' endorsements swapped", "endorsements", swap("endorsements", "bytes", A_DEVICE, ANOTHER, "device_id")],
  ["two devices' sites swapped", "usage", swap("devices", "site", A_DEVICE, ELSEWHERE)],
  ["two devices' certificates swapped", "certificates", swap("certificates", "bytes", A_KID, LAST_KID, "kid")],
  ["two devices' licenses swapped", "licenses", swap("licenses", "bytes", A_LICENSE, idOf("licenses", "kind = 1", "max"))],
  ["two licenses' verdicts swapped", "licenses", swap("licenses", "verdict", A_LICENSE, idOf("licenses", "kind = 1 and verdict is not null", "max"))],
  ["a license and a recovery swapped", "licenses", swap("licenses", "bytes", A_LICENSE, A_RECOVERY)],
  ["a license of others and a recovery of others swapped", "licenses", swap("licenses", "bytes", idOf("licenses", "kind = 3"), OTHERS_RECOVERY)],
  ["a recovery of others that should answer evidence", "licenses", set("licenses", "kind = 2", `id = ${OTHERS_RECOVERY}`)],
  ["two verdicts swapped", "verdicts", swap("verdicts", "claims", A_VERDICT, LAST_VERDICT, "evidence_digest")],
  ["two reports swapped", "reports", swap("reports", "bytes", FIRST_REPORT, idOf("reports", "sequence = 2"))],
  ["two reports' intervals swapped", "reports", swap("reports", "intervals", idOf("reports", KEPT), idOf("reports", KEPT, "max"))],
  ["two orders swapped", "orders", swap("orders", "bytes", "1", "2", "epoch")],
  ["two drafts swapped", "drafts", swap("drafts", "bytes", idOf("drafts", "epoch = 1"), idOf("drafts", "epoch = 2"))],
  ["two agreements swapped", "agreements", swap("agreements", "bytes", "1", "2", "version")],
  ["two clients' keys swapped", "clients", swap("clients", "public_key", A_CLIENT, LAST_CLIENT, "kid")],

  ["intervals that are no longer kept", "reports", set("reports", "intervals = null", `id = ${idOf("reports", KEPT)}`)],
  ["an opening that is no longer owed", "reports", set("reports", "opening_index = null, totals_before = null", `id = ${idOf("reports", "opening_index is not null")}`)],
  ["a verdict that is gone", "licenses", set("licenses", "verdict = null", `id = ${A_LICENSE}`)],
  ["evidence that is gone", "licenses", set("licenses", "evidence_digest = null, verdict = null", `id = ${A_LICENSE}`)],
  ["a draft that became active by itself", "drafts", set("drafts", "active_ms = 1", `id = ${idOf("drafts", "active_ms is null")}`)],
  ["a secret that is too short", "meta", sql`update meta set value = ${bytes(31)} where key = 'nonce-secret'`],
];

/** The check that finds it when a column is another, and what it is set to; or why nothing can. */
type Change = readonly [check: string, values: string, where?: string] | { readonly free: string };

const TIME: Change = { free: "a time that nothing else tells" };
const NUMBER: Change = { free: "a row's number: SQLite misses the one that it had" };
const NAME: Change = { free: "what somebody called it" };
const KEYED: Change = { free: "its bytes are flipped" };

// biome-ignore format: a table, one row a column
export const COLUMNS: { readonly [T in TableName]: Readonly<Record<string, Change>> } = {
  meta: { key: { free: "a secret under another name is drawn anew" }, value: { free: "random, but for its length" } },
  state: { id: { free: "the database keeps it at 1" }, version: ["orders", "version = version + 1"] },
  agreements: { version: ["agreements", "version = 1000", "version = 1"], digest: KEYED, bytes: KEYED },
  devices: {
    id: ["orphans", "id = 1000", `id = ${A_DEVICE}`], ueid: KEYED, state: KEYED,
    owner: ["usage", "owner = 'nobody'", `id = ${A_DEVICE}`], site: ["usage", "site = 'nowhere'", `id = ${A_DEVICE}`],
    model: ["devices", "model = 'ABC'", `id = ${A_DEVICE}`], profile: ["devices", "profile = 'mining'", `id = ${A_DEVICE}`],
    status: ["devices", "status = 'pending'", `id = ${A_DEVICE}`],
    enrolled_ms: TIME, seen_ms: TIME,
    epoch: ["devices", "epoch = epoch + 1000", `id = ${A_DEVICE}`],
    license_sequence: ["devices", "license_sequence = license_sequence + 1", `id = ${A_DEVICE}`],
    report_sequence: ["devices", "report_sequence = report_sequence + 1", `id = ${A_DEVICE}`],
    licensed_until_seconds: ["devices", "licensed_until_seconds = licensed_until_seconds + 1", `id = ${A_DEVICE}`],
  },
  endorsements: { device_id: ["orphans", "device_id = 1000", `device_id = ${A_DEVICE}`], bytes: KEYED },
  certificates: {
    kid: KEYED, public_key: KEYED, measurement: KEYED, bytes: KEYED, added_ms: TIME,
    device_id: ["certificates", `device_id = (select min(id) from devices d where d.id <> certificates.device_id)`, `kid = ${A_KID}`],
  },
  licenses: {
    id: NUMBER, evidence_digest: KEYED, bytes: KEYED, verdict: KEYED,
    device_id: ["licenses", "device_id = (select min(id) from devices d where d.id <> licenses.device_id), sequence = sequence + 1000", `id = ${A_LICENSE}`],
    sequence: ["licenses", "sequence = sequence + 1000", `id = ${A_LICENSE}`],
    kind: ["licenses", "kind = 3", `id = ${A_LICENSE}`],
    issued_ms: ["licenses", "issued_ms = issued_ms + 1000", `id = ${A_LICENSE}`],
    expiry_seconds: ["licenses", "expiry_seconds = expiry_seconds + 1", `id = ${A_LICENSE}`],
  },
  verdicts: {
    evidence_digest: KEYED, claims: KEYED, judged_ms: ["verdicts", "judged_ms = judged_ms + 1000"],
    device_id: ["verdicts", "device_id = (select min(id) from devices d where d.id <> verdicts.device_id)"],
  },
  reports: {
    id: NUMBER, received_ms: TIME, bytes: KEYED, intervals: KEYED, totals_before: KEYED,
    device_id: ["reports", "device_id = 1 + (device_id % 2), sequence = sequence + 1000", `id = ${FIRST_REPORT}`],
    sequence: ["reports", "sequence = 1000", `id = ${FIRST_REPORT}`],
    opening_index: ["reports", "opening_index = 8", `id = ${idOf("reports", "opening_index is not null")}`],
    opened_ms: ["reports", "opened_ms = 1", `id = ${idOf("reports", "opening_index is null")}`],
  },
  orders: { epoch: ["orders", "epoch = 1000", "epoch = 1"], digest: KEYED, bytes: KEYED, active_ms: TIME },
  drafts: {
    id: NUMBER, bytes: KEYED, created_ms: TIME,
    epoch: ["drafts", "epoch = 1000", "epoch = 2"], quorum: ["drafts", "quorum = quorum + 1", "epoch = 2"],
    approvals: ["drafts", `approvals = '["nobody"]'`, "epoch = 2"],
    active_ms: ["drafts", "active_ms = null", "epoch = 1 and active_ms is not null"],
    group_approvals: ["drafts", `group_approvals = '["nobody"]'`, "epoch = 2"],
    group_shares: ["drafts", `group_shares = '["north"]'`, "epoch = 2"],
  },
  usage: {
    owner: ["usage", "owner = 'nobody'", A_SUM], site: ["usage", "site = 'nowhere'", A_SUM],
    model: ["usage", "model = 'ABC'", A_SUM], slot: { free: "all slots together are the sum" },
    devices: ["usage", "devices = devices + 1", A_SUM], sums: KEYED,
  },
  cap_usage: {
    scope: ["caps", "scope = '[\"planet\"]'", "scope = (select min(scope) from cap_usage)"],
    bucket_seconds: TIME, units: ["numbers", "units = -1"],
  },
  tokens: {
    id: ["tokens", "id = '0123456789abcdef'", "id = (select min(id) from tokens)"], hash: KEYED, name: NAME,
    roles: ["tokens", `roles = '["king"]'`], created_ms: TIME, expires_ms: ["tokens", "expires_ms = created_ms"],
    revoked_ms: TIME,
  },
  clients: { kid: KEYED, public_key: KEYED, name: NAME, roles: ["clients", "roles = '[]'"], created_ms: TIME, revoked_ms: TIME },
  seen_signatures: { hash: { free: "random, and soon forgotten" }, expires_ms: TIME },
  audit: { id: NUMBER, at_ms: TIME, actor: NAME, action: NAME, subject: NAME, outcome: NAME, detail: NAME },
  log_state: { id: { free: "the database keeps it at 1" }, size: ["log", "size = size + 1"], root: KEYED },
  log_entries: {
    leaf: ["log", "leaf = 100000", "leaf = 1"], digest: KEYED, type: ["log", "type = 6", "leaf = 0"], entry: KEYED,
    message: ["log", "message = entry", "leaf = 0"], salt: ["log", "salt = digest", "leaf = 0"],
  },
  log_tiles: {
    level: ["log", "level = 3", "level = 0"], tile: ["log", "tile = tile + 1000", "level = 0"], bytes: KEYED,
  },
  log_subjects: { key: KEYED, count: ["log", "count = count + 1"], head: KEYED },
  log_heads: {
    size: ["log", "size = size + 1", "size = (select max(size) from log_heads)"], root: KEYED,
    origin: ["log", "origin = 'south.example/log'"], public_key: KEYED, signature: KEYED, receipt: KEYED, published_ms: TIME,
  },
  log_cosignatures: {
    size: ["log", "size = 2"], witness: KEYED, name: { free: "its signature is not over its name" },
    seconds: ["log", "seconds = seconds + 1"], signature: KEYED,
  },
  known_heads: {
    log: ["heads", "log = 'south.example/log'"], size: ["heads", "size = size + 1000"], root: KEYED,
    note: ["heads", "note = 'note'"], is_linked: ["heads", "is_linked = 2"], seen_ms: TIME,
  },
  split_views: {
    id: NUMBER, log: ["heads", "log = 'south.example/log'"], found_ms: TIME,
    size: ["heads", "size = size + 1"], root: KEYED, note: ["heads", "note = other_note"],
    other_size: ["heads", "other_size = other_size + 1"], other_root: KEYED, other_note: ["heads", "other_note = note"],
    proof: KEYED,
  },
};

export function change(table: TableName, values: string, where?: string): RawBuilder<unknown> {
  return set(table, values, where);
}

/** Which check finds a flipped bit of a column of bytes. Those that are missing hold random numbers. */
// biome-ignore format: a table, one row a table
export const FLIPS: { readonly [T in TableName]?: Readonly<Record<string, string>> } = {
  agreements: { digest: "agreements", bytes: "agreements" },
  devices: { ueid: "devices", state: "devices" },
  endorsements: { bytes: "endorsements" },
  certificates: { kid: "certificates", public_key: "certificates", measurement: "certificates", bytes: "certificates" },
  licenses: { evidence_digest: "licenses", bytes: "licenses", verdict: "licenses" },
  verdicts: { evidence_digest: "verdicts", claims: "verdicts" },
  reports: { bytes: "reports", intervals: "reports", totals_before: "reports" },
  orders: { digest: "orders", bytes: "orders" },
  drafts: { bytes: "drafts" },
  usage: { sums: "usage" },
  clients: { kid: "clients", public_key: "clients" },
  log_state: { root: "log" },
  log_entries: { digest: "log", entry: "log" },
  log_tiles: { bytes: "log" },
  log_subjects: { key: "log", head: "log" },
  log_heads: { root: "log", public_key: "log", signature: "log", receipt: "log" },
  log_cosignatures: { witness: "log", signature: "log" },
  known_heads: { root: "heads" },
  split_views: { root: "heads", other_root: "heads", proof: "heads" },
};
