/**
 * The verifier was out, and now all boards want their licenses renewed at once: how long does its signer take, and which
 * boards stand still meanwhile though nobody paused them? A queue with one signer, simulated event by event.
 *
 * Before the outage every board renews when the last part of its license begins, so what is left of the licenses is
 * spread evenly. A board that asks in vain asks again after `retrySeconds`, then after twice as long, up to
 * `retrySecondsMax`. Time starts with the outage.
 */
import { type Static, Type } from "@sinclair/typebox";
import type { Random } from "../../sim-board/random.ts";
import { Earliest } from "../engine/earliest.ts";
import type { Json, Study } from "../study.ts";
import { quantity, share, whole } from "./quantities.ts";
import { cellRandom, uniform } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    boards: whole("Boards that ask this verifier", 50_000, 1, 1e7),
    signers: whole("Signers that share them evenly, each with a queue of its own", 1, 1, 1000),
    signaturesPerSecond: quantity("What one signer does; a license takes one signature of it", 146, 0.001, 1e6),
    licenseSeconds: quantity("How long a license lasts", 86_400, 1, 1e8),
    renewalShare: share("Part of the license that is left when a board first asks for the next", 0.2, 0.01, 0.99),
    outageSeconds: quantity("How long nobody answers", 17_280, 0, 1e8),
    retrySeconds: quantity("Wait after the first request in vain", 1, 0.001, 1e6),
    retrySecondsMax: quantity("Longest wait between two requests", 30, 0.001, 1e6),
    queueOrder: Type.Union([Type.Literal("arrival"), Type.Literal("expiry"), Type.Literal("rescue")], {
      description:
        "Who is served next: who came first; whose license ends or ended first; whose ends first of those that still run, then the others",
      default: "arrival",
    }),
    horizonSeconds: quantity("How long after the outage is looked at", 604_800, 1, 1e8),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Stops = { stoppedByOutage: number; stoppedByQueue: number; stoppedSeconds: number };

type Cell = Readonly<Stops> & {
  readonly due: number;
  readonly waiting: number;
  readonly serveAllSeconds: number | null;
  readonly queueEmptySeconds: number | null;
  readonly longestQueue: number;
};

const NAME = "signer-bottleneck";

export const signerBottleneck: Study<Parameters> = {
  name: NAME,
  title: "Renewals after an outage, and the speed of the signer",
  parameters: PARAMETERS,
  metrics: [
    { name: "boardsDue", unit: "boards", meaning: "Boards that asked in vain during the outage." },
    {
      name: "serveAllSeconds",
      unit: "s",
      meaning: "From the end of the outage until the last of them has its license.",
    },
    { name: "serveAllSecondsByFormula", unit: "s", meaning: "The same: boards due / signatures a second." },
    {
      name: "queueEmptySeconds",
      unit: "s",
      meaning: "From the end of the outage until nobody waits, those who came due meanwhile included.",
    },
    {
      name: "queueEmptySecondsByFormula",
      unit: "s",
      meaning: "The same: due / (signatures - renewals a second); absent where renewals are no fewer.",
    },
    { name: "signerLoadShare", unit: "1", meaning: "Renewals a second over signatures a second, without any outage." },
    { name: "boardsStopped", unit: "boards", meaning: "Times that a board's license ended before it had the next." },
    { name: "boardsStoppedByOutage", unit: "boards", meaning: "Those whose license ended while nobody answered." },
    {
      name: "boardsStoppedByQueue",
      unit: "boards",
      meaning: "Those whose license ended while they waited for the signer.",
    },
    { name: "boardHoursLost", unit: "h", meaning: "Hours that boards stood still, all together." },
    { name: "queueBoardsMax", unit: "boards", meaning: "Longest queue, of all signers together." },
    { name: "boardsWaitingAtEnd", unit: "boards", meaning: "Boards in queues at the end of the horizon." },
  ],
  cells: ({ signers }) => signers,
  run: (parameters, place): Json => storm(parameters, boardsOf(parameters, place.cell), cellRandom(NAME, place)),
  merge: (parameters, cells) => {
    const found = cells as readonly Cell[];
    const sum = (of: (cell: Cell) => number) => found.reduce((total, cell) => total + of(cell), 0);
    const due = sum((cell) => cell.due);
    const emptyByFormula = queueEmptyByFormula(parameters, due);
    const stopped = [sum((cell) => cell.stoppedByOutage), sum((cell) => cell.stoppedByQueue)] as const;
    return {
      measures: {
        boardsDue: due,
        ...latest("serveAllSeconds", found),
        serveAllSecondsByFormula: due / (parameters.signers * parameters.signaturesPerSecond),
        ...latest("queueEmptySeconds", found),
        ...(emptyByFormula === undefined ? {} : { queueEmptySecondsByFormula: emptyByFormula }),
        signerLoadShare: renewalsPerSecond(parameters) / parameters.signaturesPerSecond,
        boardsStopped: stopped[0] + stopped[1],
        boardsStoppedByOutage: stopped[0],
        boardsStoppedByQueue: stopped[1],
        boardHoursLost: sum((cell) => cell.stoppedSeconds) / 3600,
        queueBoardsMax: sum((cell) => cell.longestQueue),
        boardsWaitingAtEnd: sum((cell) => cell.waiting),
      },
    };
  },
  estimate: (parameters) => {
    const { boards, signers, licenseSeconds, horizonSeconds } = parameters;
    const events = boards * (2 + horizonSeconds / licenseSeconds);
    return { boards: 0, events, cpuSeconds: events * 2e-6, bytesResident: (boards / signers) * 120 };
  },
};

function boardsOf({ boards, signers }: Parameters, signer: number): number {
  return Math.floor(boards / signers) + (signer < boards % signers ? 1 : 0);
}

