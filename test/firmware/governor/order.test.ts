import { describe, expect, it } from "vitest";
import { Claim, ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { PARTIES, phaseOf, Rig, STRANGER } from "../../rig.ts";
import { altered, cutEverywhere } from "./bench.ts";

const [north, south, inspectorate] = PARTIES as [(typeof PARTIES)[0], (typeof PARTIES)[0], (typeof PARTIES)[0]];
const PAUSE = OrderAction.PAUSE;
const SLOW = OrderAction.SLOW;
const RESUME = OrderAction.RESUME;
const COPY = EngineClass.COPY;
const BF16 = EngineClass.TENSOR_BF16;

/** A board at work: a phase of an hour runs. */
function working(): Rig {
  const rig = Rig.open();
  rig.board.submit(phaseOf(3600));
  rig.board.advance(30);
  return rig;
}

describe("who may order what", () => {
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["one party pauses", (rig) => rig.order(PAUSE, {}, [inspectorate]), "OK"],
    ["a stranger does not pause", (rig) => rig.order(PAUSE, {}, [STRANGER]), "COSE_QUORUM"],
    ["nobody does not pause", (rig) => rig.order(PAUSE, {}, []), "COSE_FORM"],
    [
      "two parties are more than a pause takes",
      (rig) => rig.order(PAUSE, {}, [north, south]),
      "COSE_SIGNATURES_SURPLUS",
    ],
    ["one party slows", (rig) => rig.order(SLOW, { permille: 500 }, [south]), "OK"],
    ["one party does not resume, even where nothing is paused", (rig) => rig.order(RESUME, {}, [north]), "COSE_QUORUM"],
    ["two parties resume", (rig) => rig.order(RESUME, {}, [north, inspectorate]), "OK"],
    ["a party and a stranger do not resume", (rig) => rig.order(RESUME, {}, [north, STRANGER]), "COSE_QUORUM"],
  ];
  it.each(table)("%s", (_, order, verdict) => {
    const rig = Rig.open();
    expect(rig.verdict(Command.ORDER, order(rig))).toBe(verdict);
  });

  it("takes the resume quorum to lift a pause to a slow rate, or a slow rate to a higher one", () => {
    const rig = Rig.open();
    rig.obey(PAUSE);
    expect(rig.verdict(Command.ORDER, rig.order(SLOW, { permille: 1 }, [north]))).toBe("COSE_QUORUM");
    rig.obey(SLOW, { permille: 100 }, [north, south]);
    expect(rig.verdict(Command.ORDER, rig.order(SLOW, { permille: 101 }, [north]))).toBe("COSE_QUORUM");
    rig.obey(SLOW, { permille: 101 }, [north, south]);
    rig.obey(SLOW, { permille: 100 }, [north]);
    rig.obey(SLOW, { permille: 100 }, [south]);
  });

  it("asks for the same quorums after a power cut", () => {
    const rig = Rig.open();
    rig.obey(PAUSE);
    rig.restart();
    expect(rig.verdict(Command.ORDER, rig.order(SLOW, { permille: 1 }, [north]))).toBe("COSE_QUORUM");
    rig.obey(SLOW, { permille: 100 }, [north, south]);
    rig.restart();
    expect(rig.verdict(Command.ORDER, rig.order(SLOW, { permille: 101 }, [north]))).toBe("COSE_QUORUM");
  });
});

