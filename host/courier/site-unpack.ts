/**
 * Gives the boards of a site what a stick brought, each thing in its turn: agreements before what stands under them, the
 * time before what it takes, orders before the beacon that names them, licenses last. What a board has already is not
 * given again, since a refusal costs its sender (docs/protocol.md). Where the board's agreement has a log, licenses, orders,
 * recoveries and amendments go with their proofs.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { BoardDriver } from "../agent/driver.ts";
import { type Agreement, decodeAgreement } from "../objects/agreement.ts";
import type { Info } from "../objects/evidence.ts";
import { decodeLicense, type License } from "../objects/license.ts";
import { decodeOrder, isPauseOf } from "../objects/order.ts";
import { decodeRecovery } from "../objects/recovery.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { deliveredOf } from "./documents.ts";
import { CourierError } from "./errors.ts";
import { type Row, Rows } from "./row.ts";
import { type SiteBoard, visitBoards } from "./site-board.ts";
import { BEACON, boardFile, numbered, type Stick } from "./stick.ts";
import { StickProofs } from "./stick-proofs.ts";

interface OfflineLicense {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly license: License;
}

/** `keepFolder`: what the site keeps between visits. Rejects with a `DriverError` where the boards cannot be listed. */
export async function unpackAtSite(stick: Stick, driver: BoardDriver, keepFolder: string): Promise<readonly Row[]> {
  const rows = new Rows();
  const delivered = deliveredOf(stick);
  const offline = offlineLicenses(stick);
  await visitBoards(driver, keepFolder, rows, async (board) => {
    const sequence = delivered.get(board.ueid);
    if (sequence !== undefined) board.kept.setDelivered(sequence);
    await new Unpacking(board, stick, rows).run(offline);
  });
  return rows.all;
}

class Unpacking {
  readonly #board: SiteBoard;
  readonly #stick: Stick;
  readonly #proofs: StickProofs;
  readonly #rows: Rows;

  constructor(board: SiteBoard, stick: Stick, rows: Rows) {
    this.#board = board;
    this.#stick = stick;
    this.#proofs = new StickProofs(stick);
    this.#rows = rows;
  }