/** Of one signer's boards, without any outage: each renews once in what lies between license and next request. */
function renewalsPerSecond({ boards, signers, licenseSeconds, renewalShare }: Parameters): number {
  return boards / signers / (licenseSeconds * (1 - renewalShare));
}

/** Others come due while the queue drains, unless all were due and are licensed until long after. */
function queueEmptyByFormula(parameters: Parameters, due: number): number | undefined {
  const { boards, signers, signaturesPerSecond } = parameters;
  const coming = due === boards ? 0 : renewalsPerSecond(parameters);
  return signaturesPerSecond > coming ? due / signers / (signaturesPerSecond - coming) : undefined;
}

/** Of all signers the last one; nothing where one of them did not get there within the horizon. */
function latest(name: "serveAllSeconds" | "queueEmptySeconds", cells: readonly Cell[]): Record<string, number> {
  const seconds = cells.flatMap((cell) => cell[name] ?? []);
  return seconds.length === cells.length ? { [name]: Math.max(...seconds) } : {};
}

interface Board {
  expirySeconds: number;
  /** True from its first request in vain until it is served. */
  due: boolean;
}

/** Boards that have asked and wait for the signer. */
class Queue {
  readonly #order: Parameters["queueOrder"];
  readonly #first = new Earliest<Board>();
  /** In the order of rescue: those for whom it is too late. */
  readonly #stopped = new Earliest<Board>();

  constructor(order: Parameters["queueOrder"]) {
    this.#order = order;
  }

  get size(): number {
    return this.#first.size + this.#stopped.size;
  }

  add(atSeconds: number, board: Board): void {
    this.#first.add(this.#order === "arrival" ? atSeconds : board.expirySeconds, board);
  }

  take(nowSeconds: number): Board | undefined {
    if (this.#order === "rescue") {
      for (let at = this.#first.at; at <= nowSeconds; at = this.#first.at) this.#stopped.add(at, this.#first.take()!);
    }
    return this.#first.take() ?? this.#stopped.take();
  }
}

function storm(parameters: Parameters, count: number, random: Random): Cell {
  const { outageSeconds, licenseSeconds, renewalShare, signaturesPerSecond, queueOrder } = parameters;
  const endSeconds = outageSeconds + parameters.horizonSeconds;
  const leftSeconds = renewalShare * licenseSeconds;
  const requests = new Earliest<Board>();
  const queue = new Queue(queueOrder);
  let due = 0;
  for (let index = 0; index < count; index++) {
    const expirySeconds = leftSeconds + uniform(random) * (licenseSeconds - leftSeconds);
    const firstSeconds = expirySeconds - leftSeconds;
    const board = { expirySeconds, due: firstSeconds < outageSeconds };
    if (board.due) due++;
    requests.add(answeredAt(parameters, firstSeconds), board);
  }
  const found = { stoppedByOutage: 0, stoppedByQueue: 0, stoppedSeconds: 0, longestQueue: 0 };
  let servedSeconds = outageSeconds;
  let emptySeconds = due === 0 ? outageSeconds : undefined;
  let left = due;
  let freeSeconds = outageSeconds;
  for (;;) {
    // All that have asked by the time the signer is free stand in the queue.
    while (requests.at <= Math.max(freeSeconds, queue.size === 0 ? requests.at : 0)) {
      const at = requests.at;
      if (at > endSeconds) break;
      const board = requests.take()!;
      queue.add(at, board);
      if (queue.size === 1) freeSeconds = Math.max(freeSeconds, at);
    }
    found.longestQueue = Math.max(found.longestQueue, queue.size);
    const board = queue.size > 0 && freeSeconds < endSeconds ? queue.take(freeSeconds) : undefined;
    if (!board) break;
    freeSeconds += 1 / signaturesPerSecond;
    countStop(found, board.expirySeconds, freeSeconds, outageSeconds);
    if (board.due) {
      board.due = false;
      left--;
      servedSeconds = freeSeconds;
    }
    board.expirySeconds = freeSeconds + licenseSeconds;
    requests.add(board.expirySeconds - leftSeconds, board);
    if (left === 0 && queue.size === 0 && requests.at > freeSeconds) emptySeconds ??= freeSeconds;
  }
  const waiting = queue.size;
  for (let board = queue.take(endSeconds); board; board = queue.take(endSeconds)) {
    countStop(found, board.expirySeconds, endSeconds, outageSeconds);
  }
  return {
    due,
    waiting,
    serveAllSeconds: left === 0 ? servedSeconds - outageSeconds : null,
    queueEmptySeconds: emptySeconds === undefined ? null : emptySeconds - outageSeconds,
    ...found,
  };
}

/** A board stood still from the end of its license until it had the next, or until the end of the horizon. */
function countStop(stops: Stops, expirySeconds: number, untilSeconds: number, outageSeconds: number): void {
  if (untilSeconds <= expirySeconds) return;
  if (expirySeconds < outageSeconds) stops.stoppedByOutage++;
  else stops.stoppedByQueue++;
  stops.stoppedSeconds += untilSeconds - expirySeconds;
}

/** When a board that first asks at `firstSeconds` reaches somebody: its first request after the outage. */
function answeredAt({ outageSeconds, retrySeconds, retrySecondsMax }: Parameters, firstSeconds: number): number {
  let at = firstSeconds;
  let wait = Math.min(retrySeconds, retrySecondsMax);
  while (at < outageSeconds && wait < retrySecondsMax) {
    at += wait;
    wait = Math.min(2 * wait, retrySecondsMax);
  }
  return at >= outageSeconds ? at : at + Math.ceil((outageSeconds - at) / wait) * wait;
}
