/**
 * Packs what the boards of a site have to say: who they are, what they ask, and what they did. A visit with the nonces of
 * an earlier one packs the same evidence again, so that verifiers see one question and not two, and give one answer.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { BoardDriver } from "../agent/driver.ts";
import { decodeEvidence, type Evidence, type Info } from "../objects/evidence.ts";
import { encode } from "../protocol/cbor.ts";
import { parseSign1 } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sameBytes } from "../verifier/bytes.ts";
import {
  challengeOf,
  noncesFile,
  noncesOf,
  type TravellingNonce,
  type WantedByBoard,
  type WantedInterval,
  wantedOf,
} from "./documents.ts";
import { CourierError } from "./errors.ts";
import { packOpenings } from "./openings.ts";
import { type Row, Rows } from "./row.ts";
import { type SiteBoard, visitBoards } from "./site-board.ts";
import { type BoardFile, boardFile, NONCES, recoveredFile, reportFile, type Stick, takenFile } from "./stick.ts";

/** Without a stick that came from the verifiers there are no nonces, and no evidence. */
export async function packAtSite(
  arrived: Stick | undefined,
  driver: BoardDriver,
  keepFolder: string,
): Promise<{ readonly stick: Stick; readonly rows: readonly Row[] }> {
  const rows = new Rows();
  const stick: Stick = { direction: "to-verifiers", files: new Map() };
  const nonces = arrived ? noncesOf(arrived) : new Map<string, readonly TravellingNonce[]>();
  const wanted: WantedByBoard = arrived ? wantedOf(arrived) : new Map();
  const used = new Map<string, readonly TravellingNonce[]>();
  await visitBoards(driver, keepFolder, rows, async (board) => {
    const given = nonces.get(board.ueid);
    const isMade = await new Packing(board, stick, rows).run(given, wanted.get(board.ueid) ?? []);
    if (isMade) used.set(board.ueid, given!);
  });
  if (used.size > 0) stick.files.set(NONCES, noncesFile(used));
  return { stick, rows: rows.all };
}

class Packing {
  readonly #board: SiteBoard;
  readonly #stick: Stick;
  readonly #rows: Rows;

  constructor(board: SiteBoard, stick: Stick, rows: Rows) {
    this.#board = board;
    this.#stick = stick;
    this.#rows = rows;
  }

  /** Whether there is evidence. */
  async run(nonces: readonly TravellingNonce[] | undefined, wanted: readonly WantedInterval[]): Promise<boolean> {
    const { name, mailbox, info } = this.#board;
    await packOpenings(this.#board, this.#stick, wanted, this.#rows);
    await this.#endorsement();
    await this.#rows.carry(name, "certificate", async () => this.#put("certificate", await mailbox.identity()));
    if (info.agreementVersion === 0) {
      this.#rows.add(name, "evidence", "left", "the board has no agreement yet: unpack a stick first");
      return false;
    }
    if (info.timeBounds === null) await this.#rows.carry(name, "time challenge", () => this.#timeChallenge());
    const before = nonces && this.#evidenceBefore(challengeOf(nonces));
    if (!before) await this.#makeReport();
    this.#packReports();
    if (!nonces) {
      this.#rows.add(name, "evidence", "left", "no nonce for this board came with a stick");
      return false;
    }
    if (info.timeBounds === null && info.gateState !== GateState.LOCKED) {
      this.#rows.add(name, "evidence", "left", "the board does not know the time yet: its proof comes first");
      return false;
    }
    return this.#rows.carry(
      name,
      "evidence",
      async () => this.#evidence(before, challengeOf(nonces)),
      before && "the same as at the visit before",
    );
  }

