/** Attacks on orders: withheld, delayed, out of turn, alone, to the end of the epochs. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { decodeOrder, orderDigest } from "../../host/objects/order.ts";
import { parseSign } from "../../host/protocol/cose.ts";
import { errorPhrase } from "../../host/protocol/error-phrases.ts";
import { PARTIES, type Rig } from "../rig.ts";
import type { Attack } from "./attack.ts";
import { COPY, gate, hold, nothingWorks, tensorWork, work } from "./proof.ts";

const ORDER = Command.ORDER;
const BEACON = Command.BEACON;
const LICENSE = Command.LICENSE;
const PAUSE = OrderAction.PAUSE;
const SLOW = OrderAction.SLOW;
const RESUME = OrderAction.RESUME;
const LEASE_SECONDS = 300;

/** What time authorities say once this order is out. */
function beaconNaming(rig: Rig, bytes: Uint8Array): Uint8Array {
  const order = decodeOrder(parseSign(bytes).payload);
  return rig.beacon({ epoch: order.epoch, orderDigest: orderDigest(order) });
}

/** Why the gate last left the open state, by the governor's own report. */
function closedBy(rig: Rig): string {
  const closings = rig.report().report.transitions.filter(({ from }) => from === GateState.OPEN);
  return errorPhrase(closings.at(-1)?.code ?? 0).name;
}

