/**
 * The firmware's CBOR and COSE held against the host's: the same bytes to both, and the same verdict asked of both. Each
 * case is good bytes with a few changes, drawn from the seed and the case's number.
 */
import { ObjectType } from "../firmware/protocol/claims.ts";
import { Command } from "../firmware/protocol/commands.ts";
import { CoseFlag, CoseHeader, CoseTag } from "../firmware/protocol/cose-labels.ts";
import { ErrorCode } from "../firmware/protocol/errors.ts";
import { Limit } from "../firmware/protocol/limits.ts";
import { objectAad } from "../host/objects/aad.ts";
import { cborCheck, decode, encode, Tagged } from "../host/protocol/cbor.ts";
import { sign1Structure, verifySign1 } from "../host/protocol/cose.ts";
import { errorPhrase } from "../host/protocol/error-phrases.ts";
import { Refusal } from "../host/protocol/refusal.ts";
import type { GovernorImage } from "../sim-board/governor-module.ts";
import { Random } from "../sim-board/random.ts";
import { AttackSucceeded, type Campaign, type Cases, runCases } from "./campaign.ts";
import { Desk } from "./fuzz/desk.ts";
import { hostVerify } from "./fuzz/host-verdict.ts";
import { changeBytes, changeItem, withCuts } from "./fuzz/items.ts";
import { SIGNED, signed } from "./fuzz/objects.ts";
import { Primitives } from "./fuzz/primitives.ts";
import { CLOCK, governorImage } from "./rig.ts";

const NAME = "fuzz-cbor";
const EXECUTIONS = 10_000_000;

export const fuzzCbor: Campaign = {
  name: NAME,
  about:
    "CBOR items, COSE messages and signed objects with a few bytes, items, claims or signers changed, to firmware and host",
  claim: "both take the same and refuse the same, with the same code where it is one of form",
  run: (options) => runCases(NAME, differences(options.seed), options),
};

/** Where each kind of object can be taken. */
const STARTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(SIGNED).map((object) => [object, startFor(object)]),
);

function startFor(object: string): string {
  if (object === "agreement") return "factory";
  if (object.startsWith("recovery")) return "locked";
  return object.endsWith("-clocks") ? "clocks" : "ready";
}

const AAD = objectAad(ObjectType.BEACON);
/** Of others too: {1: -19}, {1: -8}, both with more, and none. */
const PROTECTED_HEADERS = ["a10132", "a10127", "a201320300", "a2013261610a", "a0", ""].map((text) =>
  Uint8Array.from(Buffer.from(text, "hex")),
);
/** With the command before it, it has room in the mailbox. */
const OBJECT_BYTES_MAX = Limit.MESSAGE_BYTES_MAX - 5;
const COSE = ErrorCode.COSE_TAG >> 8;
const CBOR = ErrorCode.CBOR_TRUNCATED >> 8;

/** The cases of a seed, by number, with this governor. */
export function differences(seed: string, image = governorImage()): Cases {
  const differ = new Differ(image);
  const root = new Random(`${NAME} ${seed}`);
  const drawn = root.snapshot();
  return {
    count: EXECUTIONS,
    idOf: (index) => `c${index}`,
    indexOf: (id) => (/^c\d{1,7}$/.test(id) && Number(id.slice(1)) < EXECUTIONS ? Number(id.slice(1)) : undefined),
    run(index) {
      // A generator of its own for each case, without a hash for each.
      root.restore([drawn[0]! ^ index, drawn[1]!, drawn[2]!, 1]);
      for (let i = 0; i < DRAWS_BEFORE; i++) root.u32();
      return differ.run(root);
    },
  };
}

/** As many as sfc32 takes until one bit of its state has moved all others. */
const DRAWS_BEFORE = 12;

class Differ {
  readonly #primitives = new Primitives();
  readonly #desks: readonly Desk[];
  /** Good ones. */
  readonly #items: readonly Uint8Array[];

  constructor(image: GovernorImage) {
    this.#desks = Object.entries(STARTS).map(([object, start]) => new Desk(image, start, object));
    this.#items = this.#desks.flatMap(({ kind, payload }) => [payload, signed(kind, payload, kind.signers)]);
  }

  /** One case: most are items alone, which cost least. */
  run(random: Random): string {
    const kind = random.below(16);
    if (kind < 10) return this.#item(random);
    return kind < 12 ? this.#sign1(random) : this.#object(random);
  }

