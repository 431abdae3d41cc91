/**
 * The documents on a stick that nobody signs: nonces, up to where reports have arrived, which intervals verifiers want to
 * see, and where boards stand. None is believed.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { combinedNonce, NONCES_MAX } from "../objects/nonces.ts";
import { hexOf } from "../verifier/bytes.ts";
import { CourierError } from "./errors.ts";
import { DELIVERED, NONCES, OPENINGS, STANDINGS, type Stick } from "./stick.ts";

export interface TravellingNonce {
  /** Its name, by which it is found again: the address. */
  readonly verifier: string;
  readonly nonce: Uint8Array;
  /** Agreement time. */
  readonly expiresMs: number;
}

/** By UEID in hex. */
export type NoncesByBoard = ReadonlyMap<string, readonly TravellingNonce[]>;
/** Sequence of the newest report that every verifier has, by UEID in hex. */
export type DeliveredByBoard = ReadonlyMap<string, bigint>;

/** Of a report of one board. */
export interface WantedInterval {
  readonly sequence: bigint;
  readonly index: number;
}

/** By UEID in hex. */
export type WantedByBoard = ReadonlyMap<string, readonly WantedInterval[]>;

/** What a board has: where its log proofs start from, and what needs none any more. */
export interface Standing {
  readonly agreementVersion: number;
  readonly epoch: number;
  /** Sizes of the log's trees that it may hold, 0 for none: that of its evidence, and those that sticks since then prove. */
  readonly trees: readonly number[];
}

/** By UEID in hex. */
export type StandingByBoard = ReadonlyMap<string, Standing>;

/** Of one board. */
export const TREES_MAX = 8;

/** On one stick; what is wanted beyond goes with the next. */
export const WANTED_MAX = 16_384;

const UEID = new RegExp(`^[0-9a-f]{${2 * Limit.UEID_BYTES}}$`);
const NONCE = new RegExp(`^[0-9a-f]{${2 * Limit.NONCE_BYTES}}$`);
const SEQUENCE = /^(?:0|[1-9][0-9]{0,19})$/;
const NAME_CHARACTERS_MAX = 1024;

export function noncesFile(nonces: NoncesByBoard): Uint8Array {
  const entries = [...nonces].map(([ueid, given]) => [
    ueid,
    given.map(({ verifier, nonce, expiresMs }) => ({ verifier, nonce: hexOf(nonce), expiresMs })),
  ]);
  return documentBytes(Object.fromEntries(entries));
}

export function deliveredFile(delivered: DeliveredByBoard): Uint8Array {
  return documentBytes(Object.fromEntries([...delivered].map(([ueid, sequence]) => [ueid, sequence.toString()])));
}

export function wantedFile(wanted: WantedByBoard): Uint8Array {
  const entries = [...wanted].map(([ueid, intervals]) => [
    ueid,
    intervals.map(({ sequence, index }) => ({ sequence: sequence.toString(), index })),
  ]);
  return documentBytes(Object.fromEntries(entries));
}

export function standingsFile(standings: StandingByBoard): Uint8Array {
  return documentBytes(Object.fromEntries(standings));
}

/** None where the stick has no such file. Throws `CourierError` (`stick/content`). */
export function noncesOf({ files }: Stick): NoncesByBoard {
  return new Map(
    entriesOf(files.get(NONCES), NONCES).map(([ueid, given]) => {
      if (!Array.isArray(given) || given.length < 1 || given.length > NONCES_MAX) refuse(NONCES);
      const nonces = given.map(readNonce);
      if (new Set(nonces.map(({ verifier }) => verifier)).size !== nonces.length) refuse(NONCES);
      if (new Set(nonces.map(({ nonce }) => hexOf(nonce))).size !== nonces.length) refuse(NONCES);
      return [ueid, nonces];
    }),
  );
}

/** None where the stick has no such file. Throws `CourierError` (`stick/content`). */
export function deliveredOf({ files }: Stick): DeliveredByBoard {
  return new Map(
    entriesOf(files.get(DELIVERED), DELIVERED).map(([ueid, text]) => {
      if (typeof text !== "string" || !SEQUENCE.test(text)) refuse(DELIVERED);
      return [ueid, BigInt(text)];
    }),
  );
}

/** None where the stick has no such file. Throws `CourierError` (`stick/content`). */
export function wantedOf({ files }: Stick): WantedByBoard {
  const entries = entriesOf(files.get(OPENINGS), OPENINGS);
  let left = WANTED_MAX;
  return new Map(
    entries.map(([ueid, intervals]) => {
      if (!Array.isArray(intervals)) refuse(OPENINGS);
      left -= intervals.length;
      if (left < 0) refuse(OPENINGS);
      return [ueid, intervals.map(readWanted)];
    }),
  );
}

/** None where the stick has no such file. Throws `CourierError` (`stick/content`). */
export function standingsOf({ files }: Stick): StandingByBoard {
  return new Map(entriesOf(files.get(STANDINGS), STANDINGS).map(([ueid, value]) => [ueid, readStanding(value)]));
}

/** What evidence is made over: the one nonce, or what stands for several verifiers'. */
export function challengeOf(nonces: readonly TravellingNonce[]): Uint8Array {
  return nonces.length === 1 ? nonces[0]!.nonce : combinedNonce(nonces.map(({ nonce }) => nonce));
}

function readNonce(value: unknown): TravellingNonce {
  if (typeof value !== "object" || value === null) refuse(NONCES);
  const { verifier, nonce, expiresMs } = value as Record<string, unknown>;
  if (typeof verifier !== "string" || verifier.length < 1 || verifier.length > NAME_CHARACTERS_MAX) refuse(NONCES);
  if (typeof nonce !== "string" || !NONCE.test(nonce)) refuse(NONCES);
  if (!Number.isSafeInteger(expiresMs)) refuse(NONCES);
  return { verifier, nonce: new Uint8Array(Buffer.from(nonce, "hex")), expiresMs: expiresMs as number };
}

function readWanted(value: unknown): WantedInterval {
  if (typeof value !== "object" || value === null) refuse(OPENINGS);
  const { sequence, index } = value as Record<string, unknown>;
  if (typeof sequence !== "string" || !SEQUENCE.test(sequence)) refuse(OPENINGS);
  if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= Limit.INTERVALS_MAX) refuse(OPENINGS);
  return { sequence: BigInt(sequence), index: index as number };
}

function readStanding(value: unknown): Standing {
  if (typeof value !== "object" || value === null) refuse(STANDINGS);
  const { agreementVersion, epoch, trees } = value as Record<string, unknown>;
  if (!Array.isArray(trees) || trees.length < 1 || trees.length > TREES_MAX) refuse(STANDINGS);
  if (![agreementVersion, epoch, ...trees].every((one) => Number.isSafeInteger(one) && one >= 0)) refuse(STANDINGS);
  return { agreementVersion: agreementVersion as number, epoch: epoch as number, trees };
}

function entriesOf(bytes: Uint8Array | undefined, name: string): [ueid: string, value: unknown][] {
  if (bytes === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new CourierError("stick/content", name, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(name);
  const entries = Object.entries(value);
  if (!entries.every(([ueid]) => UEID.test(ueid))) refuse(name);
  return entries;
}

function documentBytes(document: object): Uint8Array {
  return new Uint8Array(Buffer.from(`${JSON.stringify(document, null, 1)}\n`));
}

function refuse(name: string): never {
  throw new CourierError("stick/content", name);
}
