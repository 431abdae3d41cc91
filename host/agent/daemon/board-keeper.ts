/**
 * Keeps one board going: it is known to verifiers, has its agreement, its orders and its clock at once, and a license
 * before the last one ends; its reports go out. Two lanes run beside one another, so that an order never waits for an
 * upload. Nothing here can open a gate: the board judges whatever it is given.
 */
import { join } from "node:path";
import { GateState } from "../../../firmware/protocol/states.ts";
import type { Circle } from "../../client/circle.ts";
import { Mailbox } from "../../mailbox.ts";
import type { Info } from "../../objects/evidence.ts";
import { RECOVERABLE } from "../../objects/recovery.ts";
import type { Registration } from "../../service/service.ts";
import { MACHINE_TIME, type Timing } from "../../timing.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import { Agent } from "../agent.ts";
import type { BoardDriver, BoardPort } from "../driver.ts";
import { AgentError } from "../errors.ts";
import type { Outcome } from "../outcome.ts";
import { runAsync } from "../step.ts";
import { partLeft } from "../store.ts";
import { BoardLink } from "./board-link.ts";
import { BoardStore } from "./board-store.ts";
import type { AgentConfig } from "./config.ts";
import { Enrolment } from "./enrolment.ts";
import type { Feed } from "./feed.ts";
import type { Files } from "./files.ts";
import { Lane, type Task } from "./lane.ts";
import { answerOpenings } from "./openings.ts";
import { type BoardStatus, statusError } from "./status.ts";

export interface KeeperParts {
  readonly driver: BoardDriver;
  readonly circle: Circle;
  readonly feed: Feed;
  readonly config: AgentConfig;
  /** Folder with a folder for each board. */
  readonly folder: string;
  readonly registrationFor: (verifier: string) => Partial<Registration> | undefined;
  /** Whether this keeper may have the board with this UEID: no other has it. */
  readonly claim: (ueid: string, keeper: BoardKeeper) => boolean;
  readonly onOutcome: (board: string, task: string, outcome: Outcome) => void;
  readonly onFault: (board: string, task: string, error: unknown) => void;
  readonly random: () => number;
  /** Default: the machine's. */
  readonly timing?: Timing;
  readonly files?: Files;
}

/** What belongs to the device behind the port. */
interface Device {
  readonly ueid: string;
  readonly store: BoardStore;
  readonly agent: Agent<"async">;
  readonly enrolment: Enrolment;
}

/** How often a board is looked at. */
const LOOK_MS = 2_000;
/** An answer to INFO serves all that look within this time. */
const INFO_MS = 100;
/** So often a verifier that lags is tried. */
const LAG_MS = 15_000;
/** A gate that stays shut for so long, though nothing seems to be missing, is given a new license. */
const IDLE_MS = 10_000;
/** Beacons are delivered so often, or more often where a lease is short. */
const BEACON_SECONDS = 30;
const BEACONS_PER_LEASE = 4;
/** Without contact for so long a board is not well. */
const CONTACT_MS = 15_000;
const OPENINGS_PER_POLL = 4;

const LICENSABLE: readonly number[] = [GateState.IDLE, GateState.OPEN, GateState.SLOWED];
const WELL: readonly number[] = [GateState.OPEN, GateState.SLOWED, GateState.DRAINING, GateState.PAUSED];
/** Refusals by which verifiers may mean that they do not know the board. */
const UNKNOWN: readonly unknown[] = ["device/unknown", "client/quorum"];

export class BoardKeeper {
  readonly name: string;
  readonly #parts: KeeperParts;
  readonly #timing: Timing;
  readonly #port: BoardPort;
  readonly #mailbox: Mailbox<"async">;
  readonly #urgent: Lane;
  readonly #slow: Lane;
  #running: Promise<unknown> = Promise.resolve();
  #device: Device | undefined;
  #info: Info | undefined;
  #contactMs = 0;
  /** Of the monotonic clock: when INFO was asked last, and what came of it. */
  #asked: { readonly atMs: number; readonly answer: Promise<Info> } | undefined;
  #renewAt: number;
  #isRetry = false;
  #idleFromMs: number | undefined;
  /** Epoch of the newest evidence that verifiers found good. */
  #confirmedEpoch = 0;
  #reportedMs: number;
  #lagFromMs = 0;
  /** The newest beacon that the board was given in this boot. */
  #beacon: { readonly bootCount: number; readonly issuedAtSeconds: number; readonly epoch: number } | undefined;

