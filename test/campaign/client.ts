/**
 * An operator's side of one board: it enrols it, gets licenses for it and brings its reports, and asks again with the very
 * same bytes until there is an answer. Now and then it asks for what it has already, and twice at the same time.
 */
import { MediaType } from "../../host/http/media.ts";
import { encodeLicenseRequest } from "../../host/objects/license-request.ts";
import { encodeReportBatch } from "../../host/objects/report-batch.ts";
import { sha256 } from "../../host/protocol/sha256.ts";
import type { ReportItem } from "../../host/service/service.ts";
import { hexOf } from "../../host/verifier/bytes.ts";
import { draftLicense } from "../../host/verifier/licensing.ts";
import type { Random } from "../../sim-board/random.ts";
import { BF16, FakeGovernor, type GovernorWorld } from "../host/fake-governor.ts";
import type { Ledger, Try } from "./ledger.ts";
import type { LogWatch } from "./log-watch.ts";
import type { Answer, Post, Services } from "./services.ts";

const WINDOW_SECONDS = 86_400;
/** One in so many is asked for twice at once, or once more when it is there. */
const ONE_IN = 3;
const WORK_MAX = 50;
const PAUSE_MS = 5;
const ANSWERED_ELSEWHERE = "license/signed-already";

/** A license that was asked for: asked again, it must be the same. */
interface Asked {
  readonly act: string;
  readonly evidence: Uint8Array;
  readonly post: Post;
}

export interface ClientWorld extends GovernorWorld {
  readonly services: Services;
  readonly ledger: Ledger;
  /** Where the log is watched. */
  readonly watch?: LogWatch | undefined;
}

export class Client {
  readonly ueid: string;
  /** Work that its board did and reported. */
  done = 0n;
  readonly #board: FakeGovernor;
  readonly #world: ClientWorld;
  readonly #random: Random;
  readonly #licenses: Asked[] = [];
  readonly #reports: ReportItem[] = [];
  #generation = 0;

  constructor(name: string, world: ClientWorld, random: Random) {
    this.#board = new FakeGovernor(world, name);
    this.ueid = hexOf(this.#board.ueid);
    this.#world = world;
    this.#random = random;
  }

  /** Throws where an answer is none that a verifier may give. */
  async live(isOver: () => boolean): Promise<void> {
    await this.#enrol();
    while (!isOver()) {
      await this.#renew();
      await this.#report();
      await this.#askAgain();
    }
  }

  /** Asks for everything that it was ever told once more, then has its books closed. */
  async close(): Promise<void> {
    await this.#enrol();
    for (const asked of this.#licenses) await this.#license(asked);
    for (const [i, item] of this.#reports.entries()) await this.#upload(item, BigInt(i + 1));
    const evidence = this.#board.evidence({ nonce: await this.#nonce() });
    const post = { path: "/v1/evidence", type: MediaType.EAT, body: evidence };
    await this.#ask(post, undefined, ({ status }) => (status === 201 ? true : undefined));
  }

  async #enrol(): Promise<void> {
    const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
    const board = this.#board;
    const body = { endorsement: b64(board.endorsement()), certificate: b64(board.certificate()) };
    await this.#ask(json("/v1/devices", body), `enrolment of ${this.ueid}`, ({ status }, tried) => {
      if (status !== 200 && status !== 201) return undefined;
      this.#world.ledger.answered(tried!, status === 201, board.ueid);
      return true;
    });
  }

