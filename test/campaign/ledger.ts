/**
 * What clients were told, and what can therefore never be otherwise: an act (an enrolment, a license for one evidence, a
 * report) is new once, and its answer stays as it was, byte for byte; no sequence of a device stands for two licenses.
 * Whatever contradicts it is a fault. It knows nothing of the store.
 */
import { verifyLicense } from "../../host/objects/license.ts";
import { sha256 } from "../../host/protocol/sha256.ts";
import { hexOf, sameBytes } from "../../host/verifier/bytes.ts";
import { loadAgreement } from "../host/serving.ts";

/** One act of one device, however often it is asked for. */
interface Act {
  readonly name: string;
  asked: number;
  /** How often the answer was that it is new. */
  news: number;
  answer: Uint8Array | undefined;
}

export interface AcknowledgedLicense {
  readonly ueid: string;
  readonly sequence: bigint;
  readonly bytes: Uint8Array;
}

/** One try: what is said of it depends on what was known when it began. */
export interface Try {
  readonly act: Act;
  readonly wasAnswered: boolean;
}

export class Ledger {
  readonly faults: string[] = [];
  /** Answers that were compared with what was known. */
  answers = 0;
  /** By the evidence's digest in hex. */
  readonly licenses = new Map<string, AcknowledgedLicense>();
  /** By `ueid/sequence`. */
  readonly reports = new Map<string, Uint8Array>();
  /** By UEID in hex: the newest that was acknowledged. */
  readonly #sequences = new Map<string, bigint>();
  readonly #acts = new Map<string, Act>();
  readonly #agreement = loadAgreement().agreement;
  /** Acts that were asked for twice at once. */
  races = 0;
  /** Tries to which no answer came. */
  unanswered = 0;
  /** Refusals to come again later, by code. */
  readonly putOff = new Map<string, number>();
  #waiting: { readonly at: number; readonly resolve: () => void }[] = [];

  /** Acts that were durable though nobody was told that they are new: they were found when they were asked for again. */
  get foundAgain(): number {
    return [...this.#acts.values()].filter(({ news, answer }) => answer !== undefined && news === 0).length;
  }

  begin(name: string): Try {
    const act = this.#acts.get(name) ?? { name, asked: 0, news: 0, answer: undefined };
    this.#acts.set(name, act);
    act.asked += 1;
    return { act, wasAnswered: act.answer !== undefined };
  }

  /** The answer to a try. Whether it is the first that anyone was told of this act. */
  answered({ act, wasAnswered }: Try, isNew: boolean, answer: Uint8Array): boolean {
    const { name } = act;
    if (isNew && wasAnswered) this.faults.push(`${name}: it was acknowledged, and then it was lost`);
    if (isNew && act.news > 0 && !wasAnswered) this.faults.push(`${name}: two answers say that it is new`);
    if (!isNew && act.asked === 1) this.faults.push(`${name}: it was there before anyone asked for it`);
    if (act.answer && !sameBytes(act.answer, answer)) this.faults.push(`${name}: two answers differ`);
    const isFirst = act.answer === undefined;
    if (isNew) act.news += 1;
    act.answer ??= answer;
    this.answers += 1;
    this.release(this.answers);
    return isFirst;
  }

  licensed(tried: Try, ueid: string, evidence: Uint8Array, isNew: boolean, bytes: Uint8Array): void {
    if (!this.answered(tried, isNew, bytes)) return;
    const { name } = tried.act;
    const { sequence, nonce, ueid: licensee } = verifyLicense(bytes, this.#agreement);
    if (!licensee || hexOf(licensee) !== ueid || !nonce) this.faults.push(`${name}: the license is another device's`);
    const newest = this.#sequences.get(ueid) ?? 0n;
    if (sequence <= newest) this.faults.push(`${name}: sequence ${sequence} was given after ${newest}`);
    this.#sequences.set(ueid, sequence > newest ? sequence : newest);
    this.licenses.set(hexOf(sha256(evidence)), { ueid, sequence, bytes });
  }

  reported(tried: Try, ueid: string, sequence: bigint, isNew: boolean, report: Uint8Array): void {
    if (this.answered(tried, isNew, report)) this.reports.set(`${ueid}/${sequence}`, report);
  }

  /** Of a device, the newest license that was acknowledged. */
  sequenceOf(ueid: string): bigint {
    return this.#sequences.get(ueid) ?? 0n;
  }

  /** A try that must be made again: with the code of a refusal, or without any answer. */
  notYet(code: string | undefined): void {
    if (code === undefined) this.unanswered += 1;
    else this.putOff.set(code, (this.putOff.get(code) ?? 0) + 1);
  }

  /** Whoever waits for so many answers goes on: without a number, all. */
  release(upTo = Number.POSITIVE_INFINITY): void {
    for (const { at, resolve } of this.#waiting) if (at <= upTo) resolve();
    this.#waiting = this.#waiting.filter(({ at }) => at > upTo);
  }

  /** Resolves when so many more answers were taken down. */
  after(answers: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ at: this.answers + answers, resolve }));
  }
}
