/**
 * Plays inputs from one start, and looks at everything that the governor answers and grants. Objects are made in the
 * moment they are sent, from what the governor says of itself then, as honest parties do; what an input changes about
 * them comes after.
 */
import { Command } from "../../firmware/protocol/commands.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import type { Agreement } from "../../host/objects/agreement.ts";
import { decodeInfo, type Info } from "../../host/objects/evidence.ts";
import type { License } from "../../host/objects/license.ts";
import { type CborValue, decode, encode } from "../../host/protocol/cbor.ts";
import { ERROR_PHRASES, errorPhrase } from "../../host/protocol/error-phrases.ts";
import { Refusal } from "../../host/protocol/refusal.ts";
import { AttackSucceeded } from "../campaign.ts";
import { Rig } from "../rig.ts";
import { Books } from "./books.ts";
import { hostVerify } from "./host-verdict.ts";
import { type Input, type Sending, type Step, spliced } from "./input.ts";
import type { Sample } from "./mutate.ts";
import { draftedPayload, REQUESTS, SIGNED, type SignedKind, signed } from "./objects.ts";
import { Showing } from "./showing.ts";
import type { Start } from "./starts.ts";
import { Stopped, Subject, type SubjectImage } from "./subject.ts";

/** An object that may be sent in one moment: its payload, and who have signed it already. */
type Drafted = { payload: Uint8Array; signed: Map<number, Uint8Array> };
/** What parties know of the governor, and have made for it. */
type Moment = { info: Info; drafts: Map<string, Drafted> };
const MOMENTS_MAX = 500;
const KNOWN_MAX = 2000;

const INFO = REQUESTS.info!;
const TAKES_OBJECT: ReadonlySet<number> = new Set(Object.values(SIGNED).map(({ command }) => command));
/** What comes with an OK. */
const RESULTS: Readonly<Record<number, string>> = {
  [Command.INFO]: "map",
  [Command.IDENTITY]: "bytes",
  [Command.TIME_CHALLENGE]: "bytes",
  [Command.EVIDENCE]: "bytes",
  [Command.REPORT]: "bytes,bytes",
  [Command.REPORT_AGAIN]: "bytes,bytes",
};

/** The parties' end: a rig whose requests go to the governor that is fuzzed. */
class Parties extends Rig {
  readonly #play: Play;

  constructor({ rig }: Start, play: Play) {
    super(rig.agreement, { flashSectors: 4, invariants: false });
    this.#play = play;
  }

  override ask(command: Command, argument?: Uint8Array): readonly CborValue[] {
    return this.#play.exchange(encode(argument === undefined ? [command] : [command, argument]));
  }

  override info(): Info {
    return this.#play.moment().info;
  }

  override get nowSeconds(): number {
    return this.#play.nowSeconds;
  }
}

export class Play {
  readonly subject: Subject;
  readonly #parties: Parties;
  readonly #books: Books;
  readonly #agreementAtStart: Agreement | undefined;
  readonly #secondsAtStart: number;
  readonly #infoAtStart: Info;
  readonly #samples = new Map<string, Sample>();
  readonly #known = new Map<string, unknown>();
  readonly #moments = new Map<string, Moment>();
  readonly #atStart: Moment;
  readonly #showing: Showing | undefined;
  #moment: Moment | undefined;
  #agreement: Agreement | undefined;
  #ticks = 0;
  #verdict = "";

  constructor(image: SubjectImage, start: Start) {
    const { rig } = start;
    this.subject = new Subject(image, start);
    this.#infoAtStart = rig.info();
    this.#agreementAtStart = this.#infoAtStart.agreementVersion > 0 ? rig.agreement : undefined;
    this.#secondsAtStart = rig.nowSeconds;
    this.#books = new Books(this.subject, rig, start.drains);
    this.#parties = new Parties(start, this);
    this.#showing = start.log && new Showing(start.log, this.#parties);
    this.#restart();
    this.#atStart = this.moment();
    this.#warm();
  }

  get nowSeconds(): number {
    return this.#secondsAtStart + Math.floor(this.#ticks / this.#parties.agreement.tickHz);
  }

  /** What came of the last message. @throws AttackSucceeded */
  run({ steps }: Input): string {
    this.#restart();
    this.#moment = this.#atStart;
    this.#verdict = "no answer";
    try {
      for (const step of steps) {
        this.#take(step);
        this.#books.check();
        this.#moment = undefined;
      }
    } catch (error) {
      if (error instanceof Stopped) throw new AttackSucceeded(error.message);
      throw error;
    }
    return this.#verdict;
  }