  async #nonce(): Promise<Uint8Array> {
    return this.#ask(json("/v1/nonces", { ueid: this.ueid }), undefined, ({ status, body }) => {
      return status === 201 ? new Uint8Array(Buffer.from(documentOf<{ nonce: string }>(body).nonce, "hex")) : undefined;
    });
  }

  /** A license on new evidence, installed. Others may ask on the same evidence at the same time, and mean another one. */
  async #renew(): Promise<void> {
    const evidence = this.#board.evidence({ nonce: await this.#nonce() });
    const act = `license of ${this.ueid} on ${hexOf(sha256(evidence))}`;
    const asked = { act, evidence, post: licensePost({ evidence, terms: this.#terms() }) };
    const asking = [() => this.#license(asked)];
    if (this.#isRaced()) {
      const rivals = [
        () => this.#license(asked),
        () => this.#license({ ...asked, post: licensePost({ evidence, terms: this.#terms() }) }),
        () => this.#license({ ...asked, post: licensePost({ evidence, draft: this.#draft() }) }, true),
      ];
      // Who is first is not who wins, where two processes serve.
      asking.splice(this.#random.below(2), 0, rivals[this.#random.below(rivals.length)]!);
    }
    const answers = await Promise.all(asking.map((ask) => ask()));
    const license = answers.find((answer) => answer !== undefined);
    this.#licenses.push(asked);
    this.#board.install(license!);
  }

  async #report(): Promise<void> {
    const amount = BigInt(1 + this.#random.below(WORK_MAX));
    this.#board.work(BF16, amount);
    const item = this.#board.report();
    const sequence = BigInt(this.#reports.push(item));
    const tries = this.#isRaced() ? 2 : 1;
    await Promise.all(Array.from({ length: tries }, () => this.#upload(item, sequence)));
    this.done += amount;
  }

  /** After a kill what was acknowledged last, which is what would be lost; else anything. */
  async #askAgain(): Promise<void> {
    const { generation } = this.#world.services;
    const wasKilled = generation !== this.#generation;
    this.#generation = generation;
    if (!wasKilled && !this.#isChosen()) return;
    const index = wasKilled ? this.#licenses.length - 1 : this.#random.below(this.#licenses.length);
    await this.#license(this.#licenses[index]!);
    await this.#upload(this.#reports[index]!, BigInt(index + 1));
  }

  /** Undefined only for a rival that came too late. */
  async #license({ act, evidence, post }: Asked, isRival = false): Promise<Uint8Array | undefined> {
    const answered = await this.#ask<{ license: Uint8Array | undefined }>(post, act, ({ status, body }, tried) => {
      if (isRival && status === 403 && codeOf(body) === ANSWERED_ELSEWHERE) return { license: undefined };
      if (status !== 200 && status !== 201) return undefined;
      this.#world.ledger.licensed(tried!, this.ueid, evidence, status === 201, body);
      return { license: body };
    });
    if (answered.license) await this.#world.watch?.covers(answered.license, act);
    return answered.license;
  }

  #upload(item: ReportItem, sequence: bigint): Promise<boolean> {
    const post = { path: "/v1/reports", type: MediaType.REPORTS, body: encodeReportBatch([item]) };
    return this.#ask(post, `report ${sequence} of ${this.ueid}`, ({ status, body }, tried) => {
      if (status !== 200) return undefined;
      const [result] = documentOf<{ results: { status: string; sequence: string }[] }>(body).results;
      if (result!.status === "refused" || BigInt(result!.sequence) !== sequence) return undefined;
      this.#world.ledger.reported(tried!, this.ueid, sequence, result!.status === "taken", item.report);
      return true;
    });
  }

  /** Until there is an answer: with each process that is there, and after each refusal that asks to come again. */
  async #ask<T>(
    post: Post,
    act: string | undefined,
    read: (answer: Answer, tried: Try | undefined) => T | undefined,
  ): Promise<T> {
    const { services, ledger } = this.#world;
    for (;;) {
      const tried = act === undefined ? undefined : ledger.begin(act);
      const answer = await services.post(this.#random.below(services.count), post).catch(() => undefined);
      if (answer && answer.status !== 503) {
        const result = read(answer, tried);
        if (result !== undefined) return result;
        throw new Error(`${act ?? post.path}: ${answer.status} ${Buffer.from(answer.body).toString()}`);
      }
      if (services.isClosed) throw new Error("the campaign is over");
      ledger.notYet(answer && codeOf(answer.body));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  #isChosen(): boolean {
    return this.#random.below(ONE_IN) === 0;
  }

  #isRaced(): boolean {
    if (!this.#isChosen()) return false;
    this.#world.ledger.races += 1;
    return true;
  }

  #terms() {
    const windowSeconds = WINDOW_SECONDS + this.#random.below(WINDOW_SECONDS);
    return { budget: new Map([[BF16, 1000n]]), ticksMax: 1000n, windowSeconds };
  }

  /** A license that answers the board's evidence, as another verifier might draw it up. */
  #draft(): Uint8Array {
    const { ueid, challenge } = this.#board;
    const { budget, ticksMax, windowSeconds } = this.#terms();
    const nowSeconds = Math.floor(Date.now() / 1000);
    return draftLicense({
      expirySeconds: nowSeconds + windowSeconds,
      notBeforeSeconds: nowSeconds - 1,
      nonce: challenge,
      ueid,
      agreementDigest: this.#world.digest,
      epoch: 0,
      sequence: this.#world.ledger.sequenceOf(this.ueid) + 1n,
      budget,
      ticksMax,
      svnLeast: 1,
    });
  }
}

function json(path: string, document: object): Post {
  return { path, type: "application/json", body: new TextEncoder().encode(JSON.stringify(document)) };
}

function licensePost(call: Parameters<typeof encodeLicenseRequest>[0]): Post {
  return { path: "/v1/licenses", type: MediaType.LICENSE_REQUEST, body: encodeLicenseRequest(call) };
}

function documentOf<T>(body: Uint8Array): T {
  return JSON.parse(Buffer.from(body).toString()) as T;
}

function codeOf(body: Uint8Array): string {
  return documentOf<{ code: string }>(body).code;
}
