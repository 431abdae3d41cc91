import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { Fuse } from "../../../firmware/protocol/board.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { encodeCertificate, ueidOf, verifyCertificate } from "../../../host/objects/endorsement.ts";
import { verifyEvidence } from "../../../host/objects/evidence.ts";
import { type CborValue, decode, type Tagged } from "../../../host/protocol/cbor.ts";
import { GovernorImage } from "../../../sim-board/governor-module.ts";
import { governorImage, Rig, signerOf } from "../../rig.ts";

/** The shipped image with a custom section (WebAssembly core specification, section 2.5) that says nothing. */
function otherImage(text = "x"): GovernorImage {
  const name = new TextEncoder().encode(text);
  const section = Uint8Array.of(0, name.length + 1, name.length, ...name);
  return new GovernorImage(Uint8Array.of(...governorImage().bytes, ...section));
}
const payloadOf = (message: Uint8Array) => ((decode(message) as Tagged).value as CborValue[])[2] as Uint8Array;
const certificateOf = (rig: Rig) => rig.ask(Command.IDENTITY)[1] as Uint8Array;
const evidenceOf = (rig: Rig, nonce = new Uint8Array(32).fill(1)) => rig.ask(Command.EVIDENCE, nonce)[1] as Uint8Array;

describe("a device's identity", () => {
  it("is its device key; the attestation key is certified by it, for this image", () => {
    const rig = Rig.ready();
    const certificate = verifyCertificate(certificateOf(rig), rig.deviceKey);
    expect(certificate.ueid).toEqual(rig.ueid);
    expect(certificate.ueid).toEqual(ueidOf(rig.deviceKey.publicKey));
    expect(certificate.measurement).toEqual(sha256(governorImage().bytes));
    expect(encodeCertificate(certificate)).toEqual(payloadOf(certificateOf(rig)));
  });

  it("stays the same through power cycles, with a new boot seed and challenge each time", () => {
    const rig = Rig.ready();
    const certificate = certificateOf(rig);
    const first = verifyEvidence(evidenceOf(rig), rig.attestationKey());
    rig.powerCycle();
    expect(certificateOf(rig)).toEqual(certificate);
    const second = verifyEvidence(evidenceOf(rig), rig.attestationKey());
    expect(second.bootSeed).not.toEqual(first.bootSeed);
    expect(second.challenge).not.toEqual(first.challenge);
    expect(second.bootCount).toBe(first.bootCount + 1);
  });

  it("is another one on another board", () => {
    const a = Rig.ready();
    const b = Rig.ready({}, { seed: 2 });
    expect(a.ueid).not.toEqual(b.ueid);
    expect(a.attestationKey().publicKey).not.toEqual(b.attestationKey().publicKey);
    expect(() => verifyEvidence(evidenceOf(a), b.attestationKey())).toThrow();
    expect(() => verifyCertificate(certificateOf(a), b.deviceKey)).toThrow();
  });

  it("signs nothing with a key that a fault changed: a second signature of the same bytes would give the secret away", () => {
    const rig = Rig.ready();
    const key = Buffer.from(rig.attestationKey().publicKey);
    const whole = rig.board.snapshot();
    const at = Buffer.from(whole.state!).indexOf(key);
    expect(at).toBeGreaterThan(0);
    for (let bit = 0; bit < 8 * key.length; bit++) {
      const state = whole.state!.slice();
      state[at + (bit >> 3)]! ^= 1 << (bit & 7);
      rig.board.restore({ ...whole, state });
      expect(rig.ask(Command.EVIDENCE, new Uint8Array(32).fill(1))).toEqual([ErrorCode.ATTESTATION_KEY]);
      expect(rig.ask(Command.REPORT)).toEqual([ErrorCode.ATTESTATION_KEY]);
    }
    rig.board.restore(whole);
    verifyEvidence(evidenceOf(rig), rig.attestationKey());
  });

  it("signs evidence that says what it is, over the verifier's nonce", () => {
    const rig = Rig.open();
    const nonce = new Uint8Array(64).map((_, i) => i);
    const evidence = verifyEvidence(evidenceOf(rig, nonce), rig.attestationKey());
    expect(evidence.nonce).toEqual(nonce);
    expect(evidence.measurement).toEqual(governorImage().sha256);
    expect(evidence.agreementDigest).toEqual(rig.digest);
    expect(evidence.gateState).toBe(GateState.OPEN);
    expect(new TextDecoder().decode(evidence.hardwareModel)).toBe("QSIM-001");
    expect(evidence.oemId).toEqual(Uint8Array.of(0xac, 0xde, 0x48));
    expect(evidence.hardwareVersion).toBe("1.00");
    expect(() => verifyEvidence(evidenceOf(rig, nonce), signerOf("stranger"))).toThrow();
  });

  it.each([
    [7, "EVIDENCE_NONCE"],
    [8, "OK"],
    [64, "OK"],
    [65, "EVIDENCE_NONCE"],
    [0, "EVIDENCE_NONCE"],
  ])("takes a nonce of %i bytes: %s", (length, verdict) => {
    expect(Rig.ready().verdict(Command.EVIDENCE, new Uint8Array(length))).toBe(verdict);
  });
});

