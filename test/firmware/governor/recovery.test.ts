import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { PARTIES, phaseOf, Rig, STRANGER } from "../../rig.ts";
import { altered, cutEverywhere } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const WORK_MAX = 2n ** 128n - 1n;

/** A board that did some work and whose flash was rolled back to before it. */
function rolledBack(): Rig {
  const rig = Rig.open();
  const old = rig.board.flash.image();
  rig.board.run(phaseOf(70));
  rig.report();
  rig.board.cutPower();
  rig.board.flash.replace(old);
  rig.board.powerOn();
  expect(rig.lastReason).toBe("JOURNAL_ROLLBACK");
  return rig;
}

const totalsOf = (value: bigint) => Array.from({ length: 12 }, (_, c) => (c === BF16 ? value : 0n));

describe("a recovery", () => {
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["by the license quorum on the governor's challenge is taken", (rig) => rig.recovery(), "OK"],
    ["by one party", (rig) => rig.recovery({}, PARTIES.slice(0, 1)), "COSE_QUORUM"],
    ["by a stranger and a party", (rig) => rig.recovery({}, [PARTIES[0]!, STRANGER]), "COSE_QUORUM"],
    ["on another nonce", (rig) => rig.recovery({ nonce: new Uint8Array(32) }), "RECOVERY_NONCE"],
    ["for another device", (rig) => rig.recovery({ ueid: new Uint8Array(33) }), "RECOVERY_DEVICE"],
    ["under another agreement", (rig) => rig.recovery({ agreementDigest: new Uint8Array(32) }), "RECOVERY_AGREEMENT"],
    [
      "without the report head",
      (rig) => altered(rig.recovery(), ObjectType.RECOVERY, (c) => c.delete(-75017)),
      "RECOVERY_CLAIM",
    ],
    [
      "without totals",
      (rig) => altered(rig.recovery(), ObjectType.RECOVERY, (c) => c.delete(-75015)),
      "RECOVERY_CLAIM",
    ],
    [
      "with the totals of some classes only",
      (rig) => altered(rig.recovery(), ObjectType.RECOVERY, (c) => c.set(-75015, new Map([[2, new Uint8Array(16)]]))),
      "RECOVERY_CLAIM",
    ],
    [
      "without an action",
      (rig) => altered(rig.recovery(), ObjectType.RECOVERY, (c) => c.delete(-75009)),
      "RECOVERY_CLAIM",
    ],
    [
      "with a rate and no slow order",
      (rig) => altered(rig.recovery(), ObjectType.RECOVERY, (c) => c.set(-75012, 500)),
      "RECOVERY_CLAIM",
    ],
    [
      "with a slow order and no rate",
      (rig) => altered(rig.recovery(), ObjectType.RECOVERY, (c) => c.set(-75009, 2)),
      "RECOVERY_CLAIM",
    ],
  ];
  it.each(table)("%s", (_, recovery, verdict) => {
    const rig = rolledBack();
    expect(rig.verdict(Command.RECOVER, recovery(rig))).toBe(verdict);
    expect(rig.board.gateState).toBe(verdict === "OK" ? GateState.IDLE : GateState.LOCKED);
  });

  it("is refused where none is needed", () => {
    const rig = Rig.open();
    expect(rig.verdict(Command.RECOVER, rig.recovery())).toBe("RECOVERY_NOT_NEEDED");
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it("is good once: the next loss wants a new one", () => {
    const rig = rolledBack();
    const recovery = rig.recovery({ totals: totalsOf(rig.done(BF16)) });
    rig.must(rig.send(Command.RECOVER, recovery));
    expect(rig.verdict(Command.RECOVER, recovery)).toBe("RECOVERY_NOT_NEEDED");
    const old = rig.board.flash.image();
    rig.must(rig.send(Command.REPORT));
    rig.board.cutPower();
    rig.board.flash.replace(old);
    rig.board.powerOn();
    expect(rig.verdict(Command.RECOVER, recovery)).toBe("RECOVERY_NONCE");
  });

  it("says what was done, reported and ordered; the device goes on from there", () => {
    const rig = rolledBack();
    const done = rig.done(BF16);
    const head = { sequence: 7n, digest: new Uint8Array(32).fill(9) };
    rig.must(
      rig.send(Command.RECOVER, rig.recovery({ totals: totalsOf(done), reportHead: head, sequence: 55n, epoch: 3 })),
    );
    expect(rig.info()).toMatchObject({ totals: totalsOf(done), reportHead: head, licenseSequence: 55n, epoch: 3 });
    rig.must(rig.syncTime());
    expect(rig.verdict(Command.LICENSE, rig.license({ sequence: 55n }))).toBe("LICENSE_SEQUENCE_REPLAYED");
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.run(phaseOf(5)).completed).toBe(true);
    const { report } = rig.report();
    expect(report.sequence).toBe(8n);
    expect(report.previous).toEqual(head.digest);
    expect(report.totals[BF16]).toBe(rig.done(BF16));
    expect(rig.powerCycle()).toBe("OK");
    expect(rig.info().licenseSequence).toBe(56n);
  });

  it.each([
    ["paused", OrderAction.PAUSE, undefined, GateState.PAUSED],
    ["slowed", OrderAction.SLOW, 100, GateState.IDLE],
    ["free", OrderAction.RESUME, undefined, GateState.IDLE],
  ] as const)("leaves a device %s if the parties say so", (_, action, permille, state) => {
    const rig = rolledBack();
    rig.must(rig.send(Command.RECOVER, rig.recovery({ action, permille, totals: totalsOf(rig.done(BF16)) })));
    expect(rig.board.gateState).toBe(state);
    rig.restart();
    expect(rig.board.gateState).toBe(state);
    if (action === OrderAction.SLOW) {
      rig.must(rig.send(Command.LICENSE, rig.license()));
      expect(rig.board.gateState).toBe(GateState.SLOWED);
    }
  });

  it("brings no license back: the one from before the loss is void", () => {
    const rig = rolledBack();
    rig.must(rig.send(Command.RECOVER, rig.recovery({ totals: totalsOf(rig.done(BF16)) })));
    rig.must(rig.syncTime());
    rig.board.advance(5);
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });

  it("makes every image from before it an old one", () => {
    const rig = Rig.open();
    const images = [rig.board.flash.image()];
    rig.board.run(phaseOf(70));
    images.push(rig.board.flash.image());
    rig.report();
    images.push(rig.board.flash.image());
    rig.board.cutPower();
    rig.board.flash.replace(images[0]!);
    rig.board.powerOn();
    rig.must(rig.send(Command.RECOVER, rig.recovery({ totals: totalsOf(rig.done(BF16)) })));
    for (const image of images) {
      rig.board.cutPower();
      const now = rig.board.flash.image();
      rig.board.flash.replace(image);
      rig.board.powerOn();
      expect(rig.board.gateState).toBe(GateState.LOCKED);
      rig.board.cutPower();
      rig.board.flash.replace(now);
      rig.must(rig.board.powerOn());
    }
  });

  it("that loses its power anywhere holds afterwards, or can be asked for again", () => {
    const rig = rolledBack();
    const totals = totalsOf(rig.done(BF16));
    const recovery = rig.recovery({ totals });
    const cuts = cutEverywhere(
      rig,
      () => rig.must(rig.send(Command.RECOVER, recovery)),
      () => {
        rig.board.powerOn();
        if (rig.board.gateState === GateState.LOCKED) {
          expect(rig.verdict(Command.RECOVER, recovery)).toBe("RECOVERY_NONCE");
          rig.must(rig.send(Command.RECOVER, rig.recovery({ totals })));
        }
        expect(rig.info().totals).toEqual(totals);
        rig.must(rig.syncTime());
        rig.must(rig.send(Command.LICENSE, rig.license()));
        expect(rig.board.run(phaseOf(1)).completed).toBe(true);
      },
    );
    expect(cuts).toBeGreaterThan(6);
  });

  it("needs the agreement: without it the device waits for both", () => {
    const rig = Rig.open();
    const blank = new Rig().board.flash.image();
    rig.board.cutPower();
    rig.board.flash.replace(blank);
    rig.board.powerOn();
    expect(rig.verdict(Command.RECOVER, rig.recovery())).toBe("AGREEMENT_MISSING");
    rig.must(rig.provision());
    expect(rig.verdict(Command.RECOVER, rig.recovery())).toBe("OK");
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });
});

