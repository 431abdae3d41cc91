/**
 * What a verifier does for every license and report, against what it cannot do without: the signatures alone, by
 * OpenSSL. Form is measured against a codec that is fast and checks nothing, cryptography against noble too.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { Encoder } from "cbor-x";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { Agreement } from "../../host/objects/agreement.ts";
import { decodeEvidence, type Evidence, signEvidence, verifyEvidence } from "../../host/objects/evidence.ts";
import { encodeLicense, type License, signLicense, verifyLicense } from "../../host/objects/license.ts";
import {
  decodeUsageReport,
  signUsageReport,
  type UsageReport,
  verifyUsageReport,
} from "../../host/objects/usage-report.ts";
import { ed25519Signer, ed25519Verify, parseSign1, sign1Structure } from "../../host/protocol/cose.ts";
import { sha256 } from "../../host/protocol/sha256.ts";
import type { Bench, Case } from "./frame.ts";

const filled = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const seeds = [1, 2, 3].map((fill) => filled(32, fill));
const [attester, north, south] = seeds.map(ed25519Signer) as [Signer, Signer, Signer];
type Signer = ReturnType<typeof ed25519Signer>;

/** Quantities as they are after a day of training. */
const totals = Array.from({ length: EngineClass.COUNT }, (_, engineClass) => 10n ** BigInt(8 + engineClass));
const timeBounds = { lowerMs: 1_790_000_000_000, upperMs: 1_790_000_001_000 };

const evidence: Evidence = {
  oemId: filled(3, 1),
  hardwareModel: filled(8, 1),
  hardwareVersion: "1.00",
  nonce: filled(32, 1),
  bootSeed: filled(32, 2),
  ueid: filled(33, 1),
  uptimeSeconds: 86_400,
  bootCount: 7,
  measurement: filled(32, 3),
  agreementDigest: filled(32, 4),
  epoch: 3,
  gateState: GateState.OPEN,
  tamper: 0,
  totals,
  budgetLeft: totals,
  reportHead: { sequence: 12n, digest: filled(32, 5) },
  licenseSequence: 55n,
  challenge: filled(32, 6),
  timeBounds,
  counterPermille: 3,
  flashPermille: 5,
  failures: 0,
  backOffTicks: 0n,
  svn: 1,
  agreementVersion: 1,
  lastCode: 0,
  orderDigest: filled(32, 7),
};

const report: UsageReport = {
  ueid: evidence.ueid,
  bootCount: 7,
  agreementDigest: evidence.agreementDigest,
  epoch: 3,
  sequence: 13n,
  gateState: GateState.OPEN,
  totals,
  licenseSequence: 55n,
  timeBounds,
  previous: filled(32, 5),
  fromTick: 1_000n,
  toTick: 86_400_000n,
  denied: totals.map(() => 0n),
  throttled: totals.map(() => 3n),
  transitionCount: 1,
  transitions: [{ tick: 100n, from: GateState.PAUSED, to: GateState.OPEN, code: 0 }],
  intervalCount: 3,
  intervalRoot: filled(32, 8),
};

const license: License = {
  expirySeconds: 1_790_003_600,
  notBeforeSeconds: 1_790_000_000,
  nonce: evidence.challenge,
  ueid: evidence.ueid,
  agreementDigest: evidence.agreementDigest,
  epoch: 3,
  sequence: 56n,
  budget: new Map([
    [EngineClass.TENSOR_BF16, 10n ** 18n],
    [EngineClass.COPY, 10n ** 15n],
    [EngineClass.LINK_TX, 10n ** 14n],
    [EngineClass.LINK_RX, 10n ** 14n],
  ]),
  ticksMax: 3_600_000n,
  drain: new Map([[EngineClass.COPY, 10n ** 12n]]),
  svnLeast: 0,
};

const parties = [north, south].map((signer, i) => ({ ...signer, name: `party ${i}` }));
/** All of an agreement that a license is verified by. */
const agreement = { parties, quorums: { license: 2 } } as unknown as Agreement;

