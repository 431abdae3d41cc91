import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { noWork } from "../../../host/objects/work.ts";
import { addSignature } from "../../../host/protocol/cose.ts";
import { draftOrder, importDraft } from "../../../host/verifier/draft.ts";
import { JUDGEMENT_ERRORS, VerifierError } from "../../../host/verifier/errors.ts";
import { NONCE_LIFETIME_MS } from "../../../host/verifier/nonces.ts";
import { Party } from "../../../host/verifier/party.ts";
import { agreementOf, BF16, COPY, PARTY_SIGNERS, signerOf, World } from "../fake-governor.ts";

const REQUEST = { budget: new Map([[BF16, 1000n]]), ticksMax: 1000n, windowSeconds: 600 };
const GARBAGE = Uint8Array.of(1, 2, 3);
const stranger = signerOf("stranger");
const bytes = (fill: number, length = 32) => new Uint8Array(length).fill(fill);
const works = (...entries: [number, bigint][]) => {
  const all = noWork();
  for (const [engineClass, work] of entries) all[engineClass] = work;
  return all;
};

/** A device that did 300 of 1,000 under its first license, with everything reported. */
function working(world = new World()) {
  const device = world.enrolled();
  const { verifier } = world;
  device.install(verifier.issueLicense(device.evidence(), REQUEST));
  device.work(BF16, 300n);
  device.upload();
  verifier.appraise(device.evidence());
  return { world, device, verifier };
}

const appraise = (change: object) => () => {
  const { verifier, device } = working();
  verifier.appraise(device.evidence(change));
};
const accept =
  (change: object, withIntervals = true) =>
  () => {
    const { verifier, device } = working();
    device.work(BF16, 10n);
    const { report, intervals } = device.report(change);
    verifier.acceptReport(report, withIntervals ? intervals : undefined);
  };
const request = (change: object) => () => {
  const { verifier, device } = working();
  verifier.issueLicense(device.evidence(), { ...REQUEST, ...change });
};
const locked = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK };

