import { describe, expect, it } from "vitest";
import { Claim, ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { PARTIES, Rig, STRANGER } from "../../rig.ts";
import { altered, type ClaimMap, working } from "./bench.ts";

const [north, south, inspectorate] = PARTIES as [(typeof PARTIES)[0], (typeof PARTIES)[0], (typeof PARTIES)[0]];
const PAUSE = OrderAction.PAUSE;
const SLOW = OrderAction.SLOW;
const RESUME = OrderAction.RESUME;
const _COPY = EngineClass.COPY;
const _BF16 = EngineClass.TENSOR_BF16;

describe("who may order what", () => {
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["one party pauses", (rig) => rig.order(PAUSE, {}, [inspectorate]), "OK"],
    ["a stranger does not pause", (rig) => rig.order(PAUSE, {}, [STRANGER]), "COSE_QUORUM"],
    ["nobody does not pause", (rig) => rig.order(PAUSE, {}, []), "COSE_FORM"],
    ["as many as a resume takes pause too", (rig) => rig.order(PAUSE, {}, [north, south]), "OK"],
    ["three parties are more than anything takes", (rig) => rig.order(PAUSE, {}, PARTIES), "COSE_SIGNATURES_SURPLUS"],
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

describe("a pause quorum above the resume quorum", () => {
  const quorums = { license: 2, pause: 3, resume: 2, update: 2, amend: 2 };

  it("is not worked around with as few as a resume takes", () => {
    const rig = Rig.open({ quorums });
    for (const signers of [[north], [north, south]]) {
      expect(rig.verdict(Command.ORDER, rig.order(PAUSE, {}, signers))).toBe("COSE_QUORUM");
      expect(rig.verdict(Command.ORDER, rig.order(SLOW, { permille: 1 }, signers))).toBe("COSE_QUORUM");
    }
    rig.obey(PAUSE, {}, PARTIES);
    rig.obey(RESUME);
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

describe("the chain of orders", () => {
  const wrong = new Uint8Array(32).fill(1);
  const elsewhere = [new Uint8Array(33).fill(7)];
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["a slow order that follows the newest is taken", (rig) => rig.order(SLOW, { permille: 500 }), "OK"],
    [
      "a slow order that follows another one is not",
      (rig) => rig.order(SLOW, { permille: 500, previousDigest: wrong }),
      "ORDER_PREVIOUS",
    ],
    [
      "nor is a pause of another device",
      (rig) => rig.order(PAUSE, { scope: elsewhere, previousDigest: wrong }),
      "ORDER_PREVIOUS",
    ],
    [
      "nor a resume of another device",
      (rig) => rig.order(RESUME, { scope: elsewhere, previousDigest: wrong }),
      "ORDER_PREVIOUS",
    ],
    ["a pause stands alone: it is never too early", (rig) => rig.order(PAUSE, { previousDigest: wrong }), "OK"],
    ["a resume stands alone: it says all there is to say", (rig) => rig.order(RESUME, { previousDigest: wrong }), "OK"],
  ];
  it.each(table)("%s", (_, order, verdict) => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 600 });
    expect(rig.verdict(Command.ORDER, order(rig))).toBe(verdict);
    expect(rig.info().failures).toBe(0);
  });

  it("one party cannot pass over another party's pause with an order of its own", () => {
    const rig = Rig.open();
    const other = Rig.open();
    // The inspectorate pauses all; north writes the next order, for somebody else. The operator delivers only that one.
    const pause = rig.order(PAUSE, {}, [inspectorate]);
    other.must(other.send(Command.ORDER, pause));
    const next = other.order(PAUSE, { scope: elsewhere }, [north]);
    expect(rig.verdict(Command.ORDER, next)).toBe("ORDER_PREVIOUS");
    expect(rig.info().epoch).toBe(0);
    rig.must(rig.send(Command.ORDER, pause));
    expect(rig.verdict(Command.ORDER, next)).toBe("OK");
    rig.must(rig.send(Command.DRAIN_DONE));
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("goes on over power cuts and recoveries", () => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 600 });
    rig.restart();
    rig.obey(SLOW, { permille: 500 });
    const { orderDigest, epoch } = rig.info();
    rig.board.cutPower();
    for (let sector = 4; sector < 64; sector++) rig.board.flash.erase(sector);
    rig.board.powerOn();
    rig.must(rig.send(Command.RECOVER, rig.recovery({ action: SLOW, permille: 500, epoch, orderDigest })));
    rig.must(rig.syncTime());
    expect(rig.verdict(Command.ORDER, rig.order(SLOW, { permille: 400, previousDigest: wrong }))).toBe(
      "ORDER_PREVIOUS",
    );
    rig.obey(SLOW, { permille: 400 });
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

describe("a rate", () => {
  const RATE = Claim.RATE_PERMILLE;
  it.each<[string, OrderAction, (claims: ClaimMap) => void]>([
    ["is missing in a slow order", SLOW, (claims) => claims.delete(RATE)],
    ["of nothing", SLOW, (claims) => claims.set(RATE, 0)],
    ["of all", SLOW, (claims) => claims.set(RATE, 1000)],
    ["is in a pause", PAUSE, (claims) => claims.set(RATE, 500)],
    ["is in a resume", RESUME, (claims) => claims.set(RATE, 500)],
  ])("%s: the order is refused", (_, action, change) => {
    const rig = Rig.open();
    const signers = PARTIES.slice(0, action === RESUME ? 2 : 1);
    const order = rig.order(action, { permille: action === SLOW ? 500 : undefined }, signers);
    // Another rate may have been read before.
    rig.obey(SLOW, { permille: 900 });
    rig.obey(RESUME);
    const { epoch, orderDigest } = rig.info();
    const changed = altered(
      order,
      ObjectType.ORDER,
      (claims) => {
        claims.set(Claim.EPOCH, epoch + 1);
        claims.set(Claim.PREVIOUS, orderDigest);
        change(claims);
      },
      signers,
    );
    expect(rig.verdict(Command.ORDER, changed)).toBe("ORDER_CLAIM");
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it("of a slow order that was refused is no rate of the pause after it: one party may pause", () => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 500 });
    expect(rig.verdict(Command.ORDER, rig.order(SLOW, { permille: 900 }, [PARTIES[0]!]))).toBe("COSE_QUORUM");
    expect(rig.verdict(Command.ORDER, rig.order(PAUSE, {}, [PARTIES[0]!]))).toBe("OK");
  });

  it("of a slow order is no rate of the pause after it: to resume takes the resume quorum", () => {
    const rig = Rig.open();
    rig.obey(SLOW, { permille: 900 });
    rig.obey(PAUSE);
    const slower = rig.order(SLOW, { permille: 100 }, [PARTIES[0]!]);
    expect(rig.verdict(Command.ORDER, slower)).toBe("COSE_QUORUM");
  });
});

describe("a governor that does not know the time", () => {
  it.each([
    ["takes a pause of its own", OrderAction.PAUSE, {}, "OK"],
    ["waits with a pause of others", OrderAction.PAUSE, { scope: [new Uint8Array(33)] }, "TIME_UNKNOWN"],
    ["waits with a slow order", OrderAction.SLOW, { permille: 500 }, "TIME_UNKNOWN"],
    ["waits with a resume", OrderAction.RESUME, {}, "TIME_UNKNOWN"],
  ] as const)("%s", (_, action, change, verdict) => {
    const rig = Rig.ready();
    rig.powerCycle();
    expect(rig.verdict(Command.ORDER, rig.order(action, change))).toBe(verdict);
  });
});
