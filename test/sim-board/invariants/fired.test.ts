/** Each invariant must fire when it is broken: here it is fed what a correct board never does. */
import { expect, test } from "vitest";
import { Claim, ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { type Agreement, signAgreement } from "../../../host/objects/agreement.ts";
import { allWorksValue } from "../../../host/objects/claims.ts";
import { type License, signLicense } from "../../../host/objects/license.ts";
import { type Order, signOrder } from "../../../host/objects/order.ts";
import { signRecovery } from "../../../host/objects/recovery.ts";
import { signTime } from "../../../host/objects/time.ts";
import { encode } from "../../../host/protocol/cbor.ts";
import { accelerator } from "../../../sim-board/accelerators.ts";
import type { BoardEvent, BoardView } from "../../../sim-board/events.ts";
import { InvariantBroken } from "../../../sim-board/invariants/broken.ts";
import { Invariants } from "../../../sim-board/invariants/invariants.ts";
import { Accelerator } from "../../../sim-board/parts/accelerator.ts";
import { Oscillator } from "../../../sim-board/parts/oscillator.ts";
import { agreementOf, CLOCK, PARTIES } from "../../rig.ts";

const COPY: number = EngineClass.COPY;
const DIGEST = new Uint8Array(32);
const START_MS = 1_767_225_600_000n;

/** A board that does and says what the test wants. */
class Liar implements BoardView {
  nowNs = 0n;
  gateState: number = GateState.IDLE;
  readonly accelerator = new Accelerator(accelerator("h100"));
  readonly timerSeconds = 1;
  readonly oscillator = new Oscillator({ hz: 1000 });
  readonly invariants = new Invariants();
  readonly agreement: Agreement;

  constructor(change: Partial<Agreement> = {}) {
    this.agreement = agreementOf(change);
    this.accept(Command.AGREEMENT, signAgreement(this.agreement, PARTIES));
  }

  get agreementMs(): bigint {
    return START_MS + this.nowNs / 1_000_000n;
  }

  event(event: BoardEvent): void {
    this.invariants.observe(event, this);
  }

  accept(command: number, object?: Uint8Array, ...results: Parameters<typeof encode>[0][]): void {
    const request = encode(object ? [command, object] : [command]);
    this.event({ kind: "request", request, answer: encode([0, ...results]) });
  }

  refuse(command: number, object: Uint8Array): void {
    this.event({ kind: "request", request: encode([command, object]), answer: encode([0x0701]) });
  }

  tear(command: number, object: Uint8Array): void {
    this.event({ kind: "request", request: encode([command, object]), answer: undefined });
    this.event({ kind: "power", change: "cut" });
  }

  gate(to: number): void {
    const from = this.gateState;
    this.gateState = to;
    this.event({ kind: "gate", from, to, code: 0 });
  }

  beacon(): void {
    const issuedAtSeconds = Number(this.agreementMs / 1000n);
    const statement = { issuedAtSeconds, epoch: 0, agreementDigest: DIGEST, orderDigest: DIGEST };
    this.accept(Command.BEACON, signTime(ObjectType.BEACON, statement, [CLOCK]));
  }

  grant(amount: bigint): void {
    this.accelerator.grant(COPY, amount);
    this.event({ kind: "granted", engineClass: COPY, amount });
  }

  /** Retires work for which there is credit. */
  work(amount: bigint): void {
    this.accelerator.submit({ name: "lie", durationSeconds: 1, measured: true, work: new Map([[COPY, amount]]) });
    for (let next = this.accelerator.untilNextNs(); next !== undefined; next = this.accelerator.untilNextNs()) {
      const { retired } = this.accelerator.pass(next);
      if (retired) this.event({ kind: "retired", work: retired });
    }
    this.accelerator.withdraw();
  }

  totals(copy: bigint): void {
    const totals = new Array<bigint>(12).fill(0n);
    totals[COPY] = copy;
    this.accept(Command.INFO, undefined, new Map([[Claim.TOTALS, allWorksValue(totals)]]));
  }
}

function license(sequence: number, change: Partial<License> = {}): Uint8Array {
  return signLicense(
    {
      expirySeconds: 4_000_000_000,
      notBeforeSeconds: 0,
      ueid: new Uint8Array(33),
      agreementDigest: DIGEST,
      epoch: 0,
      sequence: BigInt(sequence),
      budget: new Map([[COPY, 1000n]]),
      ticksMax: 1000n,
      drain: new Map([[COPY, 50n]]),
      svnLeast: 0,
      ...change,
    },
    PARTIES.slice(0, 2),
  );
}

function order(epoch: number, change: Partial<Order> = {}): Uint8Array {
  const previousDigest = new Uint8Array(32);
  const base = { notBeforeSeconds: 0, agreementDigest: DIGEST, epoch, action: OrderAction.PAUSE, previousDigest };
  return signOrder({ ...base, ...change }, PARTIES.slice(0, 1));
}

/** A board with a license of 1,000 (and a drain of 50), beacon and open gate. */
function open(change: Partial<Agreement> = {}): Liar {
  const board = new Liar(change);
  board.beacon();
  board.accept(Command.LICENSE, license(1));
  board.gate(GateState.OPEN);
  return board;
}

function broken(id: string, act: () => void): void {
  let thrown: unknown;
  try {
    act();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InvariantBroken);
  expect(thrown).toMatchObject({ id });
}

test("an honest life breaks nothing, and is counted", () => {
  const board = open();
  board.grant(1000n);
  board.work(1000n);
  board.totals(1000n);
  expect([...board.invariants.checks.keys()].sort()).toEqual(["S1", "S3", "S4", "S5", "S6", "S7", "S9"]);
  expect(board.invariants.checked).toBeGreaterThan(10);
  expect(board.invariants.broken).toEqual([]);
});

test("S1: credit beyond budget and drain breaks it before any work is done", () => {
  const board = open();
  board.grant(1050n);
  broken("S1", () => board.grant(1n));
});

test("S1: a license that replaces another does not add to it", () => {
  const board = open();
  board.grant(1000n);
  board.work(1000n);
  board.accept(Command.LICENSE, license(2));
  board.grant(1050n);
  broken("S1", () => board.grant(1n));
});

test("S1: a refused license allows nothing", () => {
  const board = new Liar();
  board.refuse(Command.LICENSE, license(1));
  broken("S1", () => board.grant(1n));
});

test("S1: of a license whose exchange power cut short, either history is allowed, and no third", () => {
  const board = open();
  board.grant(1000n);
  board.work(1000n);
  board.tear(Command.LICENSE, license(2, { budget: new Map([[COPY, 2000n]]) }));
  board.grant(2050n);
  broken("S1", () => board.grant(1n));
});

test.each([GateState.LOCKED, GateState.IDLE, GateState.PAUSED, GateState.TAMPERED] as const)(
  "S2: work in state 0x%x breaks it",
  (state) => {
    const board = open();
    board.grant(1000n);
    board.gate(state);
    broken("S2", () => board.work(1n));
  },
);

test("S2: a drain beyond its allowance breaks it", () => {
  const board = open();
  board.gate(GateState.DRAINING);
  board.grant(60n);
  board.work(50n);
  broken("S2", () => board.work(1n));
});

test("S2: an order may narrow the drain, and then that counts", () => {
  const board = open();
  board.accept(Command.ORDER, order(1, { drain: new Map([[COPY, 10n]]) }));
  board.gate(GateState.DRAINING);
  board.grant(50n);
  board.work(10n);
  broken("S2", () => board.work(1n));
});

test("S2: the baseline may be worked while the gate is shut, but only after it was asked for, and only once", () => {
  const board = new Liar({ baseline: new Map([[COPY, 30n]]) });
  board.grant(30n);
  broken("S2", () => board.work(1n));
  const asked = new Liar({ baseline: new Map([[COPY, 30n]]) });
  asked.accept(Command.DIAGNOSE);
  asked.grant(30n);
  asked.work(30n);
  expect(() => asked.grant(1n)).toThrow(InvariantBroken);
});

test("S3: an opening under a license older than the last order breaks it", () => {
  const board = open();
  board.accept(Command.ORDER, order(1));
  board.gate(GateState.PAUSED);
  broken("S3", () => board.gate(GateState.OPEN));
});

test("S3: a refused order changes nothing, and a move between open and slowed is no opening", () => {
  const board = open();
  board.refuse(Command.ORDER, order(1));
  board.gate(GateState.IDLE);
  board.gate(GateState.OPEN);
  board.accept(Command.ORDER, order(1, { action: OrderAction.SLOW, permille: 500 }));
  board.gate(GateState.SLOWED);
  expect(board.gateState).toBe(GateState.SLOWED);
});

test("S3: after a recovery the epoch that the quorum named counts", () => {
  const board = open();
  board.accept(Command.ORDER, order(5));
  board.gate(GateState.LOCKED);
  board.accept(
    Command.RECOVER,
    signRecovery(
      {
        nonce: DIGEST,
        ueid: new Uint8Array(33),
        agreementDigest: DIGEST,
        epoch: 3,
        sequence: 100n,
        action: OrderAction.RESUME,
        totals: new Array<bigint>(12).fill(0n),
        reportHead: { sequence: 0n, digest: DIGEST },
        orderDigest: DIGEST,
      },
      PARTIES.slice(0, 2),
    ),
  );
  board.gate(GateState.IDLE);
  board.accept(Command.LICENSE, license(101, { epoch: 2 }));
  broken("S3", () => board.gate(GateState.OPEN));
  board.accept(Command.LICENSE, license(102, { epoch: 3 }));
  board.gate(GateState.OPEN);
});

test("S4: a gate that is open one lease and a tick after the freshest beacon breaks it", () => {
  const board = open({ leaseSeconds: 300 });
  board.nowNs = 301_000_000_000n;
  board.event({ kind: "tick" });
  board.nowNs = 302_000_000_000n;
  broken("S4", () => board.event({ kind: "tick" }));
});

test("S4: a clock that somebody slowed down is beyond what the agreement assumes", () => {
  const board = open({ leaseSeconds: 300 });
  board.oscillator.setSpeed(100, 0n);
  board.event({ kind: "clock", permille: 100 });
  board.nowNs = 1_000_000_000_000n;
  board.event({ kind: "tick" });
  expect(board.invariants.broken).toEqual([]);
});

test("S5: totals that go back, fall short or run ahead break it", () => {
  const worked = () => {
    const board = open();
    board.grant(1000n);
    board.work(400n);
    return board;
  };
  broken("S5", () => worked().totals(399n));
  broken("S5", () => worked().totals(401n));
  const board = worked();
  board.totals(400n);
  broken("S5", () => board.totals(0n));
});

test("S5: each loss of power may add one slice, and no more", () => {
  // A slice of copy is 10^10 work a tick for 60,000 ticks.
  const slice = 600_000_000_000_000n;
  const board = open();
  board.event({ kind: "power", change: "cut" });
  board.totals(slice);
  broken("S5", () => board.totals(slice + 1n));
});

test("S6: one license accepted twice breaks it, whoever signed it the second time", () => {
  const board = open();
  board.gate(GateState.IDLE);
  broken("S6", () => board.accept(Command.LICENSE, license(1)));
});

test("a snapshot takes the invariants' memory along", () => {
  const board = open();
  const before = board.invariants.snapshot();
  board.accept(Command.LICENSE, license(2));
  board.invariants.restore(before);
  board.accept(Command.LICENSE, license(2));
  broken("S6", () => board.accept(Command.LICENSE, license(2)));
});