/** How each refusal comes about. */
const REFUSALS: Record<keyof typeof JUDGEMENT_ERRORS, () => void> = {
  "agreement/malformed": () => new World().verifier.amend(GARBAGE),
  "agreement/signature": () => {
    new World().verifier.amend(signAgreement(agreementOf({ version: 2 }), PARTY_SIGNERS.slice(0, 1)));
  },

  "endorsement/malformed": () => {
    const world = new World();
    world.verifier.enrol(GARBAGE, world.device().certificate());
  },
  "endorsement/signature": () => {
    const world = new World();
    const device = world.device();
    world.verifier.enrol(device.endorsement({}, stranger), device.certificate());
  },
  "endorsement/ueid": () => {
    const world = new World();
    const device = world.device();
    world.verifier.enrol(device.endorsement({ ueid: bytes(1, 33) }), device.certificate());
  },
  "certificate/malformed": () => {
    const world = new World();
    world.verifier.enrol(world.device().endorsement(), GARBAGE);
  },
  "certificate/signature": () => {
    const world = new World();
    const device = world.device();
    world.verifier.enrol(device.endorsement(), device.certificate({}, stranger));
  },
  "certificate/ueid": () => {
    const world = new World();
    const device = world.device();
    world.verifier.enrol(device.endorsement(), device.certificate({ ueid: bytes(1, 33) }));
  },
  "certificate/measurement": () => {
    const world = new World();
    const device = world.device();
    world.verifier.enrol(device.endorsement(), device.certificate({ measurement: bytes(0xbb) }));
  },
  "device/unknown": () => {
    const world = new World();
    world.verifier.challenge(world.device().ueid);
  },

  "evidence/malformed": () => {
    working().verifier.appraise(GARBAGE);
  },
  "evidence/signature": () => {
    const { verifier, device } = working();
    verifier.appraise(device.evidence({}, stranger));
  },
  "evidence/nonce-unknown": () => {
    const { verifier, device } = working();
    const evidence = device.evidence();
    verifier.appraise(evidence);
    verifier.appraise(evidence);
  },
  "evidence/nonce-expired": () => {
    const { verifier, device, world } = working();
    const evidence = device.evidence();
    world.nowMs += NONCE_LIFETIME_MS + 1;
    verifier.appraise(evidence);
  },
  "evidence/hardware": appraise({ hardwareVersion: "2.00" }),
  "evidence/measurement": appraise({ measurement: bytes(0xbb) }),
  "evidence/measurement-withdrawn": () => {
    const { verifier, device } = working();
    verifier.setReferences({ manufacturers: [], measurements: [] });
    verifier.appraise(device.evidence());
  },
  "evidence/svn": appraise({ svn: 0 }),
  "evidence/agreement": appraise({ agreementDigest: bytes(1) }),
  "evidence/tampered": appraise({ tamper: 4 }),
  "evidence/locked": appraise(locked),
  "evidence/epoch-behind": () => {
    const { verifier, device, world } = working();
    world.order(OrderAction.PAUSE);
    verifier.appraise(device.evidence());
  },
  "evidence/epoch-ahead": appraise({ epoch: 2 }),
  "evidence/order-unknown": () => {
    const { verifier, device, world } = working();
    world.order(OrderAction.PAUSE, [device]);
    verifier.appraise(device.evidence({ orderDigest: bytes(1) }));
  },
  "evidence/time-unknown": appraise({ timeBounds: null }),
  "evidence/time-off": appraise({ timeBounds: { lowerMs: 1_800_000_005_000, upperMs: 1_800_000_006_000 } }),
  "evidence/boot-regressed": appraise({ bootCount: 0 }),
  "evidence/boot-forked": appraise({ bootSeed: bytes(7) }),
  "evidence/totals-regressed": appraise({ totals: works([BF16, 299n]) }),
  "evidence/license-regressed": appraise({ licenseSequence: 0n }),
  "evidence/license-unknown": appraise({ licenseSequence: 9n }),
  "evidence/report-missing": () => {
    const { verifier, device } = working();
    device.report();
    verifier.appraise(device.evidence());
  },
  "evidence/report-regressed": appraise({ reportHead: { sequence: 0n, digest: bytes(0) } }),
  "evidence/report-forked": appraise({ reportHead: { sequence: 1n, digest: bytes(1) } }),
  "evidence/overrun": () => {
    const { verifier, device } = working();
    device.work(BF16, 1n, true);
    device.upload();
    verifier.appraise(device.evidence());
  },

  "license/paused": () => {
    const { verifier, device, world } = working();
    world.order(OrderAction.PAUSE, [device]);
    verifier.issueLicense(device.evidence(), REQUEST);
  },
  "license/request": request({ windowSeconds: 0 }),
  "license/over-cap": request({ budget: new Map([[BF16, 10_001n]]) }),
  "license/sequence-exhausted": () => {
    const { verifier, device, world } = working();
    const record = world.storage.device(Buffer.from(device.ueid).toString("hex"))!;
    world.storage.putDevice({ ...record, sequenceIssued: device.licenseSequence + 1024n });
    verifier.issueLicense(device.evidence(), REQUEST);
  },
  "license/quorum": () => {
    const never = { licenses: false };
    const world = new World({}, [{}, never, never]);
    world.verifier.issueLicense(world.enrolled().evidence(), REQUEST);
  },

  "report/malformed": () => {
    working().verifier.acceptReport(GARBAGE);
  },
  "report/intervals-malformed": () => {
    const { verifier, device } = working();
    verifier.acceptReport(device.report().report, GARBAGE);
  },
  "report/signature": () => {
    const { verifier, device } = working();
    verifier.acceptReport(device.report({}, stranger).report);
  },
  "report/gap": accept({ sequence: 3n }),
  "report/forked": accept({ previous: bytes(1) }),
  "report/totals-regressed": accept({ totals: works([BF16, 299n]) }),
  "report/key-regressed": () => {
    const { verifier, device } = working();
    const leaked = device.attester;
    device.attester = signerOf("newer attester");
    verifier.enrol(device.endorsement(), device.certificate());
    device.upload();
    const { report, intervals } = device.report({}, leaked);
    verifier.acceptReport(report, intervals);
  },
  "report/boot-regressed": accept({ bootCount: 0 }),
  "report/ticks-regressed": accept({ fromTick: 0n }),
  "report/license-regressed": accept({ licenseSequence: 0n }),
  "report/license-unknown": accept({ licenseSequence: 2n }),
  "report/agreement": accept({ agreementDigest: bytes(1) }),
  "report/intervals": accept({ totals: works([BF16, 311n]) }),

  "order/malformed": () => {
    new World().verifier.proposeOrder({ action: OrderAction.SLOW });
  },
  "order/signature": () => {
    const { verifier, agreement, digest } = new World();
    const grounds = { agreement, agreementDigest: digest, orders: verifier.ceremony.book };
    const { bytes } = draftOrder({ action: OrderAction.PAUSE }, grounds, 0);
    importDraft(addSignature(bytes, stranger, objectAad(ObjectType.ORDER)), grounds);
  },
  "order/mixed": () => {
    const world = new World({ quorums: { license: 2, pause: 3, resume: 2, update: 2, amend: 2 } });
    const [slow, full] = [world.enrolled("a"), world.enrolled("b")];
    const { verifier } = world;
    const { id } = verifier.proposeOrder({ action: OrderAction.SLOW, permille: 300, scope: [slow.ueid] });
    for (const party of world.parties) verifier.approveOrder(id, party);
    verifier.proposeOrder({ action: OrderAction.SLOW, permille: 500, scope: [slow.ueid, full.ueid] });
  },
  "order/out-of-turn": () => {
    const { verifier, parties, nowMs } = new World();
    const tomorrow = Math.floor(nowMs / 1000) + 86_400;
    const { id } = verifier.proposeOrder({ action: OrderAction.PAUSE, notBeforeSeconds: tomorrow });
    verifier.approveOrder(id, parties[0]!);
    verifier.proposeOrder({ action: OrderAction.RESUME });
  },
  "order/unknown": () => {
    const world = new World();
    world.verifier.approveOrder(1, world.parties[0]!);
  },
  "order/stale": () => {
    const world = new World();
    const { id } = world.verifier.proposeOrder({ action: OrderAction.PAUSE });
    world.order(OrderAction.PAUSE);
    world.verifier.approveOrder(id, world.parties[1]!);
  },
  "order/active": () => {
    const world = new World();
    const { id } = world.verifier.proposeOrder({ action: OrderAction.PAUSE });
    world.verifier.approveOrder(id, world.parties[0]!);
    world.verifier.approveOrder(id, world.parties[1]!);
  },
  "order/not-a-party": () => {
    const world = new World();
    const { id } = world.verifier.proposeOrder({ action: OrderAction.PAUSE });
    world.verifier.approveOrder(id, new Party("stranger", stranger));
  },
  "order/signed-already": () => {
    const world = new World();
    const { id } = world.verifier.proposeOrder({ action: OrderAction.RESUME });
    world.verifier.approveOrder(id, world.parties[0]!);
    world.verifier.approveOrder(id, world.parties[0]!);
  },

  "recovery/not-needed": () => {
    const { verifier, device } = working();
    verifier.issueRecovery(device.evidence());
  },
  "recovery/quorum": () => {
    const never = { recoveries: false };
    const { verifier, device } = working(new World({}, [{}, never, never]));
    verifier.issueRecovery(device.evidence(locked));
  },
};

