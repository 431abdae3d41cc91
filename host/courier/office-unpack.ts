/**
 * Brings to verifiers what a stick has from a site, board by board: who it is, what it did, what it asks; and puts their
 * answers onto the stick that goes back. Done twice, it gives the same answers: verifiers know evidence again.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { type Circle, CircleError, type CircleMember } from "../client/circle.ts";
import { Uploads } from "../client/uploads.ts";
import { decodeEvidence, type Evidence } from "../objects/evidence.ts";
import { decodeLicense } from "../objects/license.ts";
import { decode } from "../protocol/cbor.ts";
import { parseSign, parseSign1 } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { Registration } from "../service/service.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { deliveredFile, deliveredOf, type NoncesByBoard, noncesOf, standingsFile, standingsOf } from "./documents.ts";
import { CourierError } from "./errors.ts";
import { standingOf } from "./office-proofs.ts";
import { postOpenings } from "./openings.ts";
import type { Rows } from "./row.ts";
import { type BoardFile, boardFile, boardsOf, DELIVERED, numbered, STANDINGS, type Stick } from "./stick.ts";
import { StickShelf } from "./stick-shelf.ts";

/** `answers` is changed: it goes to the site. Gives the boards that the stick speaks of. */
export async function unpackForVerifiers(
  circle: Circle,
  stick: Stick,
  answers: Stick,
  rows: Rows,
  registration?: Partial<Registration>,
): Promise<readonly string[]> {
  await circle.learn();
  const ueids = boardsOf(stick);
  const nonces = noncesOf(stick);
  const delivered = new Map(deliveredOf(answers));
  const standings = new Map(standingsOf(answers));
  const licensed = new Map<string, bigint>();
  for (const ueid of ueids) {
    for (const what of ["time-proof", "license", "recovery"] as const) answers.files.delete(boardFile(ueid, what));
    const visit = new BoardAtOffice(circle, stick, answers, rows, ueid);
    await visit.enrol(registration);
    const arrived = await visit.reports();
    if (arrived !== undefined) delivered.set(ueid, arrived);
    await postOpenings(circle, stick, ueid, rows);
    await visit.timeProof();
    const evidence = await visit.evidence(nonces);
    if (!evidence) continue;
    licensed.set(ueid, evidence.licenseSequence);
    const standing = standingOf(evidence, answers);
    if (standing) standings.set(ueid, standing);
    else standings.delete(ueid);
  }
  if (standings.size > 0) answers.files.set(STANDINGS, standingsFile(standings));
  if (delivered.size > 0) answers.files.set(DELIVERED, deliveredFile(delivered));
  dropUsedLicenses(answers, licensed);
  return ueids;
}

class BoardAtOffice {
  readonly #circle: Circle;
  readonly #stick: Stick;
  readonly #answers: Stick;
  readonly #rows: Rows;
  readonly #ueid: string;
  readonly #shelf: StickShelf;
  readonly #uploads: Uploads;

  constructor(circle: Circle, stick: Stick, answers: Stick, rows: Rows, ueid: string) {
    this.#circle = circle;
    this.#stick = stick;
    this.#answers = answers;
    this.#rows = rows;
    this.#ueid = ueid;
    this.#shelf = new StickShelf(stick, ueid);
    this.#uploads = new Uploads(circle, this.#shelf);
  }

