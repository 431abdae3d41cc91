/**
 * Several verifiers, each with the keys of some parties, and one quorum. Evidence is made over the nonces of all that
 * answer and goes to one after the other, with the draft that the ones before have signed, until the quorum is complete.
 * Verifiers that are down or refuse are passed over while others can make it up.
 */
import { decodeAgreement } from "../objects/agreement.ts";
import { decodeEvidence } from "../objects/evidence.ts";
import { combinedNonce, NONCES_MAX } from "../objects/nonces.ts";
import { parseSign, parseSign1 } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { LicenseCall, OrderView, Registration, SignedAnswer } from "../service/service.ts";
import { MACHINE_TIME, type Timing } from "../timing.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import type { VerifierClient } from "./client.ts";
import { ClientError } from "./errors.ts";
import { logProofOfAny } from "./log-proofs.ts";
import { wait } from "./retry.ts";
import { codeOf, failureOf, type Result, settle, settleOne } from "./settle.ts";
import type { About } from "./views.ts";

/** What is asked of a verifier here, and of whoever carries the questions. */
export type CircleClient = Pick<
  VerifierClient,
  | "about"
  | "agreementsAfter"
  | "appraise"
  | "beacon"
  | "close"
  | "devices"
  | "enrol"
  | "events"
  | "importLicense"
  | "importRecovery"
  | "license"
  | "logHeads"
  | "logProof"
  | "logTile"
  | "nonce"
  | "offerLogHead"
  | "offlineLicense"
  | "open"
  | "openingsWanted"
  | "ordersAfter"
  | "recovery"
  | "reports"
  | "timeProof"
>;

/** A verifier of the circle. */
export interface CircleMember {
  /** Unique in the circle; it names the verifier for people. */
  readonly name: string;
  readonly client: CircleClient;
}

/** How a verifier failed. */
export interface MemberFailure {
  readonly name: string;
  readonly error: Error;
}

/** Not enough verifiers did what was asked; why not, of each that failed. */
export class CircleError extends ClientError {
  readonly failures: readonly MemberFailure[];

  constructor(detail: string, failures: readonly MemberFailure[]) {
    const reasons = failures.map(({ name, error }) => `${name}: ${codeOf(error)}`);
    super("client/quorum", [detail, ...reasons].join("; "), { cause: failures[0]?.error });
    this.failures = failures;
  }
}

/** Once enough verifiers have answered, the others have so long to be among them, unless the caller says otherwise. */
const GRACE_MS = 1_000;
/** A verifier that failed is asked last for so long, where any will do. */
const LAST_MS = 30_000;
/** Evidence that is on its way, of all boards together. */
const CHALLENGES_MAX = 4_096;

type Ask = (member: CircleMember, call: LicenseCall) => Promise<SignedAnswer>;
/** Shows a verifier the licenses of a board up to this sequence. False if there is none that it was not shown. */
type ShowLicenses = (member: CircleMember, upTo: bigint) => Promise<boolean>;
type Nonces = ReadonlyMap<string, Uint8Array>;

export class Circle {
  readonly members: readonly CircleMember[];
  readonly #graceMs: number;
  readonly #timing: Timing;
  /** Parties by the name of the verifier that holds their keys, as it says. */
  readonly #parties = new Map<string, readonly string[]>();
  /** Signatures of a license; undefined until an agreement was seen. */
  #quorum: number | undefined;
  /** Who draws up the recovery of a device first, by its UEID in hex, where it is not the first verifier. */
  readonly #drafters = new Map<string, string>();
  readonly #failedMs = new Map<string, number>();
  /** Of the nonces that evidence was asked for with, by that one nonce, oldest first. */
  readonly #challenges = new Map<string, Nonces>();