function verifierCodeOf(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof VerifierError) return error.code;
    throw error;
  }
  return undefined;
}

describe("the verifier refuses", () => {
  it.each(Object.entries(REFUSALS))("%s", (code, act) => {
    expect(verifierCodeOf(act)).toBe(code);
  });

  it("nothing that this table doesn't show", () => {
    expect(Object.keys(REFUSALS).sort()).toEqual(Object.keys(JUDGEMENT_ERRORS).sort());
  });

  it("with a class that says who must act", () => {
    expect(new VerifierError("evidence/malformed").class).toBe("malformed");
    expect(new VerifierError("evidence/signature").class).toBe("invalid");
    expect(new VerifierError("evidence/svn").class).toBe("policy");
  });
});

describe("a nonce", () => {
  it("is good for one device only", () => {
    const world = new World();
    const [a, b] = [world.enrolled("a"), world.enrolled("b")];
    const nonce = world.verifier.challenge(a.ueid);
    expect(verifierCodeOf(() => world.verifier.appraise(b.evidence({ nonce })))).toBe("evidence/nonce-unknown");
    world.verifier.appraise(a.evidence({ nonce }));
  });

  it("is no good any more once a newer one was used", () => {
    const world = new World();
    const device = world.enrolled();
    const [older, newer] = [world.verifier.challenge(device.ueid), world.verifier.challenge(device.ueid)];
    world.verifier.appraise(device.evidence({ nonce: newer }));
    expect(verifierCodeOf(() => world.verifier.appraise(device.evidence({ nonce: older })))).toBe(
      "evidence/nonce-unknown",
    );
  });

  it("is of this verifier: no bit of it can be changed, and none is made elsewhere", () => {
    const world = new World();
    const device = world.enrolled();
    const nonce = world.verifier.challenge(device.ueid);
    for (let bit = 0; bit < nonce.length * 8; bit++) {
      const changed = Uint8Array.from(nonce);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(verifierCodeOf(() => world.verifier.appraise(device.evidence({ nonce: changed })))).toBe(
        "evidence/nonce-unknown",
      );
    }
    world.verifier.appraise(device.evidence({ nonce }));
  });

  it("is not used up by evidence that nobody enrolled signed", () => {
    const world = new World();
    const device = world.enrolled();
    const nonce = world.verifier.challenge(device.ueid);
    expect(verifierCodeOf(() => world.verifier.appraise(device.evidence({ nonce }, stranger)))).toBe(
      "evidence/signature",
    );
    world.verifier.appraise(device.evidence({ nonce }));
  });
});

describe("a refused report", () => {
  it("leaves the chain as it was", () => {
    const { verifier, device } = working();
    device.work(COPY, 5n, true);
    const { head, intervals } = device;
    expect(verifierCodeOf(() => verifier.acceptReport(device.report({ totals: noWork() }).report))).toBe(
      "report/totals-regressed",
    );
    device.head = head;
    device.intervals = intervals;
    const good = device.report();
    expect(verifier.acceptReport(good.report, good.intervals)).toMatchObject({ sequence: 2n, repeated: false });
  });
});