/** What of this is OpenSSL's alone: the key is made, the bytes to sign lie ready. */
function native(seed: Uint8Array, message: Uint8Array) {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]); // RFC 8410 section 7
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const publicKey: KeyObject = createPublicKey(key);
  const signature = sign(null, message, key);
  return {
    signature,
    sign: () => void sign(null, message, key),
    verify: () => holds(verify(null, message, publicKey, signature)),
  };
}

function twice(act: () => void): () => void {
  return () => {
    act();
    act();
  };
}

function holds(verdict: boolean): void {
  if (!verdict) throw new Error("a good signature was refused");
}

function cases(): Case[] {
  const evidenceBytes = signEvidence(evidence, attester);
  const reportBytes = signUsageReport(report, attester);
  const payload = encodeLicense(license);
  const licenseBytes = signLicense(license, [north, south]);
  const { protectedBytes, payload: evidencePayload } = parseSign1(evidenceBytes);
  const structure = sign1Structure(protectedBytes, filled(11, 0), evidencePayload);
  const openssl = native(seeds[0]!, structure);
  const opensslSmall = native(seeds[1]!, payload);
  const forged = Uint8Array.from(openssl.signature);
  forged[0]! ^= 1;
  const cborx = new Encoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false });
  const licenseClaims = cborx.decode(payload.slice());
  const readLoosely = (bytes: Uint8Array) => void cborx.decode(cborx.decode(bytes.subarray()).value[2]);
  const [verifyAlone, signAlone, loose, noble] = ["OpenSSL verify", "OpenSSL sign", "cbor-x, unchecked", "noble"];
  const strict = { zip215: false };
  const hostVerify = () => holds(ed25519Verify(openssl.signature, structure, attester.publicKey));
  const hostSign = () => void attester.sign(structure);
  return [
    {
      name: "verify evidence",
      against: verifyAlone,
      ours: () => void verifyEvidence(evidenceBytes, attester),
      theirs: openssl.verify,
    },
    {
      name: "verify a usage report",
      against: verifyAlone,
      ours: () => void verifyUsageReport(reportBytes, attester),
      theirs: openssl.verify,
    },
    {
      name: "verify a license of two",
      against: `${verifyAlone}, twice`,
      ours: () => void verifyLicense(licenseBytes, agreement),
      theirs: twice(opensslSmall.verify),
    },
    {
      name: "draw and sign a license, one party",
      against: signAlone,
      ours: () => void signLicense(license, [north]),
      theirs: opensslSmall.sign,
    },
    {
      name: "draw and sign a license, two parties",
      against: `${signAlone}, twice`,
      ours: () => void signLicense(license, [north, south]),
      theirs: twice(opensslSmall.sign),
    },
    {
      name: "read evidence, unverified",
      against: loose,
      ours: () => void decodeEvidence(parseSign1(evidenceBytes).payload),
      theirs: () => readLoosely(evidenceBytes),
    },
    {
      name: "read a usage report, unverified",
      against: loose,
      ours: () => void decodeUsageReport(parseSign1(reportBytes).payload),
      theirs: () => readLoosely(reportBytes),
    },
    {
      name: "encode a license",
      against: loose,
      ours: () => void encodeLicense(license),
      theirs: () => void cborx.encode(licenseClaims),
    },
    { name: "Ed25519 verify", against: "OpenSSL", ours: hostVerify, theirs: openssl.verify },
    {
      name: "Ed25519 verify",
      against: noble,
      ours: hostVerify,
      theirs: () => holds(ed25519.verify(openssl.signature, structure, attester.publicKey, strict)),
    },
    {
      name: "Ed25519 refuse a forged signature",
      against: noble,
      ours: () => holds(!ed25519Verify(forged, structure, attester.publicKey)),
      theirs: () => holds(!ed25519.verify(forged, structure, attester.publicKey, strict)),
    },
    { name: "Ed25519 sign", against: "OpenSSL", ours: hostSign, theirs: openssl.sign },
    {
      name: "Ed25519 sign",
      against: noble,
      ours: hostSign,
      theirs: () => void ed25519.sign(structure, seeds[0]!),
    },
    {
      name: "SHA-256 of a report",
      against: noble,
      ours: () => void sha256(reportBytes),
      theirs: () => void nobleSha256(reportBytes),
    },
  ];
}

export const hostObjects: Bench = {
  about: "evidence, reports and licenses on the host against their signatures alone",
  cases,
};
