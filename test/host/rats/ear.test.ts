/** The attestation result: what evidence is said to show, in the words of AR4SI, and in a form that others read. */

import { readFileSync } from "node:fs";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { decodeEvidence } from "../../../host/objects/evidence.ts";
import { noWork } from "../../../host/objects/work.ts";
import { type CborMap, type CborValue, decode, encode } from "../../../host/protocol/cbor.ts";
import { parseSign1, sign1Structure } from "../../../host/protocol/cose.ts";
import { ed25519Verify } from "../../../host/protocol/cose-key.ts";
import {
  type AppraisalCode,
  concluded,
  REFUSALS,
  STEPS,
  stepName,
  stepsOf,
} from "../../../host/rats/appraisal-claims.ts";
import { TIERS, type Tier, tierOf, worstTier } from "../../../host/rats/ar4si.ts";
import {
  decodeEar,
  type Ear,
  earOf,
  encodeEar,
  GOVERNOR,
  type Judged,
  signEar,
  verifyEar,
} from "../../../host/rats/ear.ts";
import { STEP_NAMES } from "../../../host/verifier/appraisal.ts";
import { VERIFIER_ERRORS, VerifierError } from "../../../host/verifier/errors.ts";
import { codeOf } from "../../refusals.ts";
import { sharedIsHere, sharedPath } from "../../shared.ts";
import { BF16, signerOf, World } from "../fake-governor.ts";
import { cborLike, damaged } from "../protocol/cbor-arbitrary.ts";
import { anyEar, DIGEST as digest, judged, VERIFIER } from "./arbitrary.ts";
import { parseDiagnostic } from "./diagnostic.ts";

const CODES = Object.keys(REFUSALS) as AppraisalCode[];

const earFor = (change: Partial<Judged> = {}) => earOf(judged(change), VERIFIER, 1_800_000_000);
const said = (ear: Ear) => ear.submods.get(GOVERNOR)!;

describe("the tiers of AR4SI", () => {
  it("divide all values of a claim as the draft does", () => {
    const ranges: [number, number, Tier][] = [
      [-128, -97, "contraindicated"],
      [-96, -33, "warning"],
      [-32, -2, "affirming"],
      [-1, 1, "none"],
      [2, 31, "affirming"],
      [32, 95, "warning"],
      [96, 127, "contraindicated"],
    ];
    const tiers = ranges.flatMap(([from, to, tier]) => Array.from({ length: to - from + 1 }, () => tier));
    expect(Array.from({ length: 256 }, (_, i) => tierOf(i - 128))).toEqual(tiers);
  });
});

describe("the table from refusals to claims", () => {
  it("has a row for every code that evidence is refused with", () => {
    const codes = Object.keys(VERIFIER_ERRORS).filter((code) => code.startsWith("evidence/"));
    expect(codes.filter((code) => !(code in REFUSALS))).toEqual([]);
    expect(CODES.filter((code) => !(code in VERIFIER_ERRORS))).toEqual([]);
  });

  it("has a number for every step, another one for each, and no step that no appraisal has", () => {
    const names = new Set([...stepsOf("license"), ...stepsOf("recovery")]);
    expect(new Set(Object.keys(STEPS))).toEqual(names);
    const numbers = [...names].map((name) => STEPS[name]![0]);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.map(stepName)).toEqual([...names]);
  });

  it("has the steps of the appraisal, and those around them", () => {
    expect(stepsOf("license").slice(4, -1)).toEqual(STEP_NAMES.license);
    expect(stepsOf("recovery").slice(4)).toEqual(STEP_NAMES.recovery);
  });

  it("names for every refusal a step that refuses", () => {
    const names: readonly string[] = [...stepsOf("license"), ...stepsOf("recovery")];
    expect(CODES.filter((code) => !names.includes(REFUSALS[code][0]))).toEqual([]);
  });

  // biome-ignore format: a table
  const TIERS_OF: Record<AppraisalCode, Tier> = {
    "evidence/malformed": "none", "device/unknown": "contraindicated", "evidence/signature": "contraindicated",
    "device/suspended": "none", "device/retired": "none", "device/suspected-fork": "contraindicated",
    "evidence/nonce-unknown": "none", "evidence/nonce-expired": "none",
    "evidence/hardware": "contraindicated", "evidence/measurement": "contraindicated",
    "evidence/measurement-withdrawn": "contraindicated", "evidence/svn": "warning", "evidence/agreement": "contraindicated",
    "evidence/tampered": "contraindicated", "evidence/locked": "warning",
    "evidence/boot-regressed": "contraindicated", "evidence/boot-forked": "contraindicated",
    "evidence/epoch-behind": "warning", "evidence/epoch-ahead": "warning", "evidence/order-unknown": "contraindicated",
    "evidence/log-forked": "contraindicated",
    "evidence/time-unknown": "warning", "evidence/time-off": "warning",
    "evidence/totals-regressed": "contraindicated", "evidence/license-regressed": "contraindicated",
    "evidence/report-missing": "warning", "evidence/report-regressed": "contraindicated", "evidence/report-forked": "contraindicated",
    "evidence/license-unknown": "warning", "evidence/overrun": "contraindicated",
    "recovery/not-needed": "affirming",
  };
  it.each(CODES)("puts %s in its tier", (code) => {
    const purpose = code === "recovery/not-needed" ? "recovery" : "license";
    expect(said(earFor({ purpose, refusal: code })).status).toBe(TIERS_OF[code]);
  });

  it("affirms no claim whose steps did not all hold", () => {
    for (const code of CODES) {
      const purpose = code === "recovery/not-needed" ? "recovery" : "license";
      const { steps, vector } = concluded(purpose, code);
      const missing = stepsOf(purpose).filter((name) => !steps.includes(STEPS[name]![0]));
      expect(missing.length, code).toBeGreaterThan(0);
      for (const [claim, value] of vector) {
        const isAffirmed = tierOf(value) === "affirming";
        if (isAffirmed)
          expect(
            missing.filter((name) => STEPS[name]![1] === claim),
            `${code}: ${claim}`,
          ).toEqual([]);
      }
    }
  });
});