  async run(offline: readonly OfflineLicense[]): Promise<void> {
    await this.#agreements();
    await this.#timeProof();
    await this.#orders();
    if ((await this.#info()).timeBounds === null) this.#row("beacon", "left", "the board does not know the time yet");
    else await this.#beacon();
    await this.#recovery();
    await this.#license();
    for (const license of offline) await this.#offlineLicense(license);
  }

  async #agreements(): Promise<void> {
    const { agreementVersion } = await this.#info();
    for (const [version, bytes] of numbered(this.#stick, "agreements")) {
      const what = `agreement ${version}`;
      if (version <= BigInt(agreementVersion)) this.#row(what, "known");
      else if (await this.#givePublic(what, bytes, (proof) => this.#board.mailbox.agreement(bytes, proof))) {
        // An amendment makes a board forget the time, and what it asked.
        this.#board.kept.setChallenge(undefined);
      }
    }
  }

  async #timeProof(): Promise<void> {
    const { mailbox, kept } = this.#board;
    const proof = this.#own("time-proof");
    if (!proof) return;
    const { timeBounds, bootCount } = await this.#info();
    // What was asked before a power cut is asked for anew: nothing that is on its way answers it.
    const isAsked = kept.challenge?.bootCount === bootCount;
    if (!isAsked && timeBounds !== null) return this.#row("time proof", "known");
    await this.#give("time proof", () => mailbox.timeProof(proof));
    // Taken or not: if the board still needs one, it has to ask anew.
    kept.setChallenge(undefined);
  }

  async #orders(): Promise<void> {
    const { epoch } = await this.#info();
    for (const [number, bytes] of numbered(this.#stick, "orders")) {
      const what = `order ${number}`;
      if (number <= BigInt(epoch)) this.#row(what, "known");
      else await this.#give(what, () => this.#order(bytes));
    }
  }

  async #order(bytes: Uint8Array): Promise<void> {
    const { mailbox } = this.#board;
    const beacon = this.#stick.files.get(BEACON);
    const proof = await this.#orderProof(bytes);
    try {
      await mailbox.order(bytes, proof);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== ErrorCode.ORDER_NOT_YET || !beacon) throw error;
      // The board's lower bound of the time lags behind; a beacon lifts it.
      await mailbox.beacon(beacon);
      await mailbox.order(bytes, proof);
    }
  }

  /** A pause of the board goes without, where its agreement lets it, or may let it and no proof is here: safety first. */
  async #orderProof(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const { logHead, agreementDigest, ueid } = await this.#info();
    if (!logHead) return undefined;
    const terms = this.#agreement(agreementDigest)?.log;
    const comesBare = terms ? terms.pauseBeforeProof : !this.#proofs.has(bytes);
    if (comesBare && isPauseOf(decodeOrder(parseSign(bytes).payload), ueid)) return undefined;
    return this.#proofs.of(bytes, logHead);
  }

  async #beacon(): Promise<void> {
    const beacon = this.#stick.files.get(BEACON);
    if (beacon) await this.#give("beacon", () => this.#board.mailbox.beacon(beacon));
  }

  async #recovery(): Promise<void> {
    const { mailbox, kept } = this.#board;
    const recovery = this.#own("recovery");
    if (!recovery) return;
    const { gateState } = await this.#info();
    if (gateState !== GateState.LOCKED) return this.#row("recovery", "known");
    // Kept before the board has it: a verifier that had no part in it must be shown it.
    const number = kept.putRecovery(recovery);
    if (!(await this.#givePublic("recovery", recovery, (proof) => mailbox.recover(recovery, proof))))
      return kept.dropRecovery(number);
    kept.dropReports(decodeRecovery(parseSign(recovery).payload).reportHead.sequence);
    // It has forgotten the time, and what it asked.
    kept.setChallenge(undefined);
  }

  async #license(): Promise<void> {
    const bytes = this.#own("license");
    if (!bytes) return;
    await this.#rows.attempt(this.#board.name, "license", async () => {
      const { sequence } = licenseOf(bytes);
      await this.#install(`license ${sequence}`, bytes, sequence, await this.#info());
    });
  }

  /** Installing one replaces what is in force, so it waits until that has ended. */
  async #offlineLicense({ name, bytes, license }: OfflineLicense): Promise<void> {
    const { ueid } = this.#board;
    const meant = license.cohort ?? [license.ueid!];
    if (!meant.some((one) => hexOf(one) === ueid)) return;
    const info = await this.#info();
    const what = `offline license ${name}`;
    if (info.licenseSequence < license.sequence && isWorking(info)) {
      this.#row(what, "left", "a license is in force: unpack again when it has ended");
    } else await this.#install(what, bytes, license.sequence, info);
  }

  async #install(what: string, bytes: Uint8Array, sequence: bigint, { licenseSequence }: Info): Promise<void> {
    const { mailbox, kept } = this.#board;
    if (licenseSequence >= sequence) this.#row(what, "known", `the board has had license ${licenseSequence}`);
    else if (!(await this.#givePublic(what, bytes, (proof) => mailbox.license(bytes, proof)))) return;
    // What the board took at an earlier visit may not have come to be kept; what is kept is what it took.
    if (licenseSequence < sequence || (licenseSequence === sequence && !kept.hasLicense(sequence))) {
      kept.putLicense(sequence, bytes);
    }
  }

  #info(): Promise<Info> {
    return this.#board.mailbox.info();
  }

  #own(what: "time-proof" | "license" | "recovery"): Uint8Array | undefined {
    return this.#stick.files.get(boardFile(this.#board.ueid, what));
  }

  #row(what: string, outcome: Row["outcome"], detail?: string): void {
    this.#rows.add(this.#board.name, what, outcome, detail);
  }

  /** The one with this digest, if it is on the stick. */
  #agreement(digest: Uint8Array): Agreement | undefined {
    const payloads = numbered(this.#stick, "agreements").map(([, bytes]) => parseSign(bytes).payload);
    const found = payloads.find((payload) => sameBytes(sha256(payload), digest));
    return found && decodeAgreement(found);
  }

  /** With its log proof, where the board's agreement has a log. */
  #givePublic(what: string, bytes: Uint8Array, tell: (proof?: Uint8Array) => Promise<void>): Promise<boolean> {
    return this.#give(what, async () => {
      const { logHead } = await this.#info();
      await tell(logHead && this.#proofs.of(bytes, logHead));
    });
  }

  #give(what: string, act: () => Promise<void>): Promise<boolean> {
    return this.#rows.carry(this.#board.name, what, act);
  }
}

function isWorking({ gateState }: Info): boolean {
  return gateState === GateState.OPEN || gateState === GateState.SLOWED || gateState === GateState.DRAINING;
}

/** Oldest first. Throws `CourierError` for what is none: no board is needed to see it. */
function offlineLicenses(stick: Stick): OfflineLicense[] {
  return numbered(stick, "licenses").map(([sequence, bytes]) => {
    try {
      return { name: `${sequence}`, bytes, license: licenseOf(bytes) };
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      throw new CourierError("stick/content", `license ${sequence}`, { cause });
    }
  });
}

function licenseOf(bytes: Uint8Array): License {
  return decodeLicense(parseSign(bytes).payload);
}