  async #endorsement(): Promise<void> {
    const { name, port } = this.#board;
    await this.#rows.attempt(name, "endorsement", async () => {
      const endorsement = await port.endorsement();
      if (endorsement) this.#put("endorsement", endorsement);
      this.#rows.add(
        name,
        "endorsement",
        endorsement ? "done" : "left",
        endorsement ? undefined : `there is no ${name}.endorsement.cbor: the verifiers must know the board already`,
      );
    });
  }

  /** One that is under way stays good: asking again would make the proof that answers it worthless. */
  async #timeChallenge(): Promise<void> {
    const { mailbox, kept, info } = this.#board;
    const { bootCount } = info;
    const pending = kept.challenge?.bootCount === bootCount ? kept.challenge.nonce : undefined;
    const nonce = pending ?? (await mailbox.timeChallenge());
    if (!pending) kept.setChallenge({ nonce, bootCount });
    this.#put("time-challenge", encode(nonce));
  }

  /** What was packed over the same nonces, if the board has not changed since. */
  #evidenceBefore(challenge: Uint8Array): Uint8Array | undefined {
    const { kept, info } = this.#board;
    const bytes = kept.evidence;
    const before = bytes && readEvidence(bytes);
    if (!before || !sameBytes(before.nonce, challenge)) return undefined;
    return saysTheSame(before, info) ? bytes : undefined;
  }

  async #makeReport(): Promise<void> {
    const { name, mailbox, kept, info } = this.#board;
    if (info.gateState === GateState.LOCKED || info.gateState === GateState.TAMPERED) return;
    await this.#rows.carry(name, "report", async () => {
      await this.#collect();
      if (!kept.hasRoom) throw new CourierError("kept/full", name);
      kept.putReport(await mailbox.report());
    });
  }

  /** The board's newest report, if it was made and did not come to be kept. */
  async #collect(): Promise<void> {
    const { mailbox, kept, info } = this.#board;
    const { sequence, digest } = info.reportHead;
    if (sequence === 0n || kept.hasReport(sequence, digest)) return;
    try {
      kept.putReport(await mailbox.reportAgain());
    } catch (error) {
      // After a recovery the head is the verifier's, and what lies in flash may be another report.
      if (!(error instanceof Refusal) || error.code !== ErrorCode.REPORT_STORE) throw error;
    }
  }

  #packReports(): void {
    const { name, ueid, kept } = this.#board;
    const waiting = kept.reportsAfter(kept.deliveredTo);
    for (const { sequence, report, intervals } of waiting) {
      this.#stick.files.set(reportFile(ueid, sequence, "cbor"), report);
      this.#stick.files.set(reportFile(ueid, sequence, "intervals"), intervals);
    }
    const [first, last] = [waiting.at(0), waiting.at(-1)];
    for (const { sequence, bytes } of kept.licensesToShow()) this.#stick.files.set(takenFile(ueid, sequence), bytes);
    for (const { number, bytes } of kept.recoveriesToShow()) this.#stick.files.set(recoveredFile(ueid, number), bytes);
    if (first && last) this.#rows.add(name, "reports", "done", `${first.sequence} to ${last.sequence}`);
  }

  async #evidence(before: Uint8Array | undefined, challenge: Uint8Array): Promise<void> {
    const { mailbox, kept } = this.#board;
    const evidence = before ?? (await mailbox.evidence(challenge));
    if (!before) kept.setEvidence(evidence);
    this.#put("evidence", evidence);
  }

  #put(what: BoardFile, bytes: Uint8Array): void {
    this.#stick.files.set(boardFile(this.#board.ueid, what), bytes);
  }
}

/** Whether a verifier would answer the older evidence with what the board can still use. */
function saysTheSame(before: Evidence, now: Info): boolean {
  return (
    before.bootCount === now.bootCount &&
    before.epoch === now.epoch &&
    before.reportHead.sequence === now.reportHead.sequence &&
    (before.gateState === GateState.LOCKED) === (now.gateState === GateState.LOCKED) &&
    (before.timeBounds === null) === (now.timeBounds === null) &&
    sameBytes(before.challenge, now.challenge) &&
    sameBytes(before.agreementDigest, now.agreementDigest)
  );
}

function readEvidence(bytes: Uint8Array): Evidence | undefined {
  try {
    return decodeEvidence(parseSign1(bytes).payload);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
