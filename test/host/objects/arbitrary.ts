/** Any object of the protocol, for property tests. */
import fc from "fast-check";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import type { LogEntry, LoggedType } from "../../../host/log/entry.ts";
import type { Agreement, LogTerms, Member, Quorums } from "../../../host/objects/agreement.ts";
import type { AttestationCertificate, Endorsement } from "../../../host/objects/endorsement.ts";
import type { Evidence } from "../../../host/objects/evidence.ts";
import type { Interval } from "../../../host/objects/intervals.ts";
import type { License } from "../../../host/objects/license.ts";
import type { LogProof } from "../../../host/objects/log-proof.ts";
import { type Opening, openInterval } from "../../../host/objects/opening.ts";
import type { Order } from "../../../host/objects/order.ts";
import type { Recovery } from "../../../host/objects/recovery.ts";
import type { TimeStatement } from "../../../host/objects/time.ts";
import type { UsageReport } from "../../../host/objects/usage-report.ts";
import { keyId } from "../../../host/protocol/cose.ts";
import type { LicenseCall, ReportItem } from "../../../host/service/service.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u32 = fc.nat({ max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const work = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
const seconds = fc.integer({ min: 0, max: 2 ** 40 });
const ms = fc.maxSafeNat();
const engineClass = fc.nat({ max: 11 });
const byClass = <T>(value: fc.Arbitrary<T>) =>
  fc.uniqueArray(engineClass, { maxLength: 12 }).chain((classes) => {
    const sorted = [...classes].sort((a, b) => a - b);
    return fc
      .array(value, { minLength: sorted.length, maxLength: sorted.length })
      .map((values) => new Map(sorted.map((key, index) => [key, values[index]!])));
  });
const allOf = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 12, maxLength: 12 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const ueid = bytes(33);
const digest = bytes(32);
const text = (bytesMax: number) =>
  fc.string({ unit: "grapheme", minLength: 1, maxLength: bytesMax }).filter((s) => {
    const length = Buffer.byteLength(s);
    return length >= 1 && length <= bytesMax;
  });
const timeBounds = fc.option(fc.record({ lowerMs: ms, upperMs: ms }), { nil: null });
const reportHead = fc.record({ sequence: u64, digest });
const hardware = {
  oemId: bytes(3),
  hardwareModel: bytes(8),
  hardwareVersion: fc.stringMatching(/^[ -~]{4}$/),
};

const member: fc.Arbitrary<Member> = fc
  .record({ publicKey: bytes(32), name: text(32) })
  .map(({ publicKey, name }) => ({ kid: keyId(publicKey), name, publicKey }));
const members = (max: number) =>
  fc.uniqueArray(member, { minLength: 1, maxLength: max, selector: (m) => Buffer.from(m.kid).toString("hex") });

const logName = fc.stringMatching(/^[!-*,-~]{1,64}$/);
const anyLogTerms: fc.Arbitrary<LogTerms> = fc
  .uniqueArray(
    fc.record({ publicKey: bytes(32), name: logName }).map((one) => ({ kid: keyId(one.publicKey), ...one })),
    { minLength: 2, maxLength: 9, selector: (m) => Buffer.from(m.kid).toString("hex") },
  )
  .chain(([log, ...witnesses]) =>
    fc.record({
      commitments: fc.boolean(),
      log: fc.constant(log!),
      witnesses: fc.constant(witnesses),
      witnessQuorum: fc.integer({ min: Math.floor(witnesses.length / 2) + 1, max: witnesses.length }),
      checkpointSecondsMax: fc.integer({ min: 1, max: 31_536_000 }),
      pauseBeforeProof: fc.boolean(),
    }),
  );

const signature = bytes(64);
export const anyLogProof: fc.Arbitrary<LogProof> = fc.record({
  kid: bytes(8),
  index: fc.maxSafeNat(),
  size: fc.maxSafeNat(),
  path: fc.array(digest, { maxLength: 20 }),
  receiptSignature: signature,
  root: digest,
  checkpointSize: fc.maxSafeNat(),
  checkpointSignature: signature,
  cosignatures: fc.array(fc.record({ witness: fc.nat({ max: 7 }), seconds, signature }), { maxLength: 8 }),
  consistency: fc.array(digest, { maxLength: 20 }),
  salt: maybe(digest),
});

