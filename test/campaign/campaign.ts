/**
 * One campaign: clients keep a verifier's processes busy while blows fall at random moments. Processes are killed (in the
 * middle of what they do, and now and then while they start), connections to the database are cut, the disk is full for a
 * while. The seed draws the blows, and what the clients do; moments are the machine's, so that no run is quite like another.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createToken } from "../../host/auth/token.ts";
import { agreementDigest } from "../../host/objects/agreement.ts";
import { SqlTokenStore } from "../../host/store/auth-stores.ts";
import { openStore, type StorePlace } from "../../host/store/store.ts";
import { Random } from "../../sim-board/random.ts";
import { eventually } from "../host/eventually.ts";
import { loadAgreement } from "../host/serving.ts";
import { checkBooks } from "./books.ts";
import { Client, type ClientWorld } from "./client.ts";
import { examine } from "./examine.ts";
import { Ledger } from "./ledger.ts";
import { LogWatch } from "./log-watch.ts";
import type { CampaignPlace } from "./places.ts";
import { Services } from "./services.ts";

export interface CampaignOptions {
  readonly seed: string;
  readonly kills: number;
  /** How often connections are cut. */
  readonly cuts?: number;
  /** How often the disk is full. */
  readonly fills?: number;
  /** Processes that serve the store at once. */
  readonly processes?: number;
  readonly clients?: number;
  /** The store is looked through after every so many blows, and at the end. */
  readonly examineEvery?: number;
  /** Whether the log is followed, and every license looked for in it when it is handed out. */
  readonly watchesLog?: boolean;
  /** Faults that are put in on purpose. */
  readonly commitLateMs?: number;
  readonly publishLateMs?: number;
  readonly progress?: (line: string) => void;
}

export interface CampaignResult {
  readonly seed: string;
  readonly kills: number;
  /** Of processes that had not opened the store yet. */
  readonly killsOpening: number;
  readonly cuts: number;
  readonly connectionsCut: number;
  readonly fills: number;
  readonly devices: number;
  readonly licenses: number;
  readonly reports: number;
  /** Answers that were compared with what was known. */
  readonly answers: number;
  /** Acts that were asked for twice at once, licenses in other terms too. */
  readonly races: number;
  /** Requests to which no answer came. */
  readonly unanswered: number;
  /** Acts of which nobody was told, and which were there all the same. */
  readonly foundAgain: number;
  /** Refusals to come again later, by code. */
  readonly putOff: Readonly<Record<string, number>>;
  readonly examined: number;
  /** Of the log, where it was followed: heads that were seen, and entries. */
  readonly heads: number;
  readonly entries: number;
  readonly seconds: number;
  readonly faults: readonly string[];
}

type Blow = "kill" | "cut" | "fill";