describe("a total at its end", () => {
  /** A device whose BF16 total is so near the end of its 128 bits that a few seconds of work reach it. */
  function nearTheEnd(left: bigint): Rig {
    const rig = rolledBack();
    rig.must(rig.send(Command.RECOVER, rig.recovery({ totals: totalsOf(WORK_MAX - left) })));
    rig.must(rig.syncTime());
    rig.must(rig.send(Command.LICENSE, rig.license()));
    return rig;
  }

  it("locks the gate: it saturates, and never wraps", () => {
    const rig = nearTheEnd(10n ** 15n + 5n);
    rig.board.submit(phaseOf(100));
    rig.board.advance(30);
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.lastReason).toBe("METER_SATURATED");
    expect(rig.info().totals[BF16]).toBe(WORK_MAX);
  });

  it("stays locked through any number of power cycles: no work is done that no total can hold", () => {
    const rig = nearTheEnd(10n ** 15n);
    rig.board.submit(phaseOf(100));
    rig.board.advance(30);
    const done = rig.done(BF16);
    for (let i = 0; i < 4; i++) {
      rig.board.cutPower();
      rig.board.powerOn();
      rig.send(Command.TIME_PROOF, rig.timeProof());
      rig.send(Command.LICENSE, rig.license());
      rig.board.submit(phaseOf(100));
      rig.board.advance(30);
      expect(rig.done(BF16)).toBe(done);
      expect(rig.board.gateState).toBe(GateState.LOCKED);
    }
  });

  it("that a power cut may have reached locks the gate as well", () => {
    const rig = nearTheEnd(10n ** 10n);
    expect(rig.board.accelerator.creditOf(BF16)).toBeGreaterThan(10n ** 10n);
    expect(rig.powerCycle()).toBe("METER_SATURATED");
    expect(rig.board.gateState).toBe(GateState.LOCKED);
  });
});

