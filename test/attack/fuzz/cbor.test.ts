/** The differential fuzzer finds a governor that takes what the host refuses, by cases that replay alone. */
import { describe, expect, it } from "vitest";
import { runCases } from "../../../attack/campaign.ts";
import { Primitives } from "../../../attack/fuzz/primitives.ts";
import { differences } from "../../../attack/fuzz-cbor.ts";
import { CLOCK, Rig } from "../../../attack/rig.ts";
import { CoseFlag } from "../../../firmware/protocol/cose-labels.ts";
import { encode } from "../../../host/protocol/cbor.ts";
import { sign1Structure, verifySign1 } from "../../../host/protocol/cose.ts";
import { without } from "../without.ts";

const AAD = new Uint8Array(0);
/** {1: -19} */
const PROTECTED = Uint8Array.of(0xa1, 0x01, 0x32);
const SEED = String(process.env.QUIESCE_SEED);

describe("the differential fuzzer", () => {
  it.each([
    ["reads claims beyond their bounds", "firmware/objects/claims.ts", "if (value > most) {", "if (false) {"],
    ["takes a kid of any length", "firmware/cose/headers.ts", " || out.kidLen != Limit.KID_BYTES", ""],
  ])("finds a governor that %s", async (_defect, path, text, instead) => {
    const image = await without(path, text, instead);
    const { findings } = runCases("fuzz-cbor", differences(SEED, image), { seed: SEED, casesMax: 30_000 });
    expect(findings.length).toBeGreaterThan(0);
    const [{ id, what }] = findings as [(typeof findings)[number]];
    expect(what).toMatch(/the firmware says|the governor traps/);
    expect(runCases("fuzz-cbor", differences(SEED, image), { seed: SEED, only: id }).findings).toEqual([{ id, what }]);
    expect(runCases("fuzz-cbor", differences(SEED), { seed: SEED, only: id }).findings).toEqual([]);
  });

  it("takes and refuses items, messages and objects in every share of its cases, and finds nothing", () => {
    const outcome = runCases("fuzz-cbor", differences(SEED), { seed: SEED, casesMax: 4000 });
    expect(outcome.findings).toEqual([]);
    expect(Object.keys(outcome.verdicts)).toEqual(
      expect.arrayContaining(["item: taken", "item: refused", "COSE_Sign1: taken", "object: taken"]),
    );
  });
});

describe("what it found", () => {
  it("the host, too, takes no recovery that leaves epochs or sequences no room to rise", () => {
    const rig = Rig.ready();
    expect(() => rig.recovery({ epoch: 0x3fffffff, sequence: 2n ** 63n - 1n })).not.toThrow();
    expect(() => rig.recovery({ epoch: 0x40000000 })).toThrow(/claim -75001 is over/);
    expect(() => rig.recovery({ sequence: 2n ** 63n })).toThrow(/claim -75002 is over/);
  });

  it("the host, too, passes over a header label of -2^64 that others write", () => {
    const signature = CLOCK.sign(sign1Structure(PROTECTED, AAD, PROTECTED));
    const [head, label] = ["8443a10132a1", "3bffffffffffffffff00"].map((text) => Buffer.from(text, "hex"));
    const rest = encode([PROTECTED, signature]).subarray(1);
    const message = Buffer.concat([head!, label!, rest]);
    expect(new Primitives().sign1Holds(message, CLOCK.publicKey, AAD)).toBe(true);
    expect(verifySign1(message, CLOCK, AAD, CoseFlag.TOLERANT).payload).toEqual(PROTECTED);
  });
});
