import { describe, expect, it } from "vitest";
import { Fuse, Lifecycle } from "../../../firmware/protocol/board.ts";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { encode } from "../../../host/protocol/cbor.ts";
import { phaseOf, Rig } from "../../rig.ts";
import { losesPower } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const secretOf = (rig: Rig) => [...rig.board.fuses.snapshot().words.subarray(Fuse.DEVICE_SECRET, Fuse.LIFECYCLE)];
const ERASED = new Array<number>(8).fill(0xffffffff);

function contains(haystack: Uint8Array, needle: Uint8Array): boolean {
  return Buffer.from(haystack).includes(Buffer.from(needle));
}

const states: [string, () => Rig][] = [
  ["idle", () => Rig.ready()],
  [
    "open and at work",
    () => {
      const rig = Rig.open();
      rig.board.submit(phaseOf(3600));
      rig.board.advance(10);
      return rig;
    },
  ],
  [
    "slowed",
    () => {
      const rig = Rig.open();
      rig.obey(OrderAction.SLOW, { permille: 100 });
      return rig;
    },
  ],
  [
    "draining",
    () => {
      const rig = Rig.open();
      rig.obey(OrderAction.PAUSE);
      return rig;
    },
  ],
  [
    "paused",
    () => {
      const rig = Rig.ready();
      rig.obey(OrderAction.PAUSE);
      return rig;
    },
  ],
  [
    "locked, without an agreement",
    () => {
      const rig = new Rig();
      rig.board.powerOn();
      return rig;
    },
  ],
];

describe("a tamper sensor that fires", () => {
  it.each(states)("while the gate is %s shuts it at once, for good, and erases every secret", (_, make) => {
    const rig = make();
    const done = rig.done(BF16);
    rig.board.trip(4);
    expect(rig.board.gateState).toBe(GateState.TAMPERED);
    expect(rig.lastReason).toBe("TAMPERED");
    rig.board.advance(100);
    expect(rig.done(BF16)).toBe(done);
    expect(secretOf(rig)).toEqual(ERASED);
    // The word after the secret says what happened, and no more.
    expect(rig.board.fuses.snapshot().words[Fuse.LIFECYCLE]).toBe(Lifecycle.MANUFACTURED | Lifecycle.TAMPERED);
    for (let i = 0; i < 3; i++) {
      expect(rig.powerCycle()).toBe("TAMPERED");
      expect(rig.board.gateState).toBe(GateState.TAMPERED);
    }
  });

  it("is seen at the next tick even where the interrupt is lost", () => {
    const rig = Rig.open();
    rig.board.tamper.trip(1);
    rig.board.advance(2);
    expect(rig.board.gateState).toBe(GateState.TAMPERED);
  });

  it("is seen at the next power-up where it fired without power", () => {
    const rig = Rig.open();
    rig.board.cutPower();
    rig.board.trip(1);
    expect(rig.powerCycle()).toBe("TAMPERED");
    expect(secretOf(rig)).toEqual(ERASED);
  });

  it("leaves no key and no challenge in the State block", () => {
    const rig = Rig.open();
    const key = rig.attestationKey();
    const { challenge } = rig.info();
    const before = rig.board.state()!;
    expect(contains(before, key.publicKey)).toBe(true);
    expect(contains(before, challenge)).toBe(true);
    rig.board.trip(1);
    const state = rig.board.state()!;
    // All that is left: the gate's state, the code, the sensors.
    expect(state.filter((byte) => byte !== 0).length).toBeLessThanOrEqual(12);
  });

  it("leaves INFO, which says so, and refuses everything else", () => {
    const rig = Rig.open();
    const order = rig.order(OrderAction.RESUME);
    const license = rig.license();
    const beacon = rig.beacon();
    rig.board.trip(0x80000001);
    const info = rig.ask(Command.INFO)[1] as Map<number, unknown>;
    expect(info.get(-75013)).toBe(GateState.TAMPERED);
    expect(info.get(-75014)).toBe(0x80000001);
    expect(info.get(-75031)).toBe(0x0d01);
    const requests: [Command, Uint8Array?][] = [
      [Command.IDENTITY],
      [Command.AGREEMENT, license],
      [Command.TIME_CHALLENGE],
      [Command.TIME_PROOF, beacon],
      [Command.BEACON, beacon],
      [Command.EVIDENCE, new Uint8Array(8)],
      [Command.LICENSE, license],
      [Command.ORDER, order],
      [Command.REPORT],
      [Command.REPORT_AGAIN],
      [Command.DRAIN_DONE],
      [Command.DIAGNOSE],
      [Command.RECOVER, license],
    ];
    for (const [command, argument] of requests) expect(rig.verdict(command, argument)).toBe("TAMPERED");
    expect(rig.board.request(encode([99]))).toEqual(encode([0x0103]));
    expect(rig.board.gateState).toBe(GateState.TAMPERED);
  });

  it("erases the secret however often the power is cut in the middle of it", () => {
    const rig = Rig.open();
    rig.board.cutPower();
    rig.board.trip(1);
    for (let cut = 0; cut < 14; cut++) {
      rig.board.cutPower();
      rig.board.supply.cutAfterOperations(cut);
      losesPower(() => rig.board.powerOn());
      rig.board.supply.clear();
      rig.board.cutPower();
    }
    rig.board.powerOn();
    expect(rig.board.gateState).toBe(GateState.TAMPERED);
    expect(secretOf(rig)).toEqual(ERASED);
    expect(rig.board.fuses.snapshot().words[Fuse.LIFECYCLE]! & Lifecycle.TAMPERED).not.toBe(0);
  });

  it("that is unlatched by force later finds the fuse burnt", () => {
    const rig = Rig.open();
    rig.board.trip(1);
    rig.board.cutPower();
    rig.board.tamper.restore(0);
    expect(rig.powerCycle()).toBe("TAMPERED");
  });
});