const loggedType = fc.constantFrom<LoggedType[]>(
  ObjectType.AGREEMENT,
  ObjectType.LICENSE,
  ObjectType.ORDER,
  ObjectType.RECOVERY,
);
export const anyLogEntry: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({
    kind: fc.constant("plain" as const),
    type: loggedType,
    message: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  }),
  fc.record({
    kind: fc.constant("commitment" as const),
    type: loggedType,
    commitment: digest,
    subjects: fc.array(digest, { maxLength: 32 }),
  }),
  fc.record({ kind: fc.constant("index" as const), subjects: fc.maxSafeNat(), root: digest }),
);

export const anyAgreement: fc.Arbitrary<Agreement> = fc
  .record({ parties: members(8), timeAuthorities: members(4), sliceTicks: fc.bigInt({ min: 1n, max: 2n ** 20n }) })
  .chain(({ parties, timeAuthorities, sliceTicks }) => {
    const quorum = fc.integer({ min: 1, max: parties.length });
    const ticks = fc.bigInt({ min: 1n, max: 2n ** 56n });
    const cap = fc.record({ budgetMax: work, rateMax: fc.bigInt({ min: 1n, max: 2n ** 42n }) });
    return byClass(cap)
      .filter((caps) => caps.size > 0)
      .chain((caps) => {
        const allowance = fc
          .subarray([...caps.keys()])
          .chain((classes) =>
            fc
              .array(u64, { minLength: classes.length, maxLength: classes.length })
              .map((values) => new Map(classes.map((key, index) => [key, values[index]!]))),
          );
        const quorums: fc.Arbitrary<Quorums> = fc.record({
          license: quorum,
          pause: quorum,
          resume: quorum,
          update: quorum,
          amend: quorum,
        });
        return fc.record({
          version: u32.map((n) => Math.max(n, 1)),
          name: text(64),
          parties: fc.constant(parties),
          quorums,
          timeAuthorities: fc.constant(timeAuthorities),
          timeQuorum: fc.integer({ min: 1, max: timeAuthorities.length }),
          caps: fc.constant(caps),
          tickHz: fc.integer({ min: 1, max: 1_000_000 }),
          driftPpm: fc.nat({ max: 100_000 }),
          leaseSeconds: fc.integer({ min: 1, max: 31_536_000 }),
          licenseTicksMax: ticks,
          sliceTicks: fc.constant(sliceTicks),
          drain: allowance,
          drainTicksMax: ticks,
          baseline: maybe(allowance),
          offline: fc.boolean(),
          svnLeast: u32,
          log: maybe(anyLogTerms),
        });
      });
  });

const licenseBody = {
  expirySeconds: seconds,
  notBeforeSeconds: seconds,
  agreementDigest: digest,
  epoch: u32,
  sequence: u64,
  budget: byClass(work),
  rate: maybe(byClass(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }))),
  ticksMax: u64,
  drain: maybe(byClass(u64)),
  svnLeast: u32,
};
export const anyLicense: fc.Arbitrary<License> = fc.oneof(
  fc.record({ ...licenseBody, nonce: maybe(digest), ueid, cohort: fc.constant(undefined) }),
  fc.record({
    ...licenseBody,
    nonce: fc.constant(undefined),
    ueid: fc.constant(undefined),
    cohort: fc.array(ueid, { minLength: 1, maxLength: 32 }),
  }),
);

const action = fc.oneof(
  fc.record({ action: fc.constantFrom(OrderAction.PAUSE, OrderAction.RESUME), permille: fc.constant(undefined) }),
  fc.record({ action: fc.constant(OrderAction.SLOW), permille: fc.integer({ min: 1, max: 999 }) }),
);
export const anyOrder: fc.Arbitrary<Order> = fc
  .tuple(
    action,
    fc.record({
      notBeforeSeconds: seconds,
      agreementDigest: digest,
      epoch: u32,
      drain: maybe(byClass(u64)),
      scope: maybe(fc.array(ueid, { minLength: 1, maxLength: 32 })),
      drainTicks: maybe(u64),
      previousDigest: digest,
    }),
  )
  .map(([what, rest]) => {
    const pauses = what.action === OrderAction.PAUSE;
    return {
      ...rest,
      ...what,
      drain: pauses ? rest.drain : undefined,
      drainTicks: pauses ? rest.drainTicks : undefined,
    };
  });