describe("the result of an appraisal", () => {
  it("of good evidence for a license affirms identity, configuration, executables and hardware, and claims no more", () => {
    const { status, vector, steps } = said(earFor());
    expect(status).toBe("affirming");
    expect(Object.fromEntries(vector)).toEqual({
      "instance-identity": 2,
      configuration: 2,
      executables: 3,
      hardware: 2,
    });
    expect(steps?.map(stepName)).toEqual(stepsOf("license"));
  });

  it("of a board that lost its journal is a warning, though it may have a recovery", () => {
    const { status, vector } = said(earFor({ purpose: "recovery" }));
    expect(status).toBe("warning");
    expect(Object.fromEntries(vector)).toEqual({
      "instance-identity": 2,
      configuration: 36,
      executables: 3,
      hardware: 2,
    });
  });

  it("after a refusal that no row explains says nothing at all", () => {
    expect(said(earFor({ refusal: "nonces/mismatch" }))).toMatchObject({
      status: "none",
      vector: new Map(),
      steps: [],
    });
  });

  it("keeps what a license was refused for, and holds it against nobody's evidence", () => {
    const { status, refusal } = said(earFor({ refusal: "license/over-cap" }));
    expect([status, refusal]).toEqual(["affirming", "license/over-cap"]);
  });

  it("says which steps held before the refusal: the verifier asks in this order", () => {
    const faults = {
      "evidence/hardware": { hardwareVersion: "2.00" },
      "evidence/measurement": { measurement: digest },
      "evidence/svn": { svn: 0 },
      "evidence/agreement": { agreementDigest: digest },
      "evidence/tampered": { tamper: 4 },
      "evidence/locked": { gateState: GateState.LOCKED },
      "evidence/boot-forked": { bootSeed: digest },
      "evidence/epoch-ahead": { epoch: 2 },
      "evidence/time-unknown": { timeBounds: null },
      "evidence/totals-regressed": { totals: noWork() },
      "evidence/report-forked": { reportHead: { sequence: 1n, digest } },
      "evidence/license-unknown": { licenseSequence: 9n },
    } as const;
    const codes = Object.keys(faults) as (keyof typeof faults)[];
    const refusedFor = (change: object) => {
      const world = new World();
      const device = world.enrolled();
      device.install(
        world.verifier.issueLicense(device.evidence(), {
          budget: new Map([[BF16, 1000n]]),
          ticksMax: 1000n,
          windowSeconds: 600,
        }),
      );
      device.work(BF16, 300n);
      device.upload();
      world.verifier.appraise(device.evidence());
      try {
        world.verifier.appraise(device.evidence(change));
      } catch (error) {
        if (error instanceof VerifierError) return error.code;
        throw error;
      }
      return undefined;
    };
    const order = stepsOf("license");
    const stepOf = (code: AppraisalCode) => order.indexOf(REFUSALS[code][0]);
    for (let i = 0; i < codes.length; i += 1) {
      expect(refusedFor(faults[codes[i]!])).toBe(codes[i]);
      const later = codes[i + 1];
      if (!later) continue;
      expect(stepOf(codes[i]!), codes[i]).toBeLessThanOrEqual(stepOf(later));
      expect(refusedFor({ ...faults[later], ...faults[codes[i]!] })).toBe(codes[i]);
    }
  });
});

