/** What a stick holds, by the names that its files have, and which names there are at all. */
import { Limit } from "../../firmware/protocol/limits.ts";
import { INTERVAL_BYTES } from "../objects/intervals.ts";
import { sha256 } from "../protocol/sha256.ts";
import { hexOf } from "../verifier/bytes.ts";

/** Where it is carried. */
export const DIRECTIONS = ["to-site", "to-verifiers"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface Stick {
  readonly direction: Direction;
  /** By path, with `/` between names. */
  readonly files: Map<string, Uint8Array>;
}

/** All bytes of all files: some 50,000 boards, or fewer with many reports. */
export const STICK_BYTES_MAX = 256 * 1024 * 1024;
export const STICK_FILES_MAX = 100_000;
const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Of folders within the stick: `boards/<ueid>/reports/<sequence>.cbor`. */
export const STICK_DEPTH_MAX = 4;

interface Rule {
  readonly pattern: RegExp;
  readonly bytesMax: number;
  readonly directions: readonly Direction[];
}

const NUMBER = "(?:0|[1-9][0-9]{0,19})";
const BOARD = `boards/[0-9a-f]{${2 * Limit.UEID_BYTES}}`;

function rule(pattern: string, bytesMax: number, ...directions: Direction[]): Rule {
  return { pattern: new RegExp(`^${pattern}$`), bytesMax, directions };
}

const RULES: readonly Rule[] = [
  rule("nonces\\.json", DOCUMENT_BYTES_MAX, "to-site", "to-verifiers"),
  rule("(?:delivered|openings|standings)\\.json", DOCUMENT_BYTES_MAX, "to-site"),
  rule("beacon\\.cbor", Limit.MESSAGE_BYTES_MAX, "to-site"),
  rule(`(?:agreements|orders)/${NUMBER}\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-site"),
  rule(`licenses/${NUMBER}-[0-9a-f]{16}\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-site"),
  rule(`proofs/[0-9a-f]{16}-${NUMBER}\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-site"),
  rule(`${BOARD}/(?:time-proof|license|recovery)\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-site"),
  rule(`${BOARD}/(?:endorsement|certificate|time-challenge|evidence)\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-verifiers"),
  rule(`${BOARD}/reports/${NUMBER}\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-verifiers"),
  rule(`${BOARD}/reports/${NUMBER}\\.intervals`, Limit.INTERVALS_MAX * INTERVAL_BYTES, "to-verifiers"),
  rule(`${BOARD}/licenses/${NUMBER}\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-verifiers"),
  rule(`${BOARD}/recoveries/${NUMBER}\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-verifiers"),
  rule(`${BOARD}/openings/${NUMBER}-[0-${Limit.INTERVALS_MAX - 1}]\\.cbor`, Limit.MESSAGE_BYTES_MAX, "to-verifiers"),
];

/** The longest that a file of this name may be on such a stick; undefined for a name that does not belong there. */
export function bytesMaxOf(path: string, direction?: Direction): number | undefined {
  const found = RULES.find(({ pattern, directions }) => {
    return (direction === undefined || directions.includes(direction)) && pattern.test(path);
  });
  return found?.bytesMax;
}

export const BEACON = "beacon.cbor";
export const NONCES = "nonces.json";
export const DELIVERED = "delivered.json";
export const OPENINGS = "openings.json";
export const STANDINGS = "standings.json";
export const PROOFS = "proofs/";

/** What lies in the folder of a board, beside its reports, licenses, recoveries and openings. */
export type BoardFile =
  | "time-proof"
  | "license"
  | "recovery"
  | "endorsement"
  | "certificate"
  | "time-challenge"
  | "evidence";

export function boardFile(ueid: string, what: BoardFile): string {
  return `boards/${ueid}/${what}.cbor`;
}

export function reportFile(ueid: string, sequence: bigint, ending: "cbor" | "intervals"): string {
  return `boards/${ueid}/reports/${sequence}.${ending}`;
}

/** One that the board was given. */
export function takenFile(ueid: string, sequence: bigint): string {
  return `boards/${ueid}/licenses/${sequence}.cbor`;
}

/** One that the board was given; they are counted. */
export function recoveredFile(ueid: string, number: bigint): string {
  return `boards/${ueid}/recoveries/${number}.cbor`;
}

export function openingFile(ueid: string, sequence: bigint, index: number): string {
  return `boards/${ueid}/openings/${sequence}-${index}.cbor`;
}

/** The same license has one name, however often it is put there. */
export function licenseFile(sequence: bigint, bytes: Uint8Array): string {
  return `licenses/${sequence}-${shortDigest(bytes)}.cbor`;
}

/** The log proof of a message, for boards that hold the log's tree of `from` entries; 0: none. */
export function proofFile(message: Uint8Array, from: number): string {
  return `${PROOFS}${shortDigest(message)}-${from}.cbor`;
}

/** All proofs of a message, by the tree that they start from. */
export function proofsOf({ files }: Stick, message: Uint8Array): (readonly [from: bigint, proof: Uint8Array])[] {
  const prefix = `${PROOFS}${shortDigest(message)}-`;
  return [...files].flatMap(([path, proof]) => {
    if (!path.startsWith(prefix)) return [];
    return [[BigInt(path.slice(prefix.length, -".cbor".length)), proof] as const];
  });
}

/** UEIDs of the boards that have a folder, in hex. */
export function boardsOf({ files }: Stick): string[] {
  const names = [...files.keys()].flatMap((path) => /^boards\/([0-9a-f]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** Files of a folder whose names begin with a number, by that number. */
export function numbered({ files }: Stick, folder: string): (readonly [number: bigint, bytes: Uint8Array])[] {
  const found = [...files].flatMap(([path, bytes]) => {
    if (!path.startsWith(`${folder}/`) || !path.endsWith(".cbor")) return [];
    const number = /^[0-9]+/.exec(path.slice(folder.length + 1))?.[0];
    return number === undefined ? [] : [[BigInt(number), bytes] as const];
  });
  return found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function shortDigest(bytes: Uint8Array): string {
  return hexOf(sha256(bytes)).slice(0, 16);
}
