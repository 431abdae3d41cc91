import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { PARTIES, phaseOf, Rig } from "../../rig.ts";
import { cutEverywhere, working } from "./bench.ts";

const north = PARTIES[0]!;
const south = PARTIES[1]!;
const inspectorate = PARTIES[2]!;
const PAUSE = OrderAction.PAUSE;
const SLOW = OrderAction.SLOW;
const RESUME = OrderAction.RESUME;
const _COPY = EngineClass.COPY;
const BF16 = EngineClass.TENSOR_BF16;

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