  async enrol(registration: Partial<Registration> | undefined): Promise<void> {
    const [endorsement, certificate] = [this.#file("endorsement"), this.#file("certificate")];
    if (!endorsement || !certificate) return;
    await this.#carry("enrolment", () => this.#circle.enrol(endorsement, certificate, registration));
  }

  /** Up to where every verifier has the reports; undefined where none came. */
  async reports(): Promise<bigint | undefined> {
    const { newest } = this.#shelf;
    if (newest === 0n) return undefined;
    const isDelivered = await this.#carry("reports", () => this.#uploads.deliver(), `up to ${newest}`);
    const counts = this.#circle.members.map(({ name }) => this.#shelf.deliveredTo(name));
    // Enough have them: those that lag hold nobody up, and are given them with the next stick.
    const lagging = isDelivered
      ? this.#circle.members.filter(({ name }) => this.#shelf.deliveredTo(name) < newest)
      : [];
    for (const { name } of lagging) this.#rows.add(this.#ueid, "reports at one verifier", "left", `${name} lacks some`);
    return counts.reduce((least, one) => (one < least ? one : least));
  }

  async timeProof(): Promise<void> {
    const challenge = this.#file("time-challenge");
    if (!challenge) return;
    await this.#carry("time proof", async () => {
      const nonce = nonceIn(challenge, boardFile(this.#ueid, "time-challenge"));
      this.#answer("time-proof", await this.#circle.timeProof(nonce));
    });
  }

  /** What it says, where it can be read. */
  async evidence(nonces: NoncesByBoard): Promise<Evidence | undefined> {
    const bytes = this.#file("evidence");
    if (!bytes) return undefined;
    return this.#rows.attempt(this.#ueid, "evidence", async () => {
      const evidence = readEvidence(bytes, boardFile(this.#ueid, "evidence"));
      const given = nonces.get(this.#ueid);
      if (given) this.#circle.remember(new Map(given.map(({ verifier, nonce }) => [verifier, nonce])));
      if (evidence.gateState === GateState.LOCKED) {
        await this.#carry("recovery", async () => this.#answer("recovery", await this.#circle.recovery(bytes)));
      } else await this.#license(bytes, evidence);
      return evidence;
    });
  }

  async #license(bytes: Uint8Array, evidence: Evidence): Promise<void> {
    try {
      const show = (member: CircleMember, upTo: bigint) => this.#uploads.showLicenses(member, upTo);
      const license = await this.#circle.license(bytes, undefined, show);
      this.#answer("license", license);
      this.#rows.add(this.#ueid, "license", "done", `license ${decodeLicense(parseSign(license).payload).sequence}`);
    } catch (error) {
      this.#rows.fail(this.#ueid, "license", error);
      await this.#appraise(bytes, evidence, error);
    }
  }

  /** A paused board gets no license; that it has its order is worth knowing all the same, to each verifier. */
  async #appraise(bytes: Uint8Array, evidence: Evidence, error: unknown): Promise<void> {
    for (const member of this.#circle.judgesOf(bytes)) {
      const refusal =
        error instanceof CircleError ? error.failures.find(({ name }) => name === member.name)?.error : error;
      if (!isWorthJudging(refusal, evidence)) continue;
      await this.#carry("appraisal", () => this.#circle.appraise(member, bytes), `by ${member.name}`);
    }
  }

  #carry(what: string, act: () => Promise<unknown>, detail?: string): Promise<boolean> {
    return this.#rows.carry(this.#ueid, what, act, detail);
  }

  #file(what: BoardFile): Uint8Array | undefined {
    return this.#stick.files.get(boardFile(this.#ueid, what));
  }

  #answer(what: BoardFile, bytes: Uint8Array): void {
    this.#answers.files.set(boardFile(this.#ueid, what), bytes);
  }
}

/** Refusals after which this evidence can get no license any more: the order, and that it was judged before. */
const LOST: readonly string[] = ["license/paused", "evidence/nonce-unknown"];
/** Refusals that say nothing against the evidence. */
const HELD_BACK = /^(?:license\/.+|device\/(?:suspended|retired|suspected-fork))$/;

/** Judging uses up the nonce, so evidence that may get its license yet, when the stick is unpacked again, is left alone. */
function isWorthJudging(refusal: unknown, { gateState }: Evidence): boolean {
  if (!(refusal instanceof VerifierError)) return false;
  const obeysPause = gateState === GateState.PAUSED || gateState === GateState.DRAINING;
  return LOST.includes(refusal.code) || (obeysPause && HELD_BACK.test(refusal.code));
}

function nonceIn(bytes: Uint8Array, path: string): Uint8Array {
  const value = readable(path, () => decode(bytes));
  if (value instanceof Uint8Array && value.length === Limit.NONCE_BYTES) return value;
  throw new CourierError("stick/content", path);
}

function readEvidence(bytes: Uint8Array, path: string): Evidence {
  return readable(path, () => decodeEvidence(parseSign1(bytes).payload));
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Refusal) throw new CourierError("stick/content", path, { cause });
    throw cause;
  }
}

/** Offline licenses that each of their boards has had, or a later one. */
function dropUsedLicenses(answers: Stick, licensed: ReadonlyMap<string, bigint>): void {
  for (const [sequence, bytes] of numbered(answers, "licenses")) {
    const { cohort, ueid } = decodeLicense(parseSign(bytes).payload);
    const boards = (cohort ?? [ueid!]).map(hexOf);
    if (!boards.every((board) => (licensed.get(board) ?? 0n) >= sequence)) continue;
    for (const [path, other] of answers.files) if (other === bytes) answers.files.delete(path);
  }
}