describe("the epoch of an order", () => {
  const table: [string, number, string][] = [
    ["of the current epoch is old", 0, "ORDER_EPOCH_OLD"],
    ["of the next epoch is taken", 1, "OK"],
    ["may skip epochs", Limit.EPOCH_STEP_MAX, "OK"],
    ["may not jump so far that one signature uses the numbers up", Limit.EPOCH_STEP_MAX + 1, "ORDER_EPOCH_JUMP"],
    ["may not be the last there is", 2 ** 32 - 1, "ORDER_EPOCH_JUMP"],
  ];
  it.each(table)("%s", (_, epoch, verdict) => {
    const rig = Rig.ready();
    expect(rig.verdict(Command.ORDER, rig.order(PAUSE, { epoch }))).toBe(verdict);
  });

  it.each([
    ["pause", PAUSE, undefined],
    ["slow", SLOW, 300],
    ["resume", RESUME, undefined],
  ] as const)(
    "a %s order that is delivered twice is known the second time, and costs its sender nothing",
    (_, action, permille) => {
      const rig = Rig.ready();
      if (action === RESUME) rig.obey(PAUSE);
      const order = rig.order(action, { permille });
      rig.must(rig.send(Command.ORDER, order));
      expect(rig.verdict(Command.ORDER, order)).toBe("ORDER_EPOCH_OLD");
      expect(rig.info().failures).toBe(0);
    },
  );

  it("an order from before the last one is known too, whatever is in force by now", () => {
    const rig = Rig.ready();
    const slow = rig.order(SLOW, { permille: 300 });
    rig.must(rig.send(Command.ORDER, slow));
    rig.obey(PAUSE);
    expect(rig.verdict(Command.ORDER, slow)).toBe("ORDER_EPOCH_OLD");
    expect(rig.info().failures).toBe(0);
  });

  it("no license of an earlier epoch opens the gate again after a pause and a resume", () => {
    const rig = Rig.open();
    const offline = rig.license({ nonce: undefined });
    rig.obey(PAUSE);
    rig.must(rig.send(Command.DRAIN_DONE));
    rig.obey(RESUME);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.verdict(Command.LICENSE, offline)).toBe("LICENSE_EPOCH");
    rig.restart();
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });
});

