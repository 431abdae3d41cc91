/**
 * What verifiers tell all boards alike: agreements, orders, beacons. Each verifier is listened to (server-sent events),
 * and asked as well: when listening begins, and now and then. So nothing depends on an event, and an order is here at once
 * where they work. Nothing is judged: boards do that.
 */
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { CoseTag } from "../../../firmware/protocol/cose-labels.ts";
import type { Circle, CircleClient, CircleMember } from "../../client/circle.ts";
import { ClientError } from "../../client/errors.ts";
import { backOffMs } from "../../client/retry.ts";
import { type NoteKey, NoteType, noteKey } from "../../log/note.ts";
import { isSameKey } from "../../log/note-key.ts";
import { decodeAgreement } from "../../objects/agreement.ts";
import { decodeTime, type TimeStatement } from "../../objects/time.ts";
import { parseSign, parseSign1 } from "../../protocol/cose.ts";
import { Refusal } from "../../protocol/refusal.ts";
import type { OrderView, ServiceEvent } from "../../service/service.ts";
import { MACHINE_TIME, type Timing } from "../../timing.ts";
import { sameBytes } from "../../verifier/bytes.ts";
import { VerifierError } from "../../verifier/errors.ts";
import { type Failure, failureOf } from "../outcome.ts";
import { Sleeper } from "./sleeper.ts";

/** A verifier as it was last seen. */
export interface VerifierState {
  readonly name: string;
  isListening: boolean;
  /** Of the last answer or event, in ms of the machine's clock; 0 before the first. */
  lastContactMs: number;
  failure: Failure | undefined;
  /** Why it is not listened to; it may answer questions all the same. */
  eventsFailure: Failure | undefined;
  /** Why its heads of logs were not taken; the feed goes on all the same. */
  headsFailure: Failure | undefined;
}

type FailureKind = "failure" | "eventsFailure" | "headsFailure";

export interface FeedOptions {
  readonly pollMs: number;
  /** Something is new for boards; `isBack`: a verifier that was away can be asked again. */
  readonly onChange: (isBack: boolean) => void;
  readonly onFault: (error: unknown) => void;
  readonly onFailure: (name: string, failure: Failure) => void;
  /**
   * After a verifier was asked; nothing waits for it, and of each verifier one is under way at a time. It ends soon after
   * the signal. What it rejects with is the verifier's failure, or a fault.
   */
  readonly onAsked?: (member: CircleMember, logs: readonly NoteKey[], signal: AbortSignal) => Promise<void>;
  readonly random?: () => number;
  readonly timing?: Timing;
}

interface Beacon {
  readonly bytes: Uint8Array;
  readonly says: TimeStatement;
  readonly receivedMs: number;
}

const RECONNECT_FIRST_MS = 250;
const RECONNECT_LONGEST_MS = 15_000;
/** A beacon that is younger is not asked for again. */
const FRESH_MS = 5_000;
/** Leases are longer than a few polls, or boards would lapse between two. */
const POLLS_PER_LEASE = 4;

export class Feed {
  readonly states: ReadonlyMap<string, VerifierState>;
  readonly #circle: Circle;
  readonly #options: FeedOptions;
  readonly #random: () => number;
  readonly #timing: Timing;
  readonly #sleeper: Sleeper;
  readonly #loops: Promise<void>[] = [];
  /** What goes on after a verifier was asked, by its name. */
  readonly #asides = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();
  #agreements: readonly { readonly version: number; readonly bytes: Uint8Array }[] = [];
  #leaseMs = Number.POSITIVE_INFINITY;
  /** Of all agreements: heads of a log that is no longer agreed on may still be at odds. */
  #logs: readonly NoteKey[] = [];
  #orders: readonly OrderView[] = [];
  #beacon: Beacon | undefined;
  #fetching: Promise<void> | undefined;

  constructor(circle: Circle, options: FeedOptions) {
    this.#circle = circle;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#timing = options.timing ?? MACHINE_TIME;
    this.#sleeper = new Sleeper(this.#timing);
    this.states = new Map(
      circle.members.map(({ name }) => [
        name,
        {
          name,
          isListening: false,
          lastContactMs: 0,
          failure: undefined,
          eventsFailure: undefined,
          headsFailure: undefined,
        },
      ]),
    );
  }

