/**
 * The demo, as a story in named steps: agreement, license, work, pause, the operator's attempts, resume, the end of the
 * job, and closed books. It runs on the real firmware; nothing here decides what the board allows.
 */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import { InvariantBroken } from "../../sim-board/invariants/broken.ts";
import { Random } from "../../sim-board/random.ts";
import type { Phase, Workload } from "../../sim-board/workloads/types.ts";
import * as attempts from "./attempts.ts";
import { booksOf, doneByAll, verifierFacts } from "./books.ts";
import { Job } from "./job.ts";
import type { DemoResult, PauseFacts } from "./result.ts";
import { must, Site } from "./site.ts";
import type { Attempt, Teller } from "./teller.ts";
import { checkpointPhase } from "./terms.ts";
import { Timeline } from "./timeline.ts";
import type { SignedOrder, VerifiersAt } from "./verifiers.ts";
import * as words from "./words.ts";

export type DemoSettings = { image: GovernorImage; workload: Workload; seed: number; teller: Teller };

export type Demo = { result: DemoResult; site: Site; timeline: Timeline; orders: Map<string, Uint8Array> };

export const AGREEMENT_NAME = "Quiesce demo";

/** How long the parties talk before they resume, as a part of the job. */
const PAUSE_PART = 0.08;
const PAUSE_SECONDS_MIN = 120;
/** The seed makes the pause up to so much longer. */
const PAUSE_LONGER_PERCENT = 25;
/** The pause comes in this part of its step, in percent: the seed says where. */
const INTO_STEP_PERCENT = { from: 25, to: 85 };
/** Reports over the job, beside those that come with each license. */
const REPORTS = 12;

/**
 * Plays the whole story, with all keys in one verifier in this process. Throws what the board throws; a broken invariant
 * is told as one and ends it.
 */
export function playDemo(settings: DemoSettings): Demo {
  const story = new Story(settings);
  for (const _ of story.steps());
  return story.end();
}

/** The same with other verifiers, and with pauses in which the program may see to something else. */
export async function playDemoInTurns(
  settings: DemoSettings,
  verifiers: VerifiersAt,
  turn: () => Promise<void>,
): Promise<Demo> {
  const story = new Story(settings, verifiers);
  for (const _ of story.steps()) await turn();
  return story.end();
}

const STEPS: readonly ((story: Story) => Iterable<void> | void)[] = [
  (story) => story.signAgreement(),
  (story) => story.commissionBoard(),
  (story) => story.workToTheMiddle(),
  (story) => story.orderPause(),
  (story) => story.withhold(),
  (story) => story.deliverPause(),
  (story) => story.saveCheckpoint(),
  (story) => story.tryEverything(),
  (story) => story.talk(),
  (story) => story.resume(),
  (story) => story.finishJob(),
  (story) => story.closeBooks(),
];

