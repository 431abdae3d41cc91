/** An answer may get lost on its way: who asks again is told the same, whenever and however often. */
import { describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { verifyLicense } from "../../../host/objects/license.ts";
import { verifyRecovery } from "../../../host/objects/recovery.ts";
import { addSignature, draftSign, parseSign, verificationKey } from "../../../host/protocol/cose.ts";
import { sha256 } from "../../../host/protocol/sha256.ts";
import { verifyEar } from "../../../host/rats/ear.ts";
import { NONCE_LIFETIME_MS } from "../../../host/verifier/nonces.ts";
import { BF16, PARTY_SIGNERS, signerOf } from "../fake-governor.ts";
import { engines } from "../store/engines.ts";
import { codeOf, REQUEST, type WorldOptions, whole, worldsOn } from "./world.ts";

const [, , inspectorate] = PARTY_SIGNERS;
const LOST = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK, bootCount: 0, licenseSequence: 0n };

describe.each(engines)("who asks again, on $engine,", ({ place }) => {
  const open = worldsOn(place);

  /** The license that a device was given, its evidence, and what a third party would have signed of it. */
  async function answered(options?: WorldOptions) {
    const world = await open(options);
    const device = await world.enrolled();
    const evidence = await world.evidence(device);
    const license = whole(await world.service.license({ evidence, terms: REQUEST }));
    const draft = addSignature(draftSign(parseSign(license).payload), inspectorate!, objectAad(ObjectType.LICENSE));
    return { world, device, evidence, license, draft };
  }

  it("is given the same license long after the nonce's time, which no other evidence is", async () => {
    const { world, device, evidence, license } = await answered();
    const late = await world.evidence(device);
    world.nowMs += NONCE_LIFETIME_MS + 1;
    expect(whole(await world.service.license({ evidence }))).toEqual(license);
    expect(await codeOf(world.service.license({ evidence: late }))).toBe("evidence/nonce-expired");
    expect(await codeOf(world.service.appraise(late))).toBe("evidence/nonce-expired");
  });

  it("is given the same license after an amendment that asks for more signatures", async () => {
    const { world, evidence, license } = await answered();
    const next = { ...world.agreement, version: 2, quorums: { ...world.agreement.quorums, license: 3 } };
    const bytes = signAgreement(next, PARTY_SIGNERS.slice(0, 2));
    expect(await world.service.amend(bytes)).toEqual({ version: 2 });
    expect(await world.service.amend(bytes)).toEqual({ version: 2 });
    expect(whole(await world.service.license({ evidence }))).toEqual(license);
    expect(verifyLicense(license, world.agreement).sequence).toBe(1n);
  });

  it("is given the same license with a draft of it that others signed, before or at the same time", async () => {
    const { world, evidence, license, draft } = await answered();
    expect(whole(await world.service.license({ evidence, draft }))).toEqual(license);
    const [again, drafted] = await Promise.all([
      world.service.license({ evidence }),
      world.service.license({ evidence, draft }),
    ]);
    expect([whole(again), whole(drafted)]).toEqual([license, license]);
  });

  it("gets one license for one evidence from requests that differ, however they meet", async () => {
    const world = await open();
    const device = await world.enrolled();
    const evidence = await world.evidence(device);
    const licenses = await Promise.all(
      [60, 600, 120].map(async (windowSeconds) => {
        const answer = await world.service.license({ evidence, terms: { ...REQUEST, windowSeconds } });
        return whole(answer);
      }),
    );
    expect(licenses[1]).toEqual(licenses[0]);
    expect(licenses[2]).toEqual(licenses[0]);
    expect((await world.service.device(device.ueid)).licenseSequence).toBe(1n);
  });

  it("is never handed a license for a recovery, or a recovery for a license", async () => {
    const { world, device, evidence } = await answered();
    expect(await codeOf(world.service.recovery({ evidence }))).toBe("license/signed-already");
    const lost = await world.evidence(device, LOST);
    await world.service.recovery({ evidence: lost });
    expect(await codeOf(world.service.license({ evidence: lost }))).toBe("license/signed-already");
  });

  it("finds what was appraised as good as it was, whatever else the evidence is used for", async () => {
    const world = await open();
    const device = await world.enrolled();
    const evidence = await world.evidence(device);
    const status = async () => {
      const ear = verifyEar(
        await world.service.verdict(sha256(evidence)),
        verificationKey(signerOf("verdicts").publicKey),
      );
      return ear.submods.get("governor")!.status;
    };
    expect(await world.service.appraise(evidence)).toEqual(sha256(evidence));
    expect(await status()).toBe("affirming");
    expect(await world.service.appraise(evidence)).toEqual(sha256(evidence));
    expect(await codeOf(world.service.license({ evidence }))).toBe("evidence/nonce-unknown");
    expect(await status()).toBe("affirming");
    world.nowMs += NONCE_LIFETIME_MS + 1;
    expect(await world.service.appraise(evidence)).toEqual(sha256(evidence));
  });

  it("is answered by the license that it holds, though an older evidence of it is answered first", async () => {
    const { world, device, license } = await answered();
    const older = await world.evidence(device);
    device.install(license);
    device.work(BF16, 10n);
    const newer = await world.evidence(device);
    const [, answer] = await Promise.allSettled([older, newer].map((one) => world.service.license({ evidence: one })));
    expect(answer).toMatchObject({ status: "fulfilled" });
  });

  it("is recovered from every license, one of the same moment too", async () => {
    const world = await open();
    const devices = await Promise.all(Array.from({ length: 8 }, (_, i) => world.enrolled(`device ${i}`)));
    await Promise.all(devices.map((device) => world.license(device)));
    const both = devices.map(async (device) => {
      const [evidence, lost] = [await world.evidence(device), await world.evidence(device, LOST)];
      const [license, recovery] = await Promise.allSettled([
        world.service.license({ evidence, terms: REQUEST }),
        world.service.recovery({ evidence: lost }),
      ]);
      if (recovery.status === "rejected") throw recovery.reason;
      const { totals } = verifyRecovery(whole(recovery.value), world.agreement);
      // Decided after the recovery, the license's nonce is used up.
      expect(totals[BF16]).toBe(license.status === "fulfilled" ? 2000n : 1000n);
    });
    await Promise.all(both);
  });

  it("is enrolled once, however many enrol it at once", async () => {
    const world = await open();
    const enrolAtOnce = (names: string[]) =>
      Promise.all(
        names.map((name) => {
          const device = world.device(name);
          return world.service.enrol(device.endorsement(), device.certificate());
        }),
      );
    // Connections are there before the race.
    await enrolAtOnce(["a", "b", "c", "d", "e", "f"]);
    const views = await enrolAtOnce(Array(6).fill("device"));
    expect(views.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect((await world.service.usage("fleet"))[0]).toMatchObject({ devices: 7 });
    await world.license(world.device());
  });

  it("keeps its attestation key from every other device", async () => {
    const world = await open();
    const [device, thief] = [await world.enrolled(), world.device("thief")];
    thief.attester = device.attester;
    expect(await codeOf(world.service.enrol(thief.endorsement(), thief.certificate()))).toBe("certificate/key");
    expect(await codeOf(world.service.device(thief.ueid))).toBe("device/unknown");
    await world.license(device);
  });
});