  start(): void {
    for (const member of this.#circle.members) this.#loops.push(this.#poll(member), this.#listen(member));
  }

  /** The clients must be closed too: that ends what is on the way. */
  async stop(): Promise<void> {
    this.#sleeper.stop();
    this.#ending.abort();
    await Promise.all(this.#loops);
    await Promise.all(this.#asides.values());
  }

  get agreementVersion(): number {
    return this.#agreements.at(-1)?.version ?? 0;
  }

  get epochNewest(): number {
    return this.#orders.at(-1)?.epoch ?? 0;
  }

  /** What the newest beacon says, if a board may be given it. */
  get beaconSays(): TimeStatement | undefined {
    return this.#beacon?.says;
  }

  /** How long a beacon keeps a gate alive, by the agreement in force. */
  get leaseMs(): number {
    return this.#leaseMs;
  }

  agreementsAfter(version: number): readonly Uint8Array[] {
    return this.#agreements.filter((one) => one.version > version).map(({ bytes }) => bytes);
  }

  ordersAfter(epoch: number): readonly OrderView[] {
    return this.#orders.filter((order) => order.epoch > epoch);
  }

  /** The newest beacon; asked for anew where that is not fresh, or older than the newest order. */
  async beacon(): Promise<Uint8Array> {
    const freshMs = Math.min(FRESH_MS, this.#options.pollMs);
    const isFresh = (beacon: Beacon) => this.#timing.nowMs() - beacon.receivedMs < freshMs;
    if (!this.#beacon || !isFresh(this.#beacon) || this.#beacon.says.epoch < this.epochNewest) {
      // One question for all boards that want it now.
      this.#fetching ??= this.#circle
        .beacon()
        .then((bytes) => this.#takeBeacon(bytes))
        .finally(() => {
          this.#fetching = undefined;
        });
      await this.#fetching.catch((error) => {
        if (!this.#beacon) throw error;
      });
    }
    if (!this.#beacon) throw new ClientError("client/answer", "no beacon that a board could be given");
    return this.#beacon.bytes;
  }

  async #poll(member: CircleMember): Promise<void> {
    while (!this.#sleeper.isOver) {
      await this.#try(member, "failure", () => this.#ask(member));
      await this.#sleeper.sleep(Math.min(this.#options.pollMs, this.#leaseMs / POLLS_PER_LEASE));
    }
  }

  async #listen(member: CircleMember): Promise<void> {
    const state = this.states.get(member.name)!;
    for (let failures = 1; !this.#sleeper.isOver; failures++) {
      await this.#try(member, "eventsFailure", async () => {
        for await (const event of member.client.events()) {
          state.isListening = true;
          state.eventsFailure = undefined;
          this.#reached(state);
          // What happened before is asked for, what happens from now on is told.
          if (event === undefined) await this.#ask(member);
          else await this.#take(member, event);
          // Not before: who is listened to and cannot be asked is not listened to ten times a second.
          failures = 0;
        }
      });
      state.isListening = false;
      await this.#sleeper.sleep(backOffMs(failures, this.#random, RECONNECT_FIRST_MS, RECONNECT_LONGEST_MS));
    }
  }

  async #ask(member: CircleMember): Promise<void> {
    const { client, name } = member;
    const about = await this.#circle.learnFrom(member);
    this.#reached(this.states.get(name)!);
    if (about.agreementVersion > this.agreementVersion) {
      this.#takeAgreements(await client.agreementsAfter(this.agreementVersion));
    }
    if (about.epoch > this.epochNewest) this.#takeOrders(await client.ordersAfter(this.epochNewest));
    const beacon = await beaconOf(client);
    if (beacon) this.#takeBeacon(beacon);
    this.#goAside(member);
  }