class Story {
  readonly #settings: DemoSettings;
  readonly #site: Site;
  readonly #timeline: Timeline;
  readonly #job: Job;
  readonly #attempts: Attempt[] = [];
  readonly #orders = new Map<string, Uint8Array>();
  readonly #pauseSeconds: number;
  /** When things happen, as far as it is free: from the seed. */
  readonly #chance: Random;
  #firmware = { pages: 0, stateBytes: 0 };
  #hoard: attempts.Hoard | undefined;
  #interrupted: Phase | undefined;
  #doneAtClose: bigint[] = [];
  #pause: PauseFacts = {
    orderedAtTick: 0n,
    closedAtTick: 0n,
    workAfterClose: 0n,
    checkpointSaved: false,
    checkpointBytes: 0n,
  };
  #reportsDue = 1;
  #closed = false;

  constructor(settings: DemoSettings, verifiers?: VerifiersAt) {
    const { workload, image, seed, teller } = settings;
    this.#settings = settings;
    this.#site = new Site({ image, workload, seed, agreementName: AGREEMENT_NAME, verifiers });
    const { caps, sliceTicks } = this.#site.agreement;
    const slice = new Map([...caps].map(([c, { rateMax }]) => [c as number, rateMax * sliceTicks]));
    const span = words.spanOf(workload);
    this.#chance = new Random(seed).stream("story");
    const longer = 1 + this.#chance.below(PAUSE_LONGER_PERCENT + 1) / 100;
    this.#pauseSeconds = Math.max(PAUSE_SECONDS_MIN, span * PAUSE_PART) * longer;
    this.#timeline = new Timeline({
      work: workload.totals.work,
      slice,
      horizonSeconds: span * 1.02 + this.#pauseSeconds + 300,
    });
    this.#site.board.subscribe(this.#timeline);
    this.#timeline.onSample = () => teller.progress(this.#timeline);
    this.#job = new Job(this.#site, {
      onPhase: () => this.#reportNowAndThen(),
      onLicense: () => this.#tellLicense(),
    });
  }

  /** One after the other, with a pause wherever something was done. A broken invariant is the last. */
  *steps(): Generator<void> {
    try {
      for (const step of STEPS) {
        yield* step(this) ?? [];
        yield;
      }
    } catch (error) {
      if (!(error instanceof InvariantBroken)) throw error;
      this.tell("broken", error.message);
    }
  }

  tell(label: string, text: string): void {
    this.#settings.teller.tell(this.#site.board.seconds, label, text);
  }

  signAgreement(): void {
    const { agreement, verifiers } = this.#site;
    this.tell("agreement", words.agreement(agreement));
    this.tell("verifiers", words.verifiers(verifiers.hosts));
  }

  /** Boot, agreement, enrolment, clock, first beacon. */
  commissionBoard(): void {
    const { board, ueid } = this.#site;
    this.#site.commission();
    const { state, memory } = board.governorBytes;
    this.#firmware = { pages: memory / 65_536, stateBytes: state };
    this.tell("board", words.board(board, ueid));
    this.tell("enrolled", "the manufacturer endorses the device key, which certifies the key of this governor image");
  }

  /** The job runs under licenses to the middle, and into a step. */
  *workToTheMiddle(): Generator<void> {
    const job = this.#job;
    const half = job.secondsLeft / 2;
    while (job.next && (job.secondsLeft - job.next.durationSeconds >= half || job.next.work.size === 0)) {
      job.step();
      yield;
    }
    const phase = job.next!;
    job.prepare();
    this.#site.board.submit(phase);
    const { from, to } = INTO_STEP_PERCENT;
    this.#site.board.advance((phase.durationSeconds * (from + this.#chance.below(to - from + 1))) / 100);
    this.#interrupted = phase;
  }

  /** One party is enough. */
  orderPause(): void {
    const { parties, board, recorder } = this.#site;
    this.#hoard = {
      license: recorder.licenses.at(-1)!,
      beacon: recorder.beaconNewest!,
      flash: board.flash.image(),
    };
    const inspectorate = parties.at(-1)!;
    const { quorum, epoch } = this.#order("pause", OrderAction.PAUSE, [inspectorate]);
    this.#pause.orderedAtTick = board.ticks;
    this.#timeline.mark(board.seconds, "pause");
    this.tell("pause", words.pause(inspectorate, quorum, epoch, this.#interrupted!));
  }

  /** On a copy of the board: what if the order never arrives? */
  withhold(): void {
    this.#onCopy(() => [attempts.withholdOrder(this.#site)]);
    this.#onCopy(() => attempts.withholdBeacons(this.#site, this.#hoard!));
  }

  /** The step stops where it is. What it did is metered; without its memory it will have to be done again. */
  deliverPause(): void {
    const { board, agent, workload } = this.#site;
    const before = board.gateState;
    must("deliver the order", agent.deliverOrders());
    board.withdraw();
    const allowance = checkpointPhase(workload) ? ", the checkpoint's allowance is there" : "";
    this.tell("gate", words.gate(before, board.gateState, `tensor credit is gone${allowance}`));
  }

  saveCheckpoint(): void {
    const { board, agent, workload } = this.#site;
    const phase = checkpointPhase(workload);
    const from = board.seconds;
    if (phase) {
      this.#pause.checkpointSaved = board.run(phase, { stallSeconds: 30 }).completed;
      this.#pause.checkpointBytes = workload.checkpoint!.bytes;
    } else this.#pause.checkpointSaved = true;
    const before = board.gateState;
    if (before === GateState.DRAINING) must("end the drain", agent.drainDone());
    this.#pause.closedAtTick = board.ticks;
    this.#doneAtClose = doneByAll(this.#site);
    this.tell("checkpoint", words.checkpoint(phase, this.#pause.checkpointSaved, board.seconds - from));
    if (board.gateState !== before) this.tell("gate", words.gate(before, board.gateState));
    this.#report();
  }

  /** On the board itself, one after the other. */
  tryEverything(): void {
    const site = this.#site;
    const hoard = this.#hoard!;
    this.#attempted(attempts.replayLicense(site, hoard));
    this.#attempted(attempts.resumeAlone(site));
    this.#attempted(attempts.cutPower(site, hoard));
    this.#attempted(attempts.replayTimeProof(site, hoard));
    this.#attempted(attempts.replayBeacon(site, hoard));
    this.#attempted(attempts.rollBackFlash(site, hoard));
    must("set the clock", site.agent.syncTime());
  }

  talk(): void {
    this.#site.board.advance(this.#pauseSeconds);
  }

  /** Two parties lift the pause; only a new license opens the gate. */
  resume(): void {
    const { parties, agent, board } = this.#site;
    const after = doneByAll(this.#site).map((done, c) => done - this.#doneAtClose[c]!);
    this.#pause.workAfterClose = after.reduce((sum, work) => sum + work, 0n);
    const names = [parties[0]!, parties.at(-1)!];
    const { epoch } = this.#order("resume", OrderAction.RESUME, names);
    must("deliver the order", agent.deliverOrders());
    this.#timeline.mark(board.seconds, "resume");
    const hasCheckpoint = this.#pause.checkpointBytes > 0n;
    this.tell("resume", words.resume(names, epoch, this.#interrupted!, hasCheckpoint));
  }

  *finishJob(): Generator<void> {
    this.#job.dropLicense();
    while (!this.#job.isDone) {
      this.#job.step();
      yield;
    }
    this.tell("job", words.jobDone(this.#settings.workload));
  }

  closeBooks(): void {
    this.#site.closeBooks();
    this.#timeline.mark(this.#site.board.seconds, "report");
    this.#closed = true;
    const { recorder } = this.#site;
    this.tell("books", `${recorder.licenses.length} licenses, ${recorder.reports.length} signed reports in one chain`);
  }

  end(): Demo {
    const { image, workload, seed } = this.#settings;
    const { board, recorder } = this.#site;
    const reports = recorder.reports.length;
    const accounts = this.#site.verifiers.accounts(this.#site.ueid);
    const books = booksOf(this.#site, accounts[0]!);
    const verifiers = verifierFacts(this.#site, accounts);
    const invariants = { checked: board.invariants?.checked ?? 0, broken: board.invariants?.broken.length ?? 0 };
    const pause = this.#pause;
    const result: DemoResult = {
      ok:
        this.#closed &&
        verifiers.every(({ booksAgree, reportsTaken }) => booksAgree && reportsTaken === BigInt(reports)) &&
        pause.checkpointSaved &&
        pause.workAfterClose === 0n &&
        this.#attempts.every(({ refused }) => refused) &&
        invariants.broken === 0,
      seed,
      firmware: { sha256: image.sha256, bytes: image.bytes.length, ...this.#firmware },
      workload: {
        name: workload.name,
        accelerator: workload.accelerator,
        boards: workload.boards,
        board: workload.board,
      },
      device: this.#site.ueid,
      seconds: board.seconds,
      books,
      repeated: this.#repeated(),
      pause,
      attempts: this.#attempts,
      licenses: recorder.licenses.length,
      reports,
      verifiers,
      invariants,
    };
    return { result, site: this.#site, timeline: this.#timeline, orders: this.#orders };
  }

  /** All that was done, less the job's own work and the checkpoint. */
  #repeated(): Map<number, bigint> {
    const { workload } = this.#settings;
    const checkpoint = checkpointPhase(workload)?.work;
    const surplus = doneByAll(this.#site).map(
      (done, c) => done - (workload.totals.work.get(c) ?? 0n) - (checkpoint?.get(c) ?? 0n),
    );
    return new Map([...surplus.entries()].filter(([, work]) => work > 0n));
  }

  /** A copy of the board, power, flash and all: what is tried on it leaves no trace. */
  #onCopy(play: () => Attempt[]): void {
    const { board } = this.#site;
    const snapshot = board.snapshot();
    this.#timeline.isOn = false;
    this.#site.carriesBeacons = false;
    const tried = play();
    board.restore(snapshot);
    this.#site.carriesBeacons = true;
    this.#timeline.isOn = true;
    for (const attempt of tried) this.#attempted(attempt);
  }

  #attempted(attempt: Attempt): void {
    this.#attempts.push(attempt);
    this.#settings.teller.attempted(this.#site.board.seconds, attempt);
  }

  #reportNowAndThen(): void {
    const { board, workload } = this.#site;
    const done = 1 - this.#job.secondsLeft / workload.totals.durationSeconds;
    if (done < this.#reportsDue / REPORTS || !board.on) return;
    while (done >= this.#reportsDue / REPORTS) this.#reportsDue++;
    this.#report();
  }

  #order(name: string, action: OrderAction, parties: readonly string[]): SignedOrder {
    const { verifiers } = this.#site;
    const order = verifiers.order({ action }, parties);
    this.#orders.set(name, order.bytes);
    const way = words.order(parties, verifiers.hosts);
    if (way !== undefined) this.tell("order", way);
    return order;
  }

  #report(): void {
    must("report", this.#site.agent.report());
    this.#timeline.mark(this.#site.board.seconds, "report");
  }

  #tellLicense(): void {
    const { recorder, agreement, board, verifiers } = this.#site;
    this.#timeline.mark(board.seconds, "license");
    const { length } = recorder.licenses;
    this.tell("license", words.license(length, recorder.licenses.at(-1)!, agreement, verifiers.hosts));
  }
}
