/**
 * The tables, as Kysely sees them; migrations/ makes them. Times end in `_ms` (Unix milliseconds) or `_seconds`
 * (agreement time). Which integers come as `bigint` is ruled in values.ts: `sequence`, `..._sequence` and `units`.
 */
import type { Generated } from "kysely";

export interface Tables {
  meta: MetaTable;
  state: StateTable;
  agreements: AgreementsTable;
  devices: DevicesTable;
  endorsements: EndorsementsTable;
  certificates: CertificatesTable;
  licenses: LicensesTable;
  verdicts: VerdictsTable;
  reports: ReportsTable;
  orders: OrdersTable;
  drafts: DraftsTable;
  usage: UsageTable;
  cap_usage: CapUsageTable;
  tokens: TokensTable;
  clients: ClientsTable;
  seen_signatures: SeenSignaturesTable;
  audit: AuditTable;
  log_state: LogStateTable;
  log_entries: LogEntriesTable;
  log_tiles: LogTilesTable;
  log_subjects: LogSubjectsTable;
  log_heads: LogHeadsTable;
  log_cosignatures: LogCosignaturesTable;
  known_heads: KnownHeadsTable;
  split_views: SplitViewsTable;
}

/** What the store says of itself, and what the verifier keeps once. */
export interface MetaTable {
  key: string;
  value: Uint8Array;
}

/** One row, with id 1. The version rises whenever agreements or orders change. */
export interface StateTable {
  id: number;
  version: number;
}

export interface AgreementsTable {
  version: number;
  digest: Uint8Array;
  bytes: Uint8Array;
}

export interface DevicesTable {
  id: Generated<number>;
  ueid: Uint8Array;
  owner: string;
  site: string;
  model: string;
  profile: string | null;
  status: string;
  enrolled_ms: number;
  seen_ms: number;
  epoch: number;
  license_sequence: bigint;
  report_sequence: bigint;
  licensed_until_seconds: number;
  /** What only the verifier reads. */
  state: Uint8Array;
}

export interface EndorsementsTable {
  device_id: number;
  bytes: Uint8Array;
}

export interface CertificatesTable {
  kid: Uint8Array;
  device_id: number;
  public_key: Uint8Array;
  measurement: Uint8Array;
  bytes: Uint8Array;
  added_ms: number;
}

export interface LicensesTable {
  id: Generated<number>;
  device_id: number;
  sequence: bigint;
  kind: number;
  /** Absent where no evidence asked: offline licenses. */
  evidence_digest: Uint8Array | null;
  issued_ms: number;
  expiry_seconds: number;
  bytes: Uint8Array;
  verdict: Uint8Array | null;
}

/** Of evidence that was refused or only appraised; the verdict on the other stands with its license. */
export interface VerdictsTable {
  evidence_digest: Uint8Array;
  device_id: number;
  judged_ms: number;
  claims: Uint8Array;
}

export interface ReportsTable {
  id: Generated<number>;
  device_id: number;
  sequence: bigint;
  received_ms: number;
  bytes: Uint8Array;
  intervals: Uint8Array | null;
  /** The interval that the board must show, if it must. */
  opening_index: number | null;
  /** With it: the totals before the report, which the interval's root is held against. */
  totals_before: Uint8Array | null;
  opened_ms: number | null;
}

export interface OrdersTable {
  epoch: number;
  digest: Uint8Array;
  bytes: Uint8Array;
  active_ms: number;
}

export interface DraftsTable {
  id: Generated<number>;
  epoch: number;
  quorum: number;
  /** JSON: the names of the parties. */
  approvals: string;
  bytes: Uint8Array;
  created_ms: number;
  active_ms: number | null;
  /** JSON: the names of the groups for which people approved it here. */
  group_approvals: string;
  /** JSON: the names of the groups whose share that is here was given for it. */
  group_shares: string;
}

/** Running sums, spread over slots so that processes do not wait for each other's row. */
export interface UsageTable {
  owner: string;
  site: string;
  model: string;
  slot: number;
  devices: number;
  sums: Uint8Array;
}

export interface CapUsageTable {
  scope: string;
  bucket_seconds: number;
  units: bigint;
}

export interface TokensTable {
  id: string;
  hash: Uint8Array;
  name: string;
  /** JSON: the names of the roles. */
  roles: string;
  created_ms: number;
  expires_ms: number;
  revoked_ms: number | null;
}

export interface ClientsTable {
  kid: Uint8Array;
  public_key: Uint8Array;
  name: string;
  /** JSON: the names of the roles. */
  roles: string;
  created_ms: number;
  revoked_ms: number | null;
}

export interface SeenSignaturesTable {
  hash: Uint8Array;
  expires_ms: number;
}

export interface AuditTable {
  id: Generated<number>;
  at_ms: number;
  actor: string;
  action: string;
  subject: string;
  outcome: string;
  detail: string | null;
}

/** One row, with id 1, once the log has an entry: the head that is committed, whether it was signed or not. */
export interface LogStateTable {
  id: number;
  size: number;
  root: Uint8Array;
}

export interface LogEntriesTable {
  /** From 0. */
  leaf: number;
  /** SHA-256 of the message; none of an entry that commits to the index. */
  digest: Uint8Array | null;
  type: number | null;
  /** The leaf's data, as it is served. */
  entry: Uint8Array;
  /** What the entry commits to, where it does not say it. */
  message: Uint8Array | null;
  salt: Uint8Array | null;
}

/** The tiles of C2SP tlog-tiles, the last of each level as wide as it is by now. */
export interface LogTilesTable {
  level: number;
  tile: number;
  bytes: Uint8Array;
}

export interface LogSubjectsTable {
  key: Uint8Array;
  /** Entries that name it. */
  count: number;
  /** Of the chain of them. */
  head: Uint8Array;
}

/** Heads that were signed, and so can never be otherwise. */
export interface LogHeadsTable {
  size: number;
  root: Uint8Array;
  origin: string;
  /** Of the log, by which both signatures hold. */
  public_key: Uint8Array;
  /** Over the checkpoint's note. */
  signature: Uint8Array;
  /** Over the root, as a receipt has it. */
  receipt: Uint8Array;
  published_ms: number;
}

export interface LogCosignaturesTable {
  size: number;
  /** Its public key. */
  witness: Uint8Array;
  name: string;
  seconds: number;
  signature: Uint8Array;
}

/** Heads of agreed logs that were shown here, each with the log's own signature. */
export interface KnownHeadsTable {
  /** Vkey of the log (C2SP signed-note). */
  log: string;
  size: number;
  root: Uint8Array;
  note: string;
  /** 1: it is of one log with the others that are. */
  is_linked: number;
  seen_ms: number;
}

/** Two heads that a log signed and that no one log can have. Never taken out. */
export interface SplitViewsTable {
  id: Generated<number>;
  log: string;
  size: number;
  root: Uint8Array;
  note: string;
  other_size: number;
  other_root: Uint8Array;
  other_note: string;
  /** For two sizes: a path, hashes of 32 bytes one after the other. */
  proof: Uint8Array;
  found_ms: number;
}