describe("a recovery that says what is in force", () => {
  /** One party licenses, one pauses, and it takes all three to resume. */
  const lopsided = { quorums: { license: 1, pause: 1, resume: 3, update: 2, amend: 2 } };

  function pausedAndErased(): Rig {
    const rig = Rig.ready(lopsided);
    rig.obey(OrderAction.PAUSE);
    const erased = new Rig(lopsided).board.flash.image();
    rig.board.cutPower();
    rig.board.flash.replace(erased);
    rig.board.powerOn();
    rig.must(rig.provision());
    expect(rig.lastReason).toBe("JOURNAL_MISSING");
    return rig;
  }

  it("cannot lift a pause with fewer parties than a resume takes", () => {
    const rig = pausedAndErased();
    const one = PARTIES.slice(0, 1);
    expect(rig.verdict(Command.RECOVER, rig.recovery({ action: OrderAction.RESUME }, one))).toBe("COSE_QUORUM");
    expect(rig.verdict(Command.RECOVER, rig.recovery({ action: OrderAction.SLOW, permille: 5 }, one))).toBe(
      "COSE_QUORUM",
    );
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    rig.must(rig.send(Command.RECOVER, rig.recovery({ action: OrderAction.RESUME }, PARTIES)));
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });

  it("takes the license quorum alone where it leaves the board paused", () => {
    const rig = pausedAndErased();
    rig.must(rig.send(Command.RECOVER, rig.recovery({ action: OrderAction.PAUSE }, PARTIES.slice(0, 1))));
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("leaves the board without a clock: what was known of the time is from before", () => {
    const rig = pausedAndErased();
    rig.must(rig.send(Command.RECOVER, rig.recovery({ action: OrderAction.RESUME }, PARTIES)));
    expect(rig.info().timeBounds).toBeNull();
  });
});

describe("a recovery of a faulty meter", () => {
  it("takes back nothing that the journal holds, whatever it says", () => {
    const rig = Rig.ready();
    rig.obey(OrderAction.SLOW, { permille: 900 });
    rig.must(rig.send(Command.LICENSE, rig.license()));
    rig.board.run(phaseOf(10));
    rig.report();
    const engine = rig.board.accelerator;
    const honest = engine.retiredOf.bind(engine);
    engine.retiredOf = (engineClass) => honest(engineClass) + (engineClass === BF16 ? 10n ** 17n : 0n);
    rig.board.advance(2);
    engine.retiredOf = honest;
    expect(rig.lastReason).toBe("METER_OVERRUN");
    const before = rig.info();
    const low = { epoch: 0, sequence: 0n, totals: totalsOf(0n), orderDigest: new Uint8Array(32) };
    rig.must(rig.send(Command.RECOVER, rig.recovery(low)));
    const after = rig.info();
    for (const kept of ["epoch", "totals", "licenseSequence", "orderDigest", "reportHead"] as const) {
      expect(after[kept]).toEqual(before[kept]);
    }
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });
});