  #item(random: Random): string {
    const bytes = changed(oneOf(this.#items, random), random);
    const [ours, theirs] = [this.#primitives.cborCheck(bytes), cborCheck(bytes)];
    if (ours !== theirs) disagree("an item", bytes, ours, theirs);
    if (theirs !== ErrorCode.OK) return "item: refused";
    const value = decode(bytes);
    const again = refusable(() => encode(value));
    // What is decoded has one encoding; the host writes no tags of 64 bits.
    if (again instanceof Uint8Array && Buffer.compare(again, bytes) !== 0)
      throw new AttackSucceeded(`the host writes ${hex(bytes)} as ${hex(again)}`);
    return "item: taken";
  }

  /** Read as others write it: the firmware's verdict there is yes or no. */
  #sign1(random: Random): string {
    const header = changed(oneOf(PROTECTED_HEADERS, random), random, 2);
    const payload = random.bytes(random.below(8));
    const signature = CLOCK.sign(sign1Structure(header, AAD, payload));
    const unprotected = new Map([[CoseHeader.KID, CLOCK.kid]]);
    const body = [header, random.below(2) === 0 ? unprotected : new Map(), payload, signature];
    const bytes = changed(encode(random.below(2) === 0 ? new Tagged(CoseTag.SIGN1, body) : body), random, 2);
    const ours = this.#primitives.sign1Holds(bytes, CLOCK.publicKey, AAD);
    const theirs = refusable(() => verifySign1(bytes, CLOCK, AAD, CoseFlag.TOLERANT));
    if (ours === theirs instanceof Refusal)
      throw new AttackSucceeded(
        `a COSE_Sign1 that ${ours ? "only the firmware" : "only the host"} takes: ${hex(bytes)}`,
      );
    return `COSE_Sign1: ${ours ? "taken" : "refused"}`;
  }

  #object(random: Random): string {
    const desk = oneOf(this.#desks, random);
    const { kind, payload, inForce } = desk;
    const signers = random.below(8) === 0 ? random.below(64) : kind.signers;
    const message = refusable(() => signed(kind, changed(payload, random, 2), signers));
    if (message instanceof Refusal) return "object: not made";
    const object = random.below(2) === 0 ? message : changed(message, random);
    if (object.length > OBJECT_BYTES_MAX) return "object: not made";
    const ours = desk.codeFor(kind.command, object);
    const theirs = refusable(() => hostVerify(kind.command, object, inForce));
    const code = theirs instanceof Refusal ? theirs.code : ErrorCode.OK;
    if (!agree(kind.command, ours, code)) disagree(`an object for command ${kind.command}`, object, ours, code);
    return `object: ${ours === ErrorCode.OK ? "taken" : isOfForm(ours) ? "refused by its form" : "refused by its rules"}`;
  }
}

/**
 * Of a payload that is no CBOR the governor says what it says of one with wrong claims; the host says more. Where who has
 * to sign depends on what is signed, either of two things that are wrong may be met first.
 */
function agree(command: Command, firmware: number, host: number): boolean {
  if (firmware === ErrorCode.OK || host === ErrorCode.OK) return firmware === host || !(isOfForm(firmware) || host);
  if (READ_FIRST.includes(command)) return true;
  if (!isOfForm(firmware)) return host >> 8 === COSE;
  return firmware === host || (CLAIM_CODES.includes(firmware) && host >> 8 === CBOR);
}

const READ_FIRST: readonly Command[] = [Command.AGREEMENT, Command.ORDER, Command.RECOVER];

/** Whether a code says of an object what can be seen from it and its agreement alone. */
function isOfForm(code: number): boolean {
  return code >> 8 === CBOR || code >> 8 === COSE || FORM_CODES.includes(code);
}

const CLAIM_CODES: readonly number[] = [
  ErrorCode.AGREEMENT_CLAIM,
  ErrorCode.LICENSE_CLAIM,
  ErrorCode.ORDER_CLAIM,
  ErrorCode.TIME_CLAIM,
  ErrorCode.RECOVERY_CLAIM,
];
const FORM_CODES: readonly number[] = [
  ...CLAIM_CODES,
  ErrorCode.AGREEMENT_LIMIT,
  ErrorCode.AGREEMENT_QUORUM_RULE,
  ErrorCode.AGREEMENT_PARTY,
];

/** The bytes with 1 to `most` changes, or, as seldom, none. */
function changed(bytes: Uint8Array, random: Random, most = 3): Uint8Array {
  let result = bytes;
  for (let left = random.below(most + 1); left > 0; left--) {
    const change = random.below(4) === 0 ? changeBytes : changeItem;
    result = withCuts(result, change(result, random));
  }
  return result;
}

function oneOf<T>(list: readonly T[], random: Random): T {
  return list[random.below(list.length)]!;
}

/** What it gives, or the refusal. */
function refusable<T>(act: () => T): T | Refusal {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function disagree(what: string, bytes: Uint8Array, firmware: number, host: number): never {
  const [ours, theirs] = [firmware, host].map((code) => errorPhrase(code).name);
  throw new AttackSucceeded(`${what}: the firmware says ${ours}, the host ${theirs}: ${hex(bytes)}`);
}
