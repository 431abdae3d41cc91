/** Attacks by volume: guesses without end, garbage of every kind, orders that are always read. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { encode } from "../../host/protocol/cbor.ts";
import type { Random } from "../../sim-board/random.ts";
import { PARTIES, type Rig, STRANGER } from "../rig.ts";
import type { Attack } from "./attack.ts";
import { distinct, gate, hold, nothingWorks } from "./proof.ts";

const DAY_SECONDS = 86_400;
/** Failures until the back-off is at its longest, and one in each of the longest after it (docs/protocol.md, "Failures"). */
const GUESSES_A_DAY =
  Limit.FAILURES_MAX +
  Limit.BACK_OFF_DOUBLINGS_MAX +
  Math.ceil(DAY_SECONDS / (Limit.BACK_OFF_SECONDS * 2 ** Limit.BACK_OFF_DOUBLINGS_MAX));
/** The dearest is a report: its sector (an erase, 16 pages), and a record (five pages, a step, at times an erase). */
const OPERATIONS_A_MESSAGE = 1 + 16 + 5 + 1 + 1;

/** What a message may cost, and what all of them together. @throws AttackSucceeded */
class Cost {
  readonly #rig: Rig;
  readonly #steps: number;
  #mostOperations = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#steps = rig.board.counter.read();
  }

  of(act: () => void): void {
    const { supply } = this.#rig.board;
    const before = supply.operations;
    act();
    this.#mostOperations = Math.max(this.#mostOperations, supply.operations - before);
  }

  bounded(): string {
    const steps = this.#rig.board.counter.read() - this.#steps;
    hold(steps <= GUESSES_A_DAY, `${steps} steps of the counter for garbage`);
    hold(this.#mostOperations <= OPERATIONS_A_MESSAGE, `${this.#mostOperations} operations for one message`);
    return "bounded";
  }
}

/** Bytes without sense, or a good request with some bytes changed, cut short or grown. */
function garbage(random: Random, good: readonly Uint8Array[]): Uint8Array {
  if (random.below(3) === 0) return random.bytes(random.below(Limit.MESSAGE_BYTES_MAX + 1));
  const bytes = good[random.below(good.length)]!.slice();
  for (let i = 0; i < 1 + random.below(4); i++) bytes[random.below(bytes.length)]! ^= 1 + random.below(255);
  return bytes.slice(0, random.below(4) === 0 ? random.below(bytes.length) : bytes.length);
}

export const FLOODING: readonly Attack[] = [
  {
    name: "retries-unlimited",
    who: "holder of one key too few",
    hope: "to guess until something fits, and to shake the back-off off by cutting the power",
    defense:
      "the fourth failure begins a back-off that doubles up to 68 minutes, begins anew at power-up and is journaled",
    says: ["COSE_SIGNATURE", "LICENSE_BACK_OFF"],
    run(bench) {
      const rig = bench.ready();
      const forged = rig.license({}, [PARTIES[0]!, { ...STRANGER, kid: PARTIES[1]!.kid }]);
      const said: string[] = [];
      for (let minute = 0; minute < DAY_SECONDS / 60; minute++) {
        said.push(rig.verdict(Command.LICENSE, forged));
        if (minute % 180 === 179) rig.powerCycle();
        rig.board.advance(60);
      }
      const judged = said.filter((answer) => answer !== "LICENSE_BACK_OFF").length;
      hold(judged <= GUESSES_A_DAY, `${judged} guesses were judged in a day`);
      nothingWorks(rig);
      return distinct(said);
    },
  },
  {
    name: "flood-of-garbage",
    who: "operator",
    hope: "to keep the governor busy, wear it out or find a message that it does not survive",
    defense: "lengths are bounded before parsing, work by the quorum, wear by the back-off; a pause still gets through",
    says: ["bounded", "OK", "DRAINING"],
    run(bench) {
      const rig = bench.open();
      const random = bench.random("garbage");
      const good = [
        encode([Command.LICENSE, rig.license()]),
        encode([Command.ORDER, rig.order(OrderAction.RESUME)]),
        encode([Command.BEACON, rig.beacon()]),
        encode([Command.RECOVER, rig.recovery()]),
        encode([Command.INFO]),
      ];
      const cost = new Cost(rig);
      for (let i = 0; i < bench.repeats; i++) cost.of(() => rig.board.request(garbage(random, good)));
      return [cost.bounded(), rig.verdict(Command.ORDER, rig.order(OrderAction.PAUSE)), gate(rig)];
    },
  },
  {
    name: "flood-of-orders",
    who: "one party",
    hope: "to wear the counter out by the one kind of object that no back-off holds up",
    defense: "orders are always read, but while a back-off lasts none of them is journaled",
    says: ["COSE_SIGNATURE", "bounded", "OK"],
    run(bench) {
      const rig = bench.open();
      const forged = rig.order(OrderAction.PAUSE, {}, [{ ...STRANGER, kid: PARTIES[0]!.kid }]);
      const cost = new Cost(rig);
      const said: string[] = [];
      for (let i = 0; i < bench.repeats; i++) cost.of(() => said.push(rig.verdict(Command.ORDER, forged)));
      return [...distinct(said), cost.bounded(), rig.verdict(Command.ORDER, rig.order(OrderAction.PAUSE))];
    },
  },
];