  constructor(name: string, parts: KeeperParts) {
    this.name = name;
    this.#parts = parts;
    this.#timing = parts.timing ?? MACHINE_TIME;
    this.#reportedMs = this.#timing.nowMs();
    this.#port = parts.driver.open(name);
    this.#mailbox = new Mailbox<"async">(this.#port.exchange);
    this.#renewAt = this.#drawRenewAt();
    const task = (name: string, run: Task["run"], everyMs = LOOK_MS): Task => ({ name, everyMs, run });
    const options = {
      onOutcome: (task: string, outcome: Outcome) => this.#ended(task, outcome),
      onFault: (task: string, error: unknown) => parts.onFault(name, task, error),
      random: parts.random,
      timing: this.#timing,
    };
    this.#urgent = new Lane(
      [
        task("agreement", () => this.#agreement()),
        task("orders", () => this.#orders()),
        task("time", () => this.#time()),
      ],
      options,
    );
    this.#slow = new Lane(
      [
        task("enrolment", () => this.#enrol()),
        task("recovery", () => this.#recover()),
        task("reports", () => this.#reports()),
        task("license", () => this.#license()),
        task("confirmation", () => this.#confirm()),
        task("openings", () => this.#openings(), parts.config.pollSeconds * 1000 * OPENINGS_PER_POLL),
      ],
      options,
    );
  }

  start(): void {
    this.#running = Promise.all([this.#urgent.run(), this.#slow.run()]);
  }

  /** What is on the way to the board is given up; what it said and is not kept, it says again. */
  async stop(): Promise<void> {
    this.#urgent.stop();
    this.#slow.stop();
    this.#port.close();
    await this.#running;
    await this.#device?.store.close();
  }

  /** Something is new for boards. `isBack`: a verifier that was away can be asked again. */
  feedChanged(isBack: boolean): void {
    this.#urgent.wake();
    if (!isBack) return;
    this.#lagFromMs = 0;
    this.#slow.wake();
  }

  status(nowMs: number): BoardStatus {
    const info = this.#info;
    const store = this.#device?.store;
    const failure = this.#urgent.failure ?? this.#slow.failure;
    const isReached = nowMs - this.#contactMs < CONTACT_MS;
    return {
      name: this.name,
      ueid: this.#device?.ueid ?? null,
      gateState: info?.gateState ?? null,
      epoch: info?.epoch ?? null,
      licenseSequence: info ? info.licenseSequence.toString() : null,
      licenseLeft: info && store ? partLeft(store.license, info) : null,
      reportsWaiting: store?.waitingCount ?? 0,
      lastContactMs: this.#contactMs,
      error: statusError(failure),
      isWell: isReached && failure === undefined && info !== undefined && WELL.includes(info.gateState),
    };
  }

  async #agreement(): Promise<Outcome | undefined> {
    const { agent } = await this.#reach();
    const { agreementVersion } = await this.#look();
    if (agreementVersion >= this.#parts.feed.agreementVersion) return undefined;
    return agent.provision();
  }

  async #orders(): Promise<Outcome | undefined> {
    const { agent } = await this.#reach();
    const { epoch, agreementVersion, timeBounds } = await this.#look();
    const [next] = this.#parts.feed.ordersAfter(epoch);
    if (!next || agreementVersion === 0) return undefined;
    // Not due by the board's own clock, however wrong that is: it would refuse.
    if (timeBounds && timeBounds.upperMs < next.notBeforeSeconds * 1000) return undefined;
    return agent.deliverOrders();
  }

  async #time(): Promise<Outcome | undefined> {
    const { agent } = await this.#reach();
    const { agreementVersion, timeBounds, bootCount, epoch } = await this.#look();
    if (agreementVersion === 0) return undefined;
    if (timeBounds === null) return agent.syncTime();
    const { beaconSays: says, leaseMs } = this.#parts.feed;
    if (!says || says.epoch < epoch) return undefined;
    const before = this.#beacon?.bootCount === bootCount ? this.#beacon : undefined;
    const gapSeconds = Math.min(BEACON_SECONDS, leaseMs / 1000 / BEACONS_PER_LEASE);
    const isDue = !before || says.epoch > before.epoch || says.issuedAtSeconds - before.issuedAtSeconds >= gapSeconds;
    if (!isDue) return undefined;
    const outcome = await agent.deliverBeacon();
    if (outcome.ok) this.#beacon = { bootCount, epoch: says.epoch, issuedAtSeconds: says.issuedAtSeconds };
    return outcome;
  }

  async #enrol(): Promise<Outcome | undefined> {
    const { enrolment } = await this.#reach();
    const { measurement } = await this.#look();
    return enrolment.run(hexOf(measurement));
  }

  async #recover(): Promise<Outcome | undefined> {
    const { agent } = await this.#reach();
    const { gateState, lastCode } = await this.#look();
    const isNeeded = gateState === GateState.LOCKED && RECOVERABLE.includes(lastCode);
    return isNeeded && this.#parts.config.recover ? agent.recover() : undefined;
  }

  async #reports(): Promise<Outcome | undefined> {
    const { agent, store } = await this.#reach();
    const { agreementVersion, gateState, reportHead } = await this.#look();
    const nowMs = this.#timing.nowMs();
    const canReport = agreementVersion > 0 && gateState !== GateState.LOCKED && gateState !== GateState.TAMPERED;
    const isDue = nowMs - this.#reportedMs >= this.#parts.config.reports.everySeconds * 1000;
    if (canReport && isDue && store.hasRoom) {
      this.#reportedMs = nowMs;
      return agent.report();
    }
    const isLost = reportHead.sequence > 0n && !isSame(store.newestReport, reportHead.digest);
    if (store.waitingCount > 0 || (canReport && isLost)) return agent.uploadReports();
    const lags = this.#parts.circle.members.some(({ name }) => store.deliveredTo(name) < store.newest);
    if (lags && nowMs >= this.#lagFromMs) {
      this.#lagFromMs = nowMs + LAG_MS;
      // Enough have everything: those that lag hold nobody up.
      await store.uploads.deliver();
    }
    return undefined;
  }

  async #license(): Promise<Outcome | undefined> {
    const { agent, store, enrolment } = await this.#reach();
    const info = await this.#look();
    if (!this.#needsLicense(info, store)) return undefined;
    const { terms } = this.#parts.config.license;
    const outcome = await (this.#isRetry ? agent.license(terms) : agent.renew(terms));
    this.#isRetry = !outcome.ok;
    if (outcome.ok) {
      this.#renewAt = this.#drawRenewAt();
      this.#confirmedEpoch = info.epoch;
    } else if (UNKNOWN.includes(outcome.code)) {
      enrolment.forget();
      this.#slow.wake("enrolment");
    }
    return outcome;
  }

  /** A board that is paused asks for no license: verifiers would not learn that the order has arrived. */
  async #confirm(): Promise<Outcome | undefined> {
    const { agent } = await this.#reach();
    const { gateState, epoch, timeBounds } = await this.#look();
    if (gateState !== GateState.PAUSED || timeBounds === null || epoch === this.#confirmedEpoch) return undefined;
    const outcome = await agent.confirm();
    if (outcome.ok) this.#confirmedEpoch = epoch;
    return outcome;
  }

  async #openings(): Promise<Outcome | undefined> {
    const { store } = await this.#reach();
    const { ueid } = await this.#look();
    return answerOpenings(this.#parts.circle, store, ueid);
  }

  #needsLicense(info: Info, store: BoardStore): boolean {
    const { gateState, timeBounds, epoch, agreementVersion } = info;
    const isIdle = gateState === GateState.IDLE;
    this.#idleFromMs = isIdle ? (this.#idleFromMs ?? this.#timing.nowMs()) : undefined;
    if (!LICENSABLE.includes(gateState) || timeBounds === null || agreementVersion === 0) return false;
    const isEnded = isIdle && (store.license?.epoch !== epoch || this.#timing.nowMs() - this.#idleFromMs! > IDLE_MS);
    return isEnded || partLeft(store.license, info) < this.#renewAt;
  }

  /** The device behind the port, as it is now. */
  async #reach(): Promise<Device> {
    await this.#look();
    return this.#device!;
  }

  /** What the board says of itself. Rejects with a `DriverError`, a `Refusal`, an `AgentError`. */
  async #look(): Promise<Info> {
    const nowMs = this.#timing.nowMs();
    if (!this.#asked || nowMs - this.#asked.atMs > INFO_MS) this.#asked = { atMs: nowMs, answer: this.#ask() };
    return this.#asked.answer;
  }

  async #ask(): Promise<Info> {
    const info = await this.#mailbox.info();
    const ueid = hexOf(info.ueid);
    if (this.#device?.ueid !== ueid) {
      await this.#device?.store.close();
      this.#device = await this.#open(ueid);
    }
    this.#info = info;
    this.#contactMs = this.#timing.wallMs();
    return info;
  }

  async #open(ueid: string): Promise<Device> {
    const { circle, feed, config, folder, claim, registrationFor, files } = this.#parts;
    if (!claim(ueid, this)) throw new AgentError("agent/duplicate", `${ueid.slice(0, 18)}…`);
    const store = await BoardStore.open(join(folder, ueid), circle, config.reports, files);
    const link = new BoardLink(circle, feed, store);
    return {
      ueid,
      store,
      agent: new Agent<"async">(this.#mailbox, link, { run: runAsync, store }),
      enrolment: new Enrolment({
        circle,
        store,
        port: this.#port,
        identity: () => this.#mailbox.identity(),
        registrationFor,
      }),
    };
  }

  #ended(task: string, outcome: Outcome): void {
    this.#parts.onOutcome(this.name, task, outcome);
    if (!outcome.ok) return;
    // What was in the way of another task may be gone.
    this.#asked = undefined;
    this.#urgent.wake();
    this.#slow.wake();
  }

  /** Boards of one site are not all renewed at the same moment. */
  #drawRenewAt(): number {
    const { renewAt, jitter } = this.#parts.config.license;
    return Math.min(0.99, renewAt * (1 + jitter * this.#parts.random()));
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && sameBytes(a, b);
}