  /** 1 to 8 verifiers, each by its own name. */
  constructor(members: readonly CircleMember[], graceMs = GRACE_MS, timing: Timing = MACHINE_TIME) {
    if (members.length < 1 || members.length > NONCES_MAX) {
      throw new ClientError("client/options", `a circle of ${members.length} verifiers instead of 1 to ${NONCES_MAX}`);
    }
    if (new Set(members.map(({ name }) => name)).size !== members.length) {
      throw new ClientError("client/options", "two verifiers have one name");
    }
    this.members = members;
    this.#graceMs = graceMs;
    this.#timing = timing;
  }

  /** Asks who holds which parties' keys, and how many a license takes. Those that fail are given, and lose nothing. */
  async learn(): Promise<readonly MemberFailure[]> {
    const results = await settle(this.members, (member) => this.learnFrom(member));
    const agreements = await this.agreementsAfter(0).catch(() => []);
    const newest = agreements.at(-1);
    if (newest) this.takeAgreement(newest);
    return this.#note(results);
  }

  /** The same of one verifier; gives what it says of itself. */
  async learnFrom({ name, client }: CircleMember): Promise<About> {
    const about = await client.about();
    this.#parties.set(
      name,
      about.parties.filter(({ here }) => here).map(({ kid }) => hexOf(kid)),
    );
    return about;
  }

  /** The one in force says how many signatures a license takes. */
  takeAgreement(bytes: Uint8Array): void {
    this.#quorum = licenseQuorum(bytes) ?? this.#quorum;
  }

  /** Waits as long as those have that are not needed any more. Rejects where the signal ends it. */
  grace(signal: AbortSignal): Promise<void> {
    return wait(this.#graceMs, signal, this.#timing);
  }

  /** Whether these verifiers hold the keys of a license quorum; while that is not known, whether they are all. */
  isEnough(names: Iterable<string>): boolean {
    const present = new Set(names);
    if (this.members.every(({ name }) => present.has(name))) return true;
    const parties = new Set([...present].flatMap((name) => this.#parties.get(name) ?? []));
    return this.#quorum !== undefined && parties.size >= this.#quorum;
  }

  agreementsAfter(version: number): Promise<readonly Uint8Array[]> {
    return this.#any((client) => client.agreementsAfter(version));
  }

  beacon(): Promise<Uint8Array> {
    return this.#any((client) => client.beacon());
  }

  timeProof(nonce: Uint8Array): Promise<Uint8Array> {
    return this.#any((client) => client.timeProof(nonce));
  }

  /** From the one that keeps the log which this message's agreement names. */
  logProof(digest: Uint8Array, from: number): Promise<Uint8Array> {
    return logProofOfAny(this.members, digest, from);
  }

  /** The orders that any of them has, by epoch; of two orders of one epoch the first verifier's. */
  async ordersAfter(epoch: number): Promise<readonly OrderView[]> {
    const results = await settle(this.members, ({ client }) => client.ordersAfter(epoch));
    const failures = this.#note(results);
    if (failures.length === this.members.length) throw failures[0]!.error;
    const orders = new Map<number, OrderView>();
    for (const { value } of results)
      for (const order of value ?? []) if (!orders.has(order.epoch)) orders.set(order.epoch, order);
    return [...orders.values()].sort((a, b) => a.epoch - b.epoch);
  }

  /** Makes a device known to all. Rejects unless enough took it. */
  async enrol(endorsement: Uint8Array, certificate: Uint8Array, of?: Partial<Registration>): Promise<void> {
    const results = await settle(this.members, ({ client }) => client.enrol(endorsement, certificate, of));
    this.#requireEnough(results, this.#note(results));
  }

  /** The one nonce that stands for those of all that answer. */
  async challenge(ueid: Uint8Array): Promise<Uint8Array> {
    const nonces = new Map<string, Uint8Array>();
    const results = await this.#untilEnough(async ({ name, client }) => {
      nonces.set(name, (await client.nonce(ueid)).nonce);
    });
    const failures = this.#note(results);
    if (nonces.size === 0) throw failures[0]?.error ?? new ClientError("client/timeout", "no nonce");
    // As it is now: a nonce that comes later is in nobody's evidence.
    const given = new Map(nonces);
    return this.remember(given);
  }

  /** The one nonce that stands for these, which verifiers gave by their names: evidence over it is known to be theirs. */
  remember(given: ReadonlyMap<string, Uint8Array>): Uint8Array {
    const challenge = given.size === 1 ? [...given.values()][0]! : combinedNonce([...given.values()]);
    this.#challenges.set(hexOf(challenge), given);
    for (const oldest of this.#challenges.keys()) {
      if (this.#challenges.size <= CHALLENGES_MAX) break;
      this.#challenges.delete(oldest);
    }
    return challenge;
  }

  /** `show` brings a verifier the licenses that it was not asked for. */
  license(evidence: Uint8Array, terms?: LicenseRequest, show?: ShowLicenses): Promise<Uint8Array> {
    const { licenseSequence } = decodeEvidence(parseSign1(evidence).payload);
    return this.#gather(evidence, async (member, call) => {
      const ask = () => member.client.license({ ...call, terms });
      try {
        return await ask();
      } catch (error) {
        if (!show || !isOfLicenses(error) || !(await show(member, licenseSequence))) throw error;
        return ask();
      }
    });
  }

  /**
   * A recovery may say more than a verifier knows of, and never less: whoever refuses a draft knows more than who drew it up,
   * and draws up the next itself.
   */
  async recovery(evidence: Uint8Array): Promise<Uint8Array> {
    const ueid = hexOf(decodeEvidence(parseSign1(evidence).payload).ueid);
    const tried = new Set<string>();
    for (;;) {
      try {
        const ask: Ask = ({ client }, call) => client.recovery(call);
        const bytes = await this.#gather(evidence, ask, this.#drafters.get(ueid));
        this.#drafters.delete(ueid);
        return bytes;
      } catch (error) {
        const failures = error instanceof CircleError ? error.failures : [];
        const refusal = failures.find((one) => codeOf(one.error) === "recovery/draft" && !tried.has(one.name));
        if (!refusal) throw error;
        tried.add(refusal.name);
        this.#drafters.set(ueid, refusal.name);
      }
    }
  }

  /** Has one verifier judge evidence that gets no license: that the device obeys is worth knowing all the same. */
  async appraise({ client }: CircleMember, evidence: Uint8Array): Promise<void> {
    await client.appraise(evidence, listed(this.#nonces(evidence)));
  }

  /** The same by all that it can be. Rejects unless enough found it good. */
  async appraiseByAll(evidence: Uint8Array): Promise<void> {
    const results = await settle(this.judgesOf(evidence), (member) => this.appraise(member, evidence));
    this.#requireEnough(results, this.#note(results));
  }

  /** Of the verifiers whose nonce is in this evidence: any other would refuse it. */
  judgesOf(evidence: Uint8Array): readonly CircleMember[] {
    const given = this.#nonces(evidence);
    return given ? this.members.filter(({ name }) => given.has(name)) : this.members;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ client }) => client.close()));
  }

  /** Rejects with a `CircleError`, or what the only failure was. */
  async #gather(evidence: Uint8Array, ask: Ask, first?: string): Promise<Uint8Array> {
    const nonces = listed(this.#nonces(evidence));
    const failures: MemberFailure[] = [];
    let draft: Uint8Array | undefined;
    let progress = "";
    const asked = this.judgesOf(evidence).toSorted((a, b) => Number(b.name === first) - Number(a.name === first));
    for (const [index, member] of asked.entries()) {
      const { name } = member;
      try {
        const answer = await ask(member, { evidence, draft, nonces });
        if (answer.complete) {
          await this.#show(asked.slice(index + 1), ask, { evidence, draft: answer.bytes, nonces });
          return answer.bytes;
        }
        ({ draft } = answer);
        progress = `${answer.have} of ${answer.need} signatures`;
      } catch (error) {
        failures.push({ name, error: failureOf(error) });
      }
    }
    this.#note(failures.map((failure) => ({ ...failure, value: undefined })));
    if (draft === undefined && failures.length === 1) throw failures[0]!.error;
    throw new CircleError(progress || "no signatures", failures);
  }

  /** What the evidence was asked for with; undefined for what was not asked for here. */
  #nonces(evidence: Uint8Array): Nonces | undefined {
    return this.#challenges.get(hexOf(decodeEvidence(parseSign1(evidence).payload).nonce));
  }

  /**
   * Lets the others know of what was signed without them, since reports and evidence will speak of it, and any of them may
   * be needed for the next. Who takes longer than a while is not waited for; who refuses does so again later, and says why.
   */
  async #show(others: readonly CircleMember[], ask: Ask, call: LicenseCall): Promise<void> {
    const over = new AbortController();
    const shown = settle(others, (member) => ask(member, call)).then((results) => this.#note(results));
    await Promise.race([shown, this.grace(over.signal).catch(() => {})]);
    over.abort();
  }

  /** The first answer of any; those that failed lately are asked last. Rejects with the first failure. */
  async #any<T>(ask: (client: CircleClient) => Promise<T>): Promise<T> {
    const nowMs = this.#timing.nowMs();
    const isLast = ({ name }: CircleMember) => Number(nowMs - (this.#failedMs.get(name) ?? -LAST_MS) < LAST_MS);
    let first: Error | undefined;
    for (const { name, client } of this.members.toSorted((a, b) => isLast(a) - isLast(b))) {
      try {
        const value = await ask(client);
        this.#failedMs.delete(name);
        return value;
      } catch (error) {
        first ??= failureOf(error);
        this.#failedMs.set(name, this.#timing.nowMs());
      }
    }
    throw first!;
  }

  /** Asks all, and waits for all or until a while after enough have answered. */
  async #untilEnough(ask: (member: CircleMember) => Promise<void>): Promise<Result<void>[]> {
    const done: Result<void>[] = [];
    const over = new AbortController();
    await new Promise<void>((resolve, reject) => {
      for (const member of this.members) {
        void settleOne(member, ask).then((result) => {
          done.push(result);
          const answered = done.filter(({ error }) => error === undefined).map(({ name }) => name);
          if (done.length === this.members.length) resolve();
          else if (this.isEnough(answered)) this.grace(over.signal).then(resolve, () => {});
        }, reject);
      }
    });
    over.abort();
    return [...done];
  }

  #requireEnough(results: readonly Result<unknown>[], failures: readonly MemberFailure[]): void {
    const took = results.filter(({ error }) => error === undefined).map(({ name }) => name);
    if (this.isEnough(took)) return;
    if (failures.length === 1 || took.length === 0) throw failures[0]!.error;
    throw new CircleError(`${took.length} of ${results.length} verifiers`, failures);
  }

  /** Remembers who failed; gives the failures. */
  #note(results: readonly Result<unknown>[]): MemberFailure[] {
    for (const { name, error } of results) {
      if (error instanceof ClientError && error.class === "network") this.#failedMs.set(name, this.#timing.nowMs());
      else this.#failedMs.delete(name);
    }
    return results.flatMap(({ name, error }) => (error === undefined ? [] : [{ name, error }]));
  }
}

/** As it goes along with evidence: the nonce of one verifier stands in the evidence itself. */
function listed(given: Nonces | undefined): Uint8Array[] | undefined {
  return given && given.size > 1 ? [...given.values()] : undefined;
}

/** What a verifier says of evidence if it lacks a license that others signed. */
function isOfLicenses(error: unknown): boolean {
  return error instanceof VerifierError && ["evidence/license-unknown", "evidence/overrun"].includes(error.code);
}

/** Undefined for an agreement that is none: no board will take it either. */
function licenseQuorum(agreement: Uint8Array): number | undefined {
  try {
    return decodeAgreement(parseSign(agreement).payload).quorums.license;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