describe("when an order takes effect", () => {
  it("a pause for later is refused while its time has surely not come", () => {
    const rig = Rig.open();
    const order = rig.order(PAUSE, { notBeforeSeconds: rig.nowSeconds + 60 });
    expect(rig.verdict(Command.ORDER, order)).toBe("ORDER_NOT_YET");
    expect(rig.info().failures).toBe(0);
    rig.board.advance(61);
    expect(rig.verdict(Command.ORDER, order)).toBe("OK");
  });

  it("a pause is obeyed even where the time is unknown", () => {
    const rig = Rig.open();
    const order = rig.order(PAUSE);
    rig.powerCycle();
    expect(rig.verdict(Command.ORDER, order)).toBe("OK");
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("a resume waits until its time has surely come", () => {
    const rig = Rig.open();
    rig.obey(PAUSE);
    rig.powerCycle();
    const order = rig.order(RESUME, { notBeforeSeconds: rig.nowSeconds + 5 });
    expect(rig.verdict(Command.ORDER, order)).toBe("TIME_UNKNOWN");
    rig.must(rig.syncTime());
    expect(rig.verdict(Command.ORDER, order)).toBe("ORDER_NOT_YET");
    rig.board.advance(8);
    expect(rig.verdict(Command.ORDER, order)).toBe("OK");
  });
});

describe("the scope of an order", () => {
  const other = new Uint8Array(33).fill(7);

  it("leaves a device alone that it does not name, but for the epoch", () => {
    const rig = working();
    rig.obey(PAUSE, { scope: [other] });
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(rig.info().epoch).toBe(1);
    expect(rig.verdict(Command.LICENSE, rig.license({ epoch: 0 }))).toBe("LICENSE_EPOCH");
  });

  it("binds a device that it names among others", () => {
    const rig = working();
    rig.obey(PAUSE, { scope: [other, rig.ueid] });
    expect(rig.board.gateState).toBe(GateState.DRAINING);
  });

  it("takes a list of 32 devices and no longer one", () => {
    const rig = Rig.open();
    const scope = Array.from({ length: 32 }, (_, i) => new Uint8Array(33).fill(i));
    expect(rig.verdict(Command.ORDER, rig.order(PAUSE, { scope }))).toBe("OK");
  });

  it("an order out of scope does not lift the pause of a device", () => {
    const rig = Rig.open();
    rig.obey(PAUSE);
    rig.must(rig.send(Command.DRAIN_DONE));
    rig.obey(RESUME, { scope: [other] });
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    rig.restart();
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });
});

describe("a drain", () => {
  const drained = (rig: Rig) => {
    const before = { copy: rig.done(COPY), tensor: rig.done(BF16) };
    rig.board.withdraw();
    rig.board.submit(phaseOf(3600, { work: new Map([[COPY, 10n ** 13n]]) }));
    return () => ({ copy: rig.done(COPY) - before.copy, tensor: rig.done(BF16) - before.tensor });
  };

  it("lets the license's copy allowance through and not an operation more, and no tensor work", () => {
    const rig = working();
    rig.obey(PAUSE);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    const work = drained(rig);
    rig.board.advance(119);
    expect(work()).toEqual({ copy: 10n ** 11n, tensor: 0n });
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("ends by ticks where the allowance is not used", () => {
    const rig = working();
    rig.board.withdraw();
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE)));
    rig.board.advance(118);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    rig.board.advance(3);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    expect(rig.lastReason).toBe("GATE_DRAINED");
  });

  it("ends by the order's ticks where they are fewer than the agreement's", () => {
    const rig = working();
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE, { drainTicks: 10_000n })));
    rig.board.advance(12);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("is never longer than the agreement says", () => {
    const rig = working();
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE, { drainTicks: 2n ** 60n })));
    rig.board.advance(122);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("ends as soon as the host says that its checkpoint is saved", () => {
    const rig = working();
    rig.obey(PAUSE);
    expect(rig.verdict(Command.DRAIN_DONE)).toBe("OK");
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    expect(rig.verdict(Command.DRAIN_DONE)).toBe("GATE_NOT_OPEN");
  });

  it("is narrowed by the order's own allowance", () => {
    const rig = working();
    rig.obey(PAUSE, { drain: new Map([[COPY, 10n ** 9n]]) });
    const work = drained(rig);
    rig.board.advance(125);
    expect(work().copy).toBe(10n ** 9n);
  });

  it("is not widened by the order's own allowance", () => {
    const rig = working();
    rig.obey(PAUSE, {
      drain: new Map([
        [COPY, 10n ** 12n],
        [BF16, 10n ** 12n],
      ]),
    });
    const work = drained(rig);
    rig.board.advance(125);
    expect(work()).toEqual({ copy: 10n ** 11n, tensor: 0n });
  });

  it("under way for want of a beacon is narrowed by a pause order that comes in the middle of it", () => {
    const rig = working();
    rig.board.advance(290);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    rig.must(rig.send(Command.ORDER, rig.order(PAUSE, { drain: new Map(), drainTicks: 1000n })));
    const work = drained(rig);
    rig.board.advance(10);
    expect(work().copy).toBe(0n);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it.each([
    ["slow", SLOW, Claim.DRAIN, new Map()],
    ["slow", SLOW, Claim.DRAIN_TICKS, 1],
    ["resume", RESUME, Claim.DRAIN, new Map()],
    ["resume", RESUME, Claim.DRAIN_TICKS, 1],
  ] as const)("is nothing that a %s order may speak of", (_, action, claim, value) => {
    const rig = working();
    const signers = PARTIES.slice(0, action === RESUME ? 2 : 1);
    const order = rig.order(action, { permille: action === SLOW ? 500 : undefined }, signers);
    const speaking = altered(order, ObjectType.ORDER, (claims) => claims.set(claim, value), signers);
    expect(rig.verdict(Command.ORDER, speaking)).toBe("ORDER_CLAIM");
  });

  it("that was cut short by a power cut does not begin again", () => {
    const rig = working();
    rig.obey(PAUSE);
    const work = drained(rig);
    rig.board.advance(1);
    rig.restart();
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    rig.board.submit(phaseOf(10));
    rig.board.advance(10);
    expect(work().copy).toBeLessThanOrEqual(10n ** 11n);
  });
});

describe("a pause", () => {
  it("closes an idle gate at once", () => {
    const rig = Rig.ready();
    rig.obey(PAUSE);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_PAUSED");
  });

  it("of a gate that is paused already keeps it paused, in the new epoch", () => {
    const rig = Rig.ready();
    rig.obey(PAUSE);
    rig.obey(PAUSE, {}, [south]);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
    expect(rig.info().epoch).toBe(2);
  });

  it("of a gate that drains already lets the drain end in the pause", () => {
    const rig = working();
    rig.obey(PAUSE);
    rig.obey(PAUSE, {}, [south]);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    rig.board.advance(125);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("is obeyed in the middle of a back-off", () => {
    const rig = working();
    for (let i = 0; i < 5; i++) rig.send(Command.LICENSE, new Uint8Array(1));
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_BACK_OFF");
    rig.obey(PAUSE);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
  });

  it("survives any number of power cuts, until the resume quorum lifts it; then a new license lets work go on", () => {
    const rig = working();
    rig.obey(PAUSE);
    for (let i = 0; i < 5; i++) {
      rig.restart();
      expect(rig.board.gateState).toBe(GateState.PAUSED);
    }
    rig.obey(RESUME);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.run(phaseOf(60)).completed).toBe(true);
  });

  it("is lifted in the middle of its drain", () => {
    const rig = working();
    rig.obey(PAUSE);
    rig.obey(RESUME);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it.each([
    ["while work flows", () => working()],
    [
      "while a drain is under way",
      () => {
        const rig = working();
        rig.obey(PAUSE);
        return rig;
      },
    ],
    ["while idle", () => Rig.ready()],
  ] as const)("that loses its power anywhere, %s, either was not accepted or holds after the reboot", (_, make) => {
    const rig = make();
    const done = rig.done(BF16);
    const { epoch, licenseSequence, budgetLeft } = rig.info();
    const order = rig.order(PAUSE, {}, [inspectorate]);
    const cuts = cutEverywhere(
      rig,
      () => rig.must(rig.send(Command.ORDER, order)),
      () => {
        rig.restart();
        const now = rig.info();
        if (now.epoch === epoch) {
          expect(now.licenseSequence).toBe(licenseSequence);
          expect(now.budgetLeft[BF16]!).toBeLessThanOrEqual(budgetLeft[BF16]!);
        } else {
          expect(now.epoch).toBe(epoch + 1);
          expect(rig.board.gateState).toBe(GateState.PAUSED);
          rig.board.submit(phaseOf(10));
          rig.board.advance(10);
          expect(rig.done(BF16)).toBe(done);
        }
      },
    );
    expect(cuts).toBeGreaterThanOrEqual(2);
    expect(rig.info().epoch).toBe(epoch + 1);
  });
});

describe("a slow order", () => {
  it("slows an open gate and leaves its license in force", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    expect(rig.board.gateState).toBe(GateState.SLOWED);
    expect(rig.info().licenseSequence).toBe(1n);
  });

  it.each([1, 250, 900])("of %i permille bounds the work to that share of the agreement's rate", (permille) => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille });
    const cap = (10n ** 12n * BigInt(permille)) / 1000n;
    const before = rig.done(BF16);
    // More than the slowed gate lets through, and as much as the accelerator can.
    rig.board.submit(phaseOf(3600, { work: new Map([[BF16, 3500n * 10n ** 15n]]) }));
    for (let span = 1n; span <= 20n; span++) {
      rig.board.advance(60);
      if (span % 4n === 0n) rig.must(rig.send(Command.BEACON, rig.beacon()));
      // The bucket holds one slice period's worth on top of what the rate brings.
      expect(rig.done(BF16) - before).toBeLessThanOrEqual(cap * (span + 1n) * 60_000n);
    }
    expect(rig.done(BF16) - before).toBeGreaterThanOrEqual(cap * 18n * 60_000n);
  });

  it("is not worked around by power cuts", () => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 10 });
    const cap = 10n ** 10n;
    const before = rig.done(BF16);
    const start = rig.board.seconds;
    for (let i = 0; i < 40; i++) {
      rig.restart();
      if (rig.board.gateState !== GateState.SLOWED) rig.send(Command.LICENSE, rig.license());
      rig.board.submit(phaseOf(1));
      rig.board.advance(2);
    }
    const ticks = BigInt(Math.ceil((rig.board.seconds - start) * 1000));
    expect(rig.done(BF16) - before).toBeLessThanOrEqual(cap * (ticks + 60_000n));
  });

  it("is not worked around by asking for license after license", () => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 10 });
    const cap = 10n ** 10n;
    const before = rig.done(BF16);
    const start = rig.board.seconds;
    for (let i = 0; i < 20; i++) {
      rig.must(rig.send(Command.LICENSE, rig.license()));
      rig.board.submit(phaseOf(1));
      rig.board.advance(2);
      rig.board.withdraw();
    }
    const ticks = BigInt(Math.ceil((rig.board.seconds - start) * 1000));
    expect(rig.done(BF16) - before).toBeLessThanOrEqual(cap * (ticks + 60_000n));
  });

  it("outlives a power cut", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    rig.must(rig.send(Command.LICENSE, rig.license()));
    rig.restart();
    expect(rig.board.gateState).toBe(GateState.SLOWED);
  });

  it("that is raised to full leaves the gate open under the license in force", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    rig.obey(RESUME);
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(rig.info().licenseSequence).toBe(1n);
  });

  it("lets no license of the epoch before open the gate once it has closed", () => {
    const rig = working();
    rig.obey(SLOW, { permille: 100 });
    rig.board.advance(301);
    rig.board.advance(125);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });
});