export const ORDERS: readonly Attack[] = [
  {
    name: "pause-withheld",
    who: "operator",
    hope: "to run on by not carrying a pause order, while beacons are carried",
    defense: "a beacon names the order in force: one that is not here starves the gate",
    says: ["GATE_ORDER_WITHHELD", "IDLE"],
    run(bench) {
      const rig = bench.open();
      rig.must(rig.send(BEACON, beaconNaming(rig, rig.order(PAUSE))));
      nothingWorks(rig);
      rig.board.advance(120);
      const reason = closedBy(rig);
      nothingWorks(rig);
      return [reason, gate(rig)];
    },
  },
  {
    name: "pause-and-beacons-withheld",
    who: "operator",
    hope: "to run on by cutting the board off from everybody",
    defense: "the lease lapses by the governor's own ticks",
    says: ["GATE_LEASE_LAPSED", "IDLE"],
    run(bench) {
      const rig = bench.open();
      const done = tensorWork(rig, 3 * LEASE_SECONDS);
      hold(done <= BigInt(LEASE_SECONDS + 1) * 10n ** 14n, `${done} operations in a lease of ${LEASE_SECONDS} seconds`);
      const reason = closedBy(rig);
      nothingWorks(rig);
      return [reason, gate(rig)];
    },
  },
  {
    name: "pause-delayed",
    who: "operator",
    hope: "that a pause which comes late counts less, and the license goes on after it",
    defense: "an order has no expiry; the license in force is void from its epoch on",
    says: ["OK", "PAUSED", "LICENSE_EPOCH"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license({ nonce: undefined, sequence: 2n });
      rig.must(rig.send(LICENSE, rig.license()));
      const pause = rig.order(PAUSE);
      tensorWork(rig, LEASE_SECONDS - 60);
      const verdict = rig.verdict(ORDER, pause);
      rig.must(rig.send(Command.DRAIN_DONE));
      nothingWorks(rig);
      return [verdict, gate(rig), rig.verdict(LICENSE, license)];
    },
  },
  {
    name: "orders-reordered",
    who: "operator",
    hope: "to pass over a slow order by delivering the one after it first",
    defense: "an order names the one before it; only what says all about a device stands alone",
    says: ["ORDER_PREVIOUS", "OK", "OK"],
    run(bench) {
      const rig = bench.open();
      const first = rig.order(SLOW, { permille: 100 });
      const previousDigest = orderDigest(decodeOrder(parseSign(first).payload));
      const second = rig.order(SLOW, { permille: 50, epoch: 2, previousDigest });
      return [second, first, second].map((order) => rig.verdict(ORDER, order));
    },
  },
  {
    name: "resume-replayed",
    who: "operator",
    hope: "to lift a pause with the resume order of an earlier one",
    defense: "epochs only rise",
    says: ["ORDER_EPOCH_OLD", "PAUSED"],
    run(bench) {
      const rig = bench.open();
      rig.obey(PAUSE);
      const resume = rig.order(RESUME);
      rig.must(rig.send(ORDER, resume));
      rig.obey(PAUSE);
      rig.restart();
      const verdict = rig.verdict(ORDER, resume);
      nothingWorks(rig);
      return [verdict, gate(rig)];
    },
  },
  {
    name: "resume-before-the-pause",
    who: "operator",
    hope: "to have a pause lifted before it comes, so that it comes too late",
    defense: "it is too late: a resume of a later epoch is the parties' last word, and voids the license too",
    says: ["OK", "ORDER_EPOCH_OLD", "LICENSE_EPOCH"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license();
      const pause = rig.order(PAUSE);
      const previousDigest = orderDigest(decodeOrder(parseSign(pause).payload));
      const resume = rig.order(RESUME, { epoch: 2, previousDigest });
      const said = [rig.verdict(ORDER, resume), rig.verdict(ORDER, pause), rig.verdict(LICENSE, license)];
      nothingWorks(rig);
      return said;
    },
  },
  {
    name: "epoch-spent-on-an-idle-order",
    who: "one party",
    hope: "to spend the epoch of another party's pause on an order that pauses nobody",
    defense: "beacons name the order by its digest, not by its epoch alone",
    says: ["OK", "GATE_ORDER_WITHHELD"],
    run(bench) {
      const rig = bench.open();
      const pause = rig.order(PAUSE, {}, [PARTIES[0]!]);
      const idle = rig.order(PAUSE, { scope: [new Uint8Array(33).fill(1)] }, [PARTIES[1]!]);
      const verdict = rig.verdict(ORDER, idle);
      rig.must(rig.send(BEACON, beaconNaming(rig, pause)));
      nothingWorks(rig);
      return [verdict, closedBy(rig)];
    },
  },
  {
    name: "resume-alone",
    who: "one party",
    hope: "to lift alone what one party alone could order",
    defense: "what raises takes the resume quorum",
    says: ["COSE_QUORUM", "PAUSED"],
    run(bench) {
      const rig = bench.open();
      rig.obey(PAUSE);
      rig.must(rig.send(Command.DRAIN_DONE));
      const verdict = rig.verdict(ORDER, rig.order(RESUME, {}, PARTIES.slice(0, 1)));
      nothingWorks(rig);
      return [verdict, gate(rig)];
    },
  },
  {
    name: "resume-of-another-device",
    who: "operator with two boards",
    hope: "to lift this board's pause with an order that resumes another",
    defense: "out of its scope an order moves the epoch and nothing else",
    says: ["OK", "PAUSED", "LICENSE_PAUSED"],
    run(bench) {
      const rig = bench.open();
      rig.obey(PAUSE);
      rig.must(rig.send(Command.DRAIN_DONE));
      const verdict = rig.verdict(ORDER, rig.order(RESUME, { scope: [new Uint8Array(33).fill(1)] }));
      nothingWorks(rig);
      return [verdict, gate(rig), rig.verdict(LICENSE, rig.license())];
    },
  },
  {
    name: "epoch-at-the-end",
    who: "one party",
    hope: "to use the epochs up, so that nobody can ever order or resume again",
    defense: "an order moves the epoch by 1,024 at most",
    says: ["ORDER_EPOCH_JUMP", "OK", "OK"],
    run(bench) {
      const rig = bench.open();
      const verdict = rig.verdict(ORDER, rig.order(PAUSE, { epoch: 2 ** 32 - 1 }));
      return [verdict, rig.verdict(ORDER, rig.order(PAUSE)), rig.verdict(ORDER, rig.order(RESUME))];
    },
  },
  {
    name: "drain-used-for-work",
    who: "operator",
    hope: "to compute under the name of saving a checkpoint",
    defense: "a drain gives what its allowance names, tensor work only where it does",
    says: ["DRAINING", "PAUSED"],
    run(bench) {
      const rig = bench.open();
      rig.must(rig.send(ORDER, rig.order(PAUSE)));
      const draining = gate(rig);
      nothingWorks(rig);
      const copied = work(rig, 300, { work: new Map([[COPY, 10n ** 13n]]) })[COPY]!;
      hold(copied <= 10n ** 11n, `${copied} bytes were copied: the drain allows ${10n ** 11n}`);
      return [draining, gate(rig)];
    },
  },
  {
    name: "drain-renewed-by-resets",
    who: "operator",
    hope: "a new drain allowance with every power cut",
    defense: "a drain ends with the power, and the pause stands in the journal",
    says: ["PAUSED"],
    run(bench) {
      const rig = bench.open();
      rig.must(rig.send(ORDER, rig.order(PAUSE)));
      for (let cut = 0; cut < 5; cut++) {
        rig.board.cutPower();
        rig.must(rig.board.powerOn());
        const copied = work(rig, 60, { work: new Map([[COPY, 10n ** 13n]]) })[COPY]!;
        hold(copied === 0n, `${copied} bytes were copied after power cut ${cut}`);
      }
      return [gate(rig)];
    },
  },
];