export const anyBeacon: fc.Arbitrary<TimeStatement> = fc.record({
  issuedAtSeconds: seconds,
  nonce: fc.constant(undefined),
  agreementDigest: digest,
  epoch: u32,
  orderDigest: digest,
});
export const anyTimeProof: fc.Arbitrary<TimeStatement> = fc.record({
  issuedAtSeconds: seconds,
  nonce: digest,
  agreementDigest: digest,
  epoch: u32,
  orderDigest: digest,
});

export const anyEndorsement: fc.Arbitrary<Endorsement> = fc.record({ devicePublicKey: digest, ueid, ...hardware });
export const anyCertificate: fc.Arbitrary<AttestationCertificate> = fc.record({
  attestationPublicKey: digest,
  ueid,
  measurement: digest,
});

export const anyEvidence: fc.Arbitrary<Evidence> = fc.record({
  ...hardware,
  nonce: fc.uint8Array({ minLength: 8, maxLength: 64 }),
  bootSeed: digest,
  ueid,
  uptimeSeconds: seconds,
  bootCount: u32,
  measurement: digest,
  agreementDigest: digest,
  epoch: u32,
  gateState: u32,
  tamper: u32,
  totals: allOf(work),
  budgetLeft: allOf(work),
  reportHead,
  licenseSequence: u64,
  challenge: digest,
  timeBounds,
  counterPermille: u32,
  flashPermille: u32,
  failures: u32,
  backOffTicks: u64,
  svn: u32,
  agreementVersion: u32,
  lastCode: u32,
  orderDigest: digest,
  logHead: maybe(fc.record({ size: u64, root: digest })),
});

export const anyUsageReport: fc.Arbitrary<UsageReport> = fc.record({
  ueid,
  bootCount: u32,
  agreementDigest: digest,
  epoch: u32,
  sequence: u64,
  gateState: u32,
  totals: allOf(work),
  licenseSequence: u64,
  timeBounds,
  previous: digest,
  fromTick: u64,
  toTick: u64,
  denied: allOf(u64),
  throttled: allOf(u64),
  transitionCount: u32,
  transitions: fc.array(fc.record({ tick: u64, from: u32, to: u32, code: u32 }), { maxLength: 8 }),
  intervalCount: fc.nat({ max: 8 }),
  intervalRoot: digest,
});

export const anyRecovery: fc.Arbitrary<Recovery> = fc
  .tuple(
    action,
    fc.record({
      nonce: digest,
      ueid,
      agreementDigest: digest,
      epoch: fc.nat({ max: 0x3fffffff }),
      sequence: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      totals: allOf(work),
      reportHead,
      orderDigest: digest,
    }),
  )
  .map(([what, rest]) => ({ ...rest, ...what }));

const message = fc.uint8Array({ minLength: 1, maxLength: 4096 });
const manyBytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
const anyMessage = fc.oneof({ weight: 5, arbitrary: manyBytes }, message);

export const someNonces = fc.uniqueArray(digest, {
  minLength: 1,
  maxLength: 8,
  selector: (nonce) => Buffer.from(nonce).toString("hex"),
});

export const anyLicenseCall: fc.Arbitrary<LicenseCall> = fc.record({
  evidence: anyMessage,
  terms: maybe(
    fc.record({
      budget: byClass(work).filter((budget) => budget.size > 0),
      ticksMax: u64,
      windowSeconds: seconds,
      rate: maybe(byClass(u64).filter((rate) => rate.size > 0)),
      drain: maybe(byClass(work)),
    }),
  ),
  draft: maybe(anyMessage),
  nonces: maybe(someNonces),
});

export const anyReportBatch: fc.Arbitrary<ReportItem[]> = fc.array(
  fc.record({
    report: anyMessage,
    intervals: maybe(fc.nat({ max: 8 }).chain((count) => bytes(count * 104))),
  }),
  { minLength: 1, maxLength: 20 },
);

export const someIntervals: fc.Arbitrary<Interval[]> = fc
  .array(fc.array(u64, { minLength: 12, maxLength: 12 }), { minLength: 1, maxLength: 8 })
  // Ticks rise, so that no two leaves are the same.
  .map((works) => works.map((each, index) => ({ endTick: BigInt(index + 1) * 1000n, work: each })));

export const anyOpening: fc.Arbitrary<Opening> = fc
  .tuple(fc.record({ ueid, sequence: u64 }), someIntervals, fc.nat())
  .map(([report, intervals, pick]) => openInterval(report, intervals, pick % intervals.length));
