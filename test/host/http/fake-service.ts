/** A verifier that judges nothing: what it is asked is kept for the test to see, and what it answers is set by the test. */
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import type {
  AuditEntry,
  DeviceView,
  DraftView,
  Enrolled,
  LogView,
  OrderView,
  ServiceEvent,
  VerifierService,
} from "../../../host/service/service.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";

export const UEID = new Uint8Array(33).fill(0x5a).fill(1, 0, 1);
export const UEID_HEX = Buffer.from(UEID).toString("hex");
export const DIGEST = new Uint8Array(32).fill(0xab);
export const DIGEST_HEX = Buffer.from(DIGEST).toString("hex");
export const OBJECT = Uint8Array.of(0xd2, 0x84, 0x43, 0xa1, 0x01, 0x32);
export const OBJECT_TEXT = Buffer.from(OBJECT).toString("base64url");

export const DEVICE: DeviceView = {
  ueid: UEID,
  owner: "Lab A",
  site: "hall 1",
  model: "Example 1",
  status: "active",
  enrolledMs: 1_790_000_000_000,
  seenMs: 0,
  epoch: 0,
  reportSequence: 2n ** 63n,
  licenseSequence: 0n,
  licensedUntilSeconds: 0,
};

export const ORDER: OrderView = {
  epoch: 1,
  action: OrderAction.PAUSE,
  notBeforeSeconds: 1_790_000_000,
  digest: DIGEST,
  bytes: OBJECT,
};

export const DRAFT: DraftView = {
  id: 1,
  epoch: 2,
  action: OrderAction.RESUME,
  quorum: 2,
  approvals: ["North"],
  awaiting: [],
  active: false,
  bytes: OBJECT,
};

export const LOG: LogView = {
  origin: "north.example/log",
  vkey: "north.example/log+01020304+AQ==",
  size: 9,
  root: DIGEST,
  publishedMs: 1_790_000_000_000,
  cosignedSize: 7,
  witnesses: [
    { name: "South", url: "https://south.example", vkey: "south+01020304+BA==", size: 7, seconds: 1_790_000_000 },
    { name: "East", url: "https://east.example", vkey: "east+01020304+BA==", size: 0, problem: "ECONNREFUSED" },
  ],
};

export const CHECKPOINT = `north.example/log\n9\n${Buffer.from(DIGEST).toString("base64")}\n\n\u2014 north.example/log AQIDBAU=\n`;

const SPLIT_VIEW = {
  log: LOG.vkey,
  origin: LOG.origin,
  size: 8,
  root: DIGEST,
  note: CHECKPOINT,
  otherSize: 9,
  otherRoot: DIGEST,
  otherNote: CHECKPOINT,
  proof: [DIGEST, DIGEST],
  foundMs: 1_790_000_000_000,
};

type Calls = { name: string; args: unknown[] }[];
export type FakeService = VerifierService & {
  readonly calls: Calls;
  readonly trail: Omit<AuditEntry, "id" | "atMs">[];
  emit(event: ServiceEvent): void;
};

/** `overrides` replace its answers. */
export function fakeService(overrides: Partial<VerifierService> = {}): FakeService {
  const calls: Calls = [];
  const trail: Omit<AuditEntry, "id" | "atMs">[] = [];
  const listeners = new Set<(event: ServiceEvent) => void>();
  const enrolled: Enrolled = { ...DEVICE, isNew: true };
  const rows = [{ engineClass: 2, licensed: 2n ** 100n, reported: 7n }];
  const answers: VerifierService = {
    about: async () => ({
      agreementVersion: 3,
      agreementDigest: DIGEST,
      parties: [{ name: "North", kid: new Uint8Array(8).fill(1), here: true }],
      epoch: 1,
      nowMs: 1_790_000_000_000,
    }),
    agreementsAfter: async (version) => (version < 3 ? [OBJECT] : []),
    amend: async () => ({ version: 4 }),
    enrol: async () => enrolled,
    device: async (ueid) => known(ueid),
    devices: async () => ({ items: [DEVICE], cursor: "next" }),
    changeDevice: async (ueid, change) => ({ ...known(ueid), ...change }),
    nonce: async () => ({ nonce: new Uint8Array(32).fill(15), expiresMs: 1_790_000_060_000 }),
    license: async () => ({ complete: true, bytes: OBJECT, repeated: false }),
    importLicense: async () => {},
    importRecovery: async () => {},
    offlineLicense: async () => ({ complete: true, bytes: OBJECT, repeated: false }),
    recovery: async () => ({ complete: true, bytes: OBJECT, repeated: false }),
    frostCommitment: async () => ({ holder: 2, hiding: DIGEST, binding: DIGEST }),
    frostShare: async () => DIGEST,
    appraise: async () => DIGEST,
    offerLogHead: async () => ({ outcome: "taken", origin: "north.example/log", size: 9 }),
    logHeads: async () => ({
      heads: [{ log: LOG.vkey, origin: LOG.origin, size: 9, root: DIGEST, note: CHECKPOINT, isLinked: true }],
      splitViews: [SPLIT_VIEW],
    }),
    verdict: async () => OBJECT,
    reports: async (items) => items.map((_, index) => ({ status: "taken", sequence: BigInt(index) })),
    openingsWanted: async (ueid) => [{ ueid, reportSequence: 9n, index: 2 }],
    open: async () => {},
    ordersAfter: async (epoch) => (epoch < 1 ? [ORDER] : []),
    proposeOrder: async () => DRAFT,
    importOrder: async () => DRAFT,
    drafts: async () => [DRAFT],
    draft: async (id) => {
      if (id !== DRAFT.id) throw new VerifierError("order/unknown", `${id}`);
      return DRAFT;
    },
    approveOrder: async () => ({ ...DRAFT, active: true, approvals: ["North", "South"] }),
    delivery: async (epoch) => ({ epoch, delivered: 1, missing: 1, behind: [UEID] }),
    beacon: async () => OBJECT,
    timeProof: async () => OBJECT,
    books: async () => rows,
    usage: async () => [{ name: "Lab A", devices: 1, rows }],
    leak: async () => ({
      policy: "none",
      devices: 1,
      groups: [{ model: "Example 1", devices: 1, accelerator: "h100" }],
      bound: { workByClass: new Map([[2, 5n]]), operations: 5n, seconds: 300.5 },
    }),
    audit: async () => ({
      items: [{ id: 1, atMs: 0, actor: "Ada", action: "devices.change", subject: UEID_HEX, outcome: "ok" }],
    }),
    record: async (entry) => {
      trail.push(entry);
    },
    logProof: async () => OBJECT,
    log: async () => LOG,
    logCheckpoint: async () => CHECKPOINT,
    logTile: async ({ width }) => new Uint8Array(32 * width).fill(7),
    logEntries: async ({ width }) => Array.from({ length: width }, () => OBJECT),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready: async () => true,
    close: async () => {},
    ...overrides,
  };
  const service = new Proxy(answers, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        calls.push({ name: String(name), args });
        return (member as (...args: unknown[]) => unknown)(...args);
      };
    },
  });
  const emit = (event: ServiceEvent) => {
    for (const listener of listeners) listener(event);
  };
  return Object.assign(Object.create(service) as VerifierService, { calls, trail, emit });
}

function known(ueid: Uint8Array): DeviceView {
  if (Buffer.compare(ueid, UEID) !== 0) throw new VerifierError("device/unknown", Buffer.from(ueid).toString("hex"));
  return DEVICE;
}