const CLIENTS = 12;
const EXAMINE_EVERY = 25;
/** A blow falls after so many answers and so many milliseconds more, at most. */
const ANSWERS_MAX = 40;
const DELAY_MS_MAX = 25;
/** One start in so many is struck too. */
const OPENING_ONE_IN = 10;
const OPENING_MS_MAX = 60;
/** A disk stays full until so many requests were put off; now and then its process is killed meanwhile. */
const PUT_OFF_LEAST = 40;
const FULL_KILL_ONE_IN = 3;
const STALL_MS = 120_000;
const DAY_MS = 86_400_000;

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #place: CampaignPlace;
  readonly #random: Random;
  readonly #ledger = new Ledger();
  readonly #services: Services;
  readonly #clients: readonly Client[];
  readonly #watch: LogWatch | undefined;
  #isOver = false;
  #kills = 0;
  #cuts = 0;
  #fills = 0;
  #killsOpening = 0;
  #connectionsCut = 0;
  #examined = 0;

  constructor(place: CampaignPlace, options: CampaignOptions) {
    this.#place = place;
    this.#options = options;
    const random = new Random(options.seed);
    this.#random = random.stream("blows");
    const { commitLateMs, publishLateMs, processes = 1, clients = CLIENTS } = options;
    const order = {
      place: place.place,
      ...(commitLateMs !== undefined && { commitLateMs }),
      ...(publishLateMs !== undefined && { publishLateMs }),
    };
    this.#services = new Services(order, processes, (complaint) =>
      this.#ledger.faults.push(`a process ended by itself: ${complaint}`),
    );
    this.#watch = options.watchesLog ? new LogWatch(this.#services, this.#ledger) : undefined;
    const world: ClientWorld = {
      get nowMs() {
        return Date.now();
      },
      digest: agreementDigest(loadAgreement().agreement),
      verifier: { challenge: given, acceptReport: given },
      services: this.#services,
      ledger: this.#ledger,
      watch: this.#watch,
    };
    this.#clients = Array.from(
      { length: clients },
      (_, i) => new Client(`board ${i}`, world, random.stream(`client ${i}`)),
    );
  }

  async run(): Promise<CampaignResult> {
    const begun = performance.now();
    const ledger = this.#ledger;
    try {
      const token = await auditorOf(this.#place.place);
      await this.#services.start();
      await this.#strikeUnderLoad();
      // Everything once more, and what closes the books.
      await Promise.all(this.#clients.map((client) => client.close()));
      ledger.faults.push(...(await checkBooks(this.#services, token, this.#clients)));
    } catch (error) {
      ledger.faults.push((error as Error).message);
    } finally {
      this.#isOver = true;
      await this.#services.close();
    }
    await this.#examine(ledger.faults.length === 0);
    return {
      seed: this.#options.seed,
      kills: this.#kills,
      killsOpening: this.#killsOpening,
      cuts: this.#cuts,
      connectionsCut: this.#connectionsCut,
      fills: this.#fills,
      devices: this.#clients.length,
      licenses: ledger.licenses.size,
      reports: ledger.reports.size,
      answers: ledger.answers,
      races: ledger.races,
      unanswered: ledger.unanswered,
      foundAgain: ledger.foundAgain,
      putOff: Object.fromEntries(ledger.putOff),
      examined: this.#examined,
      heads: this.#watch?.heads ?? 0,
      entries: this.#watch?.entries ?? 0,
      seconds: Math.round((performance.now() - begun) / 100) / 10,
      faults: ledger.faults,
    };
  }

  /** No more blows: what was done so far is checked. */
  stop(): void {
    this.#isOver = true;
    this.#ledger.release();
  }

  async #strikeUnderLoad(): Promise<void> {
    const lives = Promise.all(this.#clients.map((client) => client.live(() => this.#isOver)));
    const striking = this.#strike();
    try {
      await Promise.race([striking, lives]);
    } finally {
      // When a client gives up, the blow that is under way is the last.
      this.stop();
      await Promise.allSettled([striking]);
    }
    await lives;
  }

  async #strike(): Promise<void> {
    const { kills, cuts = 0, fills = 0, examineEvery = EXAMINE_EVERY, progress } = this.#options;
    const blows = this.#shuffled([...times("kill", kills), ...times("cut", cuts), ...times("fill", fills)]);
    let sinceExamined = 0;
    for (const [i, blow] of blows.entries()) {
      await this.#moment();
      if (this.#isOver || this.#ledger.faults.length > 0) return;
      sinceExamined += 1;
      const isDue = blow !== "fill" && sinceExamined >= examineEvery;
      if (isDue) sinceExamined = 0;
      if (blow === "kill") await this.#kill(isDue);
      else if (blow === "cut") await this.#cut(isDue);
      else await this.#fill();
      progress?.(`${i + 1} of ${blows.length} blows, ${this.#ledger.answers.toLocaleString("en-US")} answers`);
    }
    await this.#moment();
  }

  async #kill(isDue: boolean): Promise<void> {
    const services = this.#services;
    const index = this.#random.below(services.count);
    await services.kill(index);
    this.#kills += 1;
    if (isDue) await this.#examine();
    if (this.#random.below(OPENING_ONE_IN) === 0) {
      await services.killOpening(() => delay(this.#random.below(OPENING_MS_MAX)));
      this.#killsOpening += 1;
    }
    await services.serve(index);
  }

  async #cut(isDue: boolean): Promise<void> {
    this.#cuts += 1;
    this.#connectionsCut += await this.#place.cut!();
    if (isDue) await this.#examine();
  }

  async #fill(): Promise<void> {
    const refused = () => [...this.#ledger.putOff.values()].reduce((sum, count) => sum + count, 0);
    const makeRoom = this.#place.fill!();
    this.#fills += 1;
    const least = refused() + PUT_OFF_LEAST;
    await eventually(() => {
      if (refused() < least && !this.#isOver)
        throw new Error(`only ${refused()} of ${least} requests were put off on a full disk`);
    }, STALL_MS);
    const isKilled = this.#random.below(FULL_KILL_ONE_IN) === 0;
    if (isKilled) {
      await this.#services.kill(0);
      this.#kills += 1;
    }
    makeRoom();
    if (isKilled) await this.#services.serve(0);
  }

  /** A moment under load. */
  async #moment(): Promise<void> {
    if (this.#isOver) return;
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<void>((_, reject) => {
      timer = setTimeout(() => reject(new Error("the load stands still")), STALL_MS);
    });
    await Promise.race([this.#ledger.after(1 + this.#random.below(ANSWERS_MAX)), stalled]);
    clearTimeout(timer);
    await delay(this.#random.below(DELAY_MS_MAX));
  }

  async #examine(whole = false): Promise<void> {
    this.#examined += 1;
    this.#ledger.faults.push(...(await examine(this.#place.place, this.#ledger, whole)));
  }

  #shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.#random.below(left.length), 1)[0]!);
  }
}

function times(blow: Blow, count: number): Blow[] {
  return Array.from({ length: count }, () => blow);
}

function given(): never {
  throw new Error("clients give their boards what they need");
}

/** The token of one who may read the books. */
async function auditorOf(place: StorePlace): Promise<string> {
  const nowMs = Date.now();
  const { token, record } = createToken({ name: "Ada", roles: ["auditor"], nowMs, expiresMs: nowMs + DAY_MS });
  const store = await openStore(place);
  try {
    await new SqlTokenStore(store).addToken(record);
  } finally {
    await store.close();
  }
  return token;
}