describe("an order that is withheld", () => {
  it("drains and closes the gate once a beacon names its epoch, and lets it open again when it is delivered", () => {
    const rig = working();
    const slow = rig.order(SLOW, { permille: 500 });
    rig.must(rig.send(Command.BEACON, rig.beacon({ epoch: 1 })));
    expect(rig.board.gateState).toBe(GateState.DRAINING);
    expect(rig.lastReason).toBe("GATE_ORDER_WITHHELD");
    rig.board.advance(125);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.must(rig.send(Command.ORDER, slow));
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    rig.must(rig.send(Command.LICENSE, rig.license()));
    expect(rig.board.gateState).toBe(GateState.SLOWED);
  });

  it("keeps the gate shut after a power cut, by the epoch in the time proof", () => {
    const rig = Rig.open();
    rig.powerCycle();
    rig.must(rig.syncTime({ epoch: 1 }));
    expect(rig.board.gateState).toBe(GateState.IDLE);
    rig.board.advance(5);
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });

  it("is noticed too where another order of the same epoch stands in for it", () => {
    const rig = working();
    const pause = rig.order(PAUSE, {}, [inspectorate]);
    const decoy = rig.order(SLOW, { permille: 999 }, [north]);
    rig.must(rig.send(Command.ORDER, pause));
    const confirmed = rig.info().orderDigest;
    const other = working();
    other.must(other.send(Command.ORDER, decoy));
    other.must(other.send(Command.BEACON, other.beacon({ orderDigest: confirmed })));
    expect(other.board.gateState).toBe(GateState.DRAINING);
    expect(other.lastReason).toBe("GATE_ORDER_WITHHELD");
  });

  it("keeps the gate alive for one lease at most where nobody confirms it", () => {
    const rig = working();
    rig.must(rig.send(Command.ORDER, rig.order(SLOW, { permille: 999 })));
    expect(rig.verdict(Command.BEACON, rig.beacon({ epoch: 0, orderDigest: new Uint8Array(32) }))).toBe(
      "TIME_EPOCH_OLD",
    );
    rig.board.advance(301);
    expect(rig.board.gateState).toBe(GateState.DRAINING);
  });
});