describe("the bytes of a result", () => {
  it("come back as the result they were, and as the same bytes", () => {
    fc.assert(
      fc.property(anyEar, (ear) => {
        const payload = encodeEar(ear);
        expect(decodeEar(payload)).toEqual(ear);
        expect(Buffer.compare(encodeEar(decodeEar(payload)), payload)).toBe(0);
      }),
    );
  });

  it("are short: one is kept for each license", () => {
    expect(encodeEar(earFor()).length).toBeLessThan(300);
  });

  it("have the numbers of the draft", () => {
    const claims = decode(encodeEar(earFor({ refusal: "evidence/measurement-withdrawn" }))) as CborMap;
    expect([...claims.keys()]).toEqual([6, 265, 266, 1004]);
    expect(claims.get(265)).toBe("tag:ietf.org,2026:rats/ear#03");
    const appraisal = (claims.get(266) as CborMap).get("governor") as CborMap;
    expect(appraisal.get(1000)).toBe(96);
    expect((appraisal.get(1001) as CborMap).get(2)).toBe(96);
  });

  it.skipIf(!sharedIsHere)("of the draft's own example are read as its text says: executables contraindicated", () => {
    const text = readFileSync(sharedPath("vectors/eat/ear-cbor-1.diag.txt"), "utf8");
    const ear = decodeEar(encode(parseDiagnostic(text)));
    expect(ear.issuedAtSeconds).toBe(1_666_529_184);
    expect(ear.verifier).toEqual({ developer: "https://veraison-project.org", build: "vts 0.0.1" });
    expect(ear.submods.get("PSA")).toMatchObject({
      status: "contraindicated",
      vector: new Map([
        ["instance-identity", 2],
        ["executables", 96],
        ["hardware", 2],
      ]),
      policyIds: ["https://veraison.example/policy/1/60a0068d"],
    });
  });

  it("are passed over where they are claims that this verifier does not know", () => {
    const claims = new Map(decode(encodeEar(earFor())) as CborMap).set(1002, digest).set("ext", 1);
    expect(decodeEar(encode(claims))).toEqual(earFor());
  });

  const claims = decode(encodeEar(earFor())) as CborMap;
  const changed = (label: CborValue, value: CborValue) => new Map(claims).set(label, value);
  const appraisal = (claims.get(266) as CborMap).get(GOVERNOR) as CborMap;
  const ofGovernor = (label: number, value: CborValue) =>
    changed(266, new Map([[GOVERNOR, new Map(appraisal).set(label, value)]]));
  const vector = (...entries: [CborValue, CborValue][]) => ofGovernor(1001, new Map(entries));
  // biome-ignore format: a table
  const REFUSED: [string, CborValue][] = [
    ["another profile", changed(265, "tag:github.com,2023:veraison/ear")],
    ["a time that is a text", changed(6, "2026")],
    ["no verifier", new Map([...claims].filter(([label]) => label !== 1004))],
    ["a verifier without a build", changed(1004, new Map([[0, "x"]]))],
    ["no attester", changed(266, new Map())],
    ["seventeen attesters", changed(266, new Map(Array.from({ length: 17 }, (_, i) => [`${i}`, appraisal])))],
    ["an attester with a number for a label", changed(266, new Map([[1, appraisal]]))],
    ["a status that is no tier", ofGovernor(1000, 3)],
    ["a status that is better than the worst claim", vector([4, 96])],
    ["a claim over a signed byte", vector([0, 128])],
    ["a claim that AR4SI does not have", vector([8, 2])],
    ["a policy that is no list", ofGovernor(1003, "policy")],
    ["a nonce that is too short", ofGovernor(10, new Uint8Array(7))],
    ["a digest that is too short", ofGovernor(-75033, new Uint8Array(31))],
    ["a purpose that is none", ofGovernor(-75034, 0)],
    ["a step with a name", ofGovernor(-75035, ["x"])],
    ["an empty refusal", ofGovernor(-75036, "")],
    ["an array", [...claims.values()]],
  ];
  it.each(REFUSED)("are refused with %s", (_name, value) => {
    expect(codeOf(() => decodeEar(encode(value)))).toBe(ErrorCode.CBOR_TYPE);
  });

  it("are read or refused, never a crash, whatever they are; and no status is better than its worst claim", () => {
    fc.assert(
      fc.property(fc.oneof(cborLike, damaged(anyEar.map(encodeEar))), (bytes) => {
        codeOf(() => {
          for (const { status, vector: read } of decodeEar(bytes).submods.values()) {
            expect(TIERS[status]).toBeGreaterThanOrEqual(TIERS[worstTier(read)]);
          }
        });
      }),
      { numRuns: 500 },
    );
  });
});

describe("a signed result", () => {
  const key = signerOf("verifier");
  const payload = encodeEar(earFor());

  it("holds under the verifier's key and under no other", () => {
    const bytes = signEar(payload, key);
    expect(verifyEar(bytes, key)).toEqual(earFor());
    expect(codeOf(() => verifyEar(bytes, signerOf("other")))).toBe(ErrorCode.COSE_KID);
  });

  it("is a plain CWT, whose signature any reader of COSE can check: no external AAD", () => {
    const { protectedBytes, signature, payload: signed } = parseSign1(signEar(payload, key));
    const structure = sign1Structure(protectedBytes, new Uint8Array(0), signed);
    expect(ed25519Verify(signature, structure, key.publicKey)).toBe(true);
  });

  it("says of real evidence whose it is and which bytes they were", () => {
    const world = new World();
    const bytes = world.enrolled().evidence();
    const { ueid, nonce } = decodeEvidence(parseSign1(bytes).payload);
    const ear = earOf({ evidenceDigest: sha256(bytes), purpose: "license", ueid, nonce }, VERIFIER, 1);
    expect(said(verifyEar(signEar(encodeEar(ear), key), key))).toMatchObject({
      ueid,
      nonce,
      evidenceDigest: sha256(bytes),
    });
  });
});