  /** What the governor says of itself now; one that says nothing is taken to be as it was. */
  moment(): Moment {
    if (this.#moment) return this.#moment;
    const answer = this.subject.doorbell(INFO);
    const key = `${this.nowSeconds} ${Buffer.from(answer).toString("latin1")}`;
    const known = this.#moments.get(key) ?? { info: this.#infoIn(answer), drafts: new Map() };
    if (this.#moments.size > MOMENTS_MAX) this.#moments.clear();
    this.#moments.set(key, known);
    this.#moment = known;
    return known;
  }

  /** What an object is like at the start. */
  sample(object: string): Sample {
    const known = this.#samples.get(object) ?? this.#sampleNow(object);
    this.#samples.set(object, known);
    return known;
  }

  /** The items of the answer. @throws AttackSucceeded for one that the host would not understand, or not agree with. */
  exchange(request: Uint8Array): readonly CborValue[] {
    const answer = answerIn(this.subject.doorbell(request));
    const [code, ...results] = answer;
    // What was carried out was well-formed: the command is a byte behind the array's.
    const command = request[1]!;
    const wanted = code === ErrorCode.OK ? (RESULTS[command] ?? "") : "";
    const got = results.map(kindOf).join();
    if (got !== wanted) throw new AttackSucceeded(`command ${command} was answered with ${code} and "${got}"`);
    if (code === ErrorCode.OK && TAKES_OBJECT.has(command)) this.#taken(command, request);
    this.#verdict = verdictOf(code as number);
    return answer;
  }

  #sampleNow(object: string): Sample {
    this.#restart();
    const kind = SIGNED[object];
    const message = made(() => this.#requestOf({ object, splices: [] })) ?? new Uint8Array(0);
    return kind && message.length > 0 ? { message, payload: this.#drafted(object, kind).payload } : { message };
  }

  #restart(): void {
    this.subject.restart();
    this.#books.restart();
    this.#agreement = this.#agreementAtStart;
    this.#ticks = 0;
    this.#moment = undefined;
    this.#showing?.restart();
  }

  /** Combs of the parties' keys are made when they have signed twice; governors have them for years. */
  #warm(): void {
    this.#restart();
    for (const object of ["license", "pause", "beacon", "beacon-clocks"].flatMap((name) => [name, name, name])) {
      this.#moment = this.#atStart;
      this.subject.warm(this.#requestOf({ object, splices: [] }));
    }
  }

  #infoIn(answer: Uint8Array): Info {
    const [code, info] = answerIn(answer);
    return code === ErrorCode.OK ? understood(() => decodeInfo(info!)) : this.#infoAtStart;
  }

  #take(step: Step): void {
    if ("ticks" in step) {
      this.#ticks += step.ticks;
      this.subject.knobs.ticks += BigInt(step.ticks);
      this.subject.tick();
    } else if ("object" in step) this.#send(step);
    else if (step.deed === "creditLow") this.subject.creditLow();
    else if (step.deed === "work") this.#books.work();
    else this.subject.powerCycle();
  }

  /** What honest parties would not make, or what is too long for a message, is not sent. */
  #send(sending: Sending): void {
    const drafted = made(() => this.#requestOf(sending));
    if (!drafted) return;
    const request = spliced(drafted, sending.splices, "message");
    this.exchange(request.subarray(0, REQUEST_BYTES_MAX));
  }

  #requestOf({ object, signers, splices }: Sending): Uint8Array {
    const kind = SIGNED[object];
    if (!kind) return REQUESTS[object]!;
    const drafted = this.#drafted(object, kind);
    const bits = signers ?? kind.signers;
    if (splices.some(({ in: where }) => where === "payload")) {
      const payload = spliced(drafted.payload, splices, "payload");
      return this.#requestWith(kind, signed(kind, payload, bits));
    }
    // A proof is of the log as it is just now.
    if (this.#showing) return this.#requestWith(kind, signed(kind, drafted.payload, bits));
    const known = drafted.signed.get(bits) ?? requestWith(kind.command, signed(kind, drafted.payload, bits));
    drafted.signed.set(bits, known);
    return known;
  }

  #requestWith({ command, type }: SignedKind, message: Uint8Array): Uint8Array {
    return this.#showing?.requestWith(command, type, message) ?? requestWith(command, message);
  }

  #drafted(object: string, kind: SignedKind): Drafted {
    const { drafts } = this.moment();
    const known = drafts.get(object) ?? { payload: draftedPayload(kind, this.#parties), signed: new Map() };
    // A time proof is on a nonce that was asked for just now.
    if (kind.command !== Command.TIME_PROOF) drafts.set(object, known);
    return known;
  }

  /** By the host, which remembers what it has verified under the first agreement. */
  #verified(command: number, object: Uint8Array): unknown {
    const verify = () => understood(() => hostVerify(command, object, this.#agreement));
    if (this.#agreement !== this.#agreementAtStart) return verify();
    const key = `${command} ${Buffer.from(object).toString("latin1")}`;
    const read = this.#known.get(key) ?? verify();
    if (this.#known.size > KNOWN_MAX) this.#known.clear();
    this.#known.set(key, read);
    return read;
  }

  /** The governor has taken an object: so does the host, or one of them is wrong. */
  #taken(command: number, request: Uint8Array): void {
    const [, object] = decode(request) as [number, Uint8Array];
    this.#showing?.check(command, request);
    const read = this.#verified(command, object);
    if (command === Command.LICENSE) this.#books.licensed(read as License);
    if (command === Command.AGREEMENT) {
      this.#agreement = read as Agreement;
      this.#books.agreed(this.#agreement);
    }
  }
}

/** One byte more than the mailbox holds: that is refused too. */
const REQUEST_BYTES_MAX = 4097;

const requestWith = (command: Command, object: Uint8Array) => encode([command, object]);

function answerIn(bytes: Uint8Array): readonly CborValue[] {
  const answer = understood(() => decode(bytes));
  if (Array.isArray(answer) && ERROR_PHRASES[answer[0]]) return answer;
  throw new AttackSucceeded(`the answer ${Buffer.from(bytes).toString("hex")} is none`);
}

function kindOf(value: CborValue): string {
  if (value instanceof Uint8Array) return "bytes";
  return value instanceof Map ? "map" : typeof value;
}

function verdictOf(code: number): string {
  if (code === ErrorCode.OK) return "done";
  return `refused: ${errorPhrase(code).name.split("_")[0]!.toLowerCase()}`;
}

function made(draft: () => Uint8Array): Uint8Array | undefined {
  try {
    return draft();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** What the host refuses here is a disagreement. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal)
      throw new AttackSucceeded(`the host refuses what the governor says or takes: ${error.message}`);
    throw error;
  }
}