  /** Never awaited here: a verifier that hangs or floods in this must not hold up orders. */
  #goAside(member: CircleMember): void {
    const { onAsked } = this.#options;
    const { name } = member;
    if (!onAsked || this.#asides.has(name) || this.#sleeper.isOver) return;
    const aside = this.#try(member, "headsFailure", async () => {
      await onAsked(member, this.#logs, this.#ending.signal);
      this.states.get(name)!.headsFailure = undefined;
    });
    this.#asides.set(
      name,
      aside.finally(() => this.#asides.delete(name)),
    );
  }

  async #take(member: CircleMember, event: ServiceEvent): Promise<void> {
    if (event.type === "beacon") {
      if (timeOf(event.bytes).epoch > this.epochNewest) await this.#ask(member);
      else this.#takeBeacon(event.bytes);
    } else if (event.type === "order") {
      if (event.order.epoch > this.epochNewest + 1) await this.#ask(member);
      else this.#takeOrders([event.order]);
    } else if (event.version > this.agreementVersion) await this.#ask(member);
  }

  #takeAgreements(agreements: readonly Uint8Array[]): void {
    for (const bytes of agreements) {
      const { version, leaseSeconds, log } = decodeAgreement(parseSign(bytes).payload);
      if (version <= this.agreementVersion) continue;
      if (log) this.#takeLog(noteKey(log.log.name, NoteType.ED25519, log.log.publicKey));
      this.#agreements = [...this.#agreements, { version, bytes }];
      this.#leaseMs = leaseSeconds * 1000;
      this.#circle.takeAgreement(bytes);
      this.#options.onChange(false);
    }
  }

  #takeLog(key: NoteKey): void {
    if (!this.#logs.some((known) => isSameKey(known, key))) this.#logs = [...this.#logs, key];
  }

  #takeOrders(orders: readonly OrderView[]): void {
    const known = new Map(this.#orders.map((order) => [order.epoch, order]));
    for (const order of orders) {
      const before = known.get(order.epoch);
      if (before && !sameBytes(before.digest, order.digest)) {
        this.#options.onFault(new Error(`two orders of epoch ${order.epoch}: verifiers contradict one another`));
      }
      if (!before) known.set(order.epoch, order);
    }
    if (known.size === this.#orders.length) return;
    this.#orders = [...known.values()].sort((a, b) => a.epoch - b.epoch);
    this.#options.onChange(false);
  }

  /** One that names an order which is not here yet would make gates drain: it waits until the order has come. */
  #takeBeacon(bytes: Uint8Array): void {
    const says = timeOf(bytes);
    if (says.epoch > this.epochNewest) return;
    const before = this.#beacon?.says;
    const isOlder =
      before &&
      (says.epoch < before.epoch || (says.epoch === before.epoch && says.issuedAtSeconds < before.issuedAtSeconds));
    if (isOlder) return;
    const isNew = !this.#beacon || !sameBytes(this.#beacon.bytes, bytes);
    this.#beacon = { bytes, says, receivedMs: this.#timing.nowMs() };
    if (isNew) this.#options.onChange(false);
  }

  #reached(state: VerifierState): void {
    const wasAway = state.failure !== undefined;
    state.lastContactMs = this.#timing.wallMs();
    state.failure = undefined;
    if (wasAway) this.#options.onChange(true);
  }

  async #try({ name }: CircleMember, kind: FailureKind, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#sleeper.isOver) return;
      // What a verifier says and cannot be read is its failure, as is what it refuses.
      const failure = failureOf(error instanceof Refusal ? new ClientError("client/answer", error.message) : error);
      if (!failure) {
        this.#options.onFault(error);
        return;
      }
      const state = this.states.get(name)!;
      const isNew = state[kind]?.code !== failure.code;
      state[kind] = failure;
      if (isNew) this.#options.onFailure(name, failure);
    }
  }
}

/** Undefined where the time authorities' keys are at other verifiers. */
async function beaconOf(client: CircleClient): Promise<Uint8Array | undefined> {
  try {
    return await client.beacon();
  } catch (error) {
    if (error instanceof VerifierError && error.code === "time/no-authority") return undefined;
    throw error;
  }
}

/** A COSE_Sign1 of one time authority, or a COSE_Sign of several. Throws a `Refusal`. */
function timeOf(bytes: Uint8Array): TimeStatement {
  const isSign1 = bytes[0] === (0xc0 | CoseTag.SIGN1);
  const { payload } = isSign1 ? parseSign1(bytes) : parseSign(bytes);
  return decodeTime(ObjectType.BEACON, payload);
}