describe("another image", () => {
  it("has another measurement and another attestation key, and the certificate says so", () => {
    const rig = Rig.open();
    const key = rig.attestationKey();
    rig.board.cutPower();
    rig.board.setImage(otherImage());
    rig.board.powerOn();
    const certificate = verifyCertificate(certificateOf(rig), rig.deviceKey);
    expect(certificate.ueid).toEqual(rig.ueid);
    expect(certificate.measurement).toEqual(otherImage().sha256);
    expect(certificate.attestationPublicKey).not.toEqual(key.publicKey);
    expect(() => verifyEvidence(evidenceOf(rig), key)).toThrow();
    expect(verifyEvidence(evidenceOf(rig), rig.attestationKey()).measurement).toEqual(otherImage().sha256);
  });

  it("cannot read the journal of the one before: the gate stays locked until the quorum recovers it", () => {
    const rig = Rig.open();
    rig.board.cutPower();
    rig.board.setImage(otherImage());
    expect(rig.powerCycle()).toBe("JOURNAL_ROLLBACK");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.info().licenseSequence).toBe(0n);
    rig.must(rig.syncTime());
    expect(rig.verdict(Command.LICENSE, rig.license({ sequence: 2n }))).toBe("GATE_LOCKED");
  });

  it("leaves the journal of the one before as it is: back in place, that goes on", () => {
    const rig = Rig.open();
    rig.board.cutPower();
    rig.board.setImage(otherImage());
    rig.board.powerOn();
    rig.board.cutPower();
    rig.board.setImage(governorImage());
    expect(rig.powerCycle()).toBe("OK");
    rig.must(rig.syncTime());
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });
});

describe("boot", () => {
  it("refuses an unprovisioned chip", () => {
    const rig = Rig.ready();
    const blank = rig.board.snapshot();
    blank.fuses.words[Fuse.LIFECYCLE] = 0;
    rig.board.restore(blank);
    expect(rig.powerCycle()).toBe("BOOT_NOT_PROVISIONED");
    expect(rig.verdict(Command.LICENSE, new Uint8Array(1))).toBe("GATE_LOCKED");
  });

  it("refuses a governor that is older than the fuses allow", () => {
    const rig = Rig.ready();
    rig.board.fuses.burn(Fuse.SVN_FLOOR, 0b11);
    expect(rig.powerCycle()).toBe("BOOT_SVN");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
  });

  it.each([0x00, 0xff, 0x5a])("refuses a random number generator that sticks at 0x%s", (stuckAt) => {
    const rig = Rig.ready();
    rig.board.trng.stuckAt = stuckAt;
    expect(rig.powerCycle()).toBe("BOOT_TRNG");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
  });

  it("refuses a random number generator that gives one block over and over", () => {
    const rig = Rig.ready();
    const block = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);
    rig.board.trng.fill = (destination) => destination.set(block.subarray(0, destination.length));
    expect(rig.powerCycle()).toBe("BOOT_TRNG");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
  });

  it("gives no time challenge and no new license challenge from a generator that sticks later", () => {
    const rig = Rig.ready();
    rig.board.trng.stuckAt = 0x33;
    expect(rig.verdict(Command.TIME_CHALLENGE)).toBe("BOOT_TRNG");
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.verdict(Command.EVIDENCE, new Uint8Array(8))).toBe("BOOT_TRNG");
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_NONCE");
  });

  it("never shows the device secret to the governor", () => {
    const rig = Rig.open();
    expect(rig.board.fuses.secretLocked).toBe(true);
    expect(rig.board.fuses.read(Fuse.DEVICE_SECRET)).toBe(0);
    const words = rig.board.fuses.snapshot().words.slice(Fuse.DEVICE_SECRET, Fuse.LIFECYCLE);
    const secret = new Uint8Array(words.buffer);
    expect(Buffer.from(rig.board.state()!).includes(Buffer.from(secret))).toBe(false);
  });
});
