/**
 * Packs the log proofs of what lies on a stick, where an agreement has a log (docs/protocol.md, "Log"): last of all, since
 * then everything is there. A proof starts from the tree that a board holds, as its evidence said; a stick that was packed
 * since may have brought it to a later one, so there is a proof from each. All lead to one tree, or the second that a board
 * is given would not continue the first.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import type { Circle } from "../client/circle.ts";
import { ClientError } from "../client/errors.ts";
import { agreementDigest, decodeAgreement, type LogTerms } from "../objects/agreement.ts";
import type { Evidence } from "../objects/evidence.ts";
import { decodeLicense } from "../objects/license.ts";
import { decodeLogProof, type LogProof } from "../objects/log-proof.ts";
import { parseSign } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { sha256 } from "../protocol/sha256.ts";
import { type Loggable, TermsBook, type TermsRow } from "../service/log/terms.ts";
import { hexOf } from "../verifier/bytes.ts";
import { type Standing, standingsFile, standingsOf, TREES_MAX } from "./documents.ts";
import { ALL } from "./office-pack.ts";
import type { Rows } from "./row.ts";
import { boardFile, numbered, PROOFS, proofFile, STANDINGS, type Stick } from "./stick.ts";

/** The log may grow while it is asked, and its witnesses lag behind. */
const TRIES_MAX = 3;

interface Message extends Loggable {
  /** For people. */
  readonly what: string;
}

interface Wanted extends Message {
  readonly from: number;
  readonly terms: LogTerms;
}

interface Proved {
  readonly bytes: Uint8Array;
  readonly proof: LogProof;
}

/** By the names of their files. */
type WantedByPath = ReadonlyMap<string, Wanted>;

/**
 * As its evidence says; undefined where its agreement has no log, or it names a tree that no log has. `stick` is the one that
 * was packed for it before.
 */
export function standingOf(
  { agreementVersion, epoch, logHead }: Pick<Evidence, "agreementVersion" | "epoch" | "logHead">,
  stick: Stick,
): Standing | undefined {
  if (!logHead || logHead.size > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const held = Number(logHead.size);
  return { agreementVersion, epoch, trees: treesFrom(held, provedTrees(stick)) };
}

/**
 * For these boards and those of earlier visits; if there are none, for one that nobody knows yet. A proof that cannot be had
 * is a row, and stops nothing.
 */
export async function packProofs(circle: Circle, stick: Stick, ueids: readonly string[], rows: Rows): Promise<void> {
  await rows.attempt(ALL, "log proofs", async () => {
    const book = termsOn(stick);
    if (!book) return;
    const known = standingsOf(stick);
    const earlier = provedTrees(stick);
    const newcomer = { agreementVersion: 0, epoch: 0, trees: treesFrom(0, earlier) };
    const standings = new Map([...ueids, ...known.keys()].map((ueid) => [ueid, known.get(ueid) ?? newcomer]));
    const wanted = standings.size === 0 ? wantedBy(undefined, newcomer, stick, book) : new Map<string, Wanted>();
    for (const [ueid, standing] of standings) {
      for (const [path, one] of wantedBy(ueid, standing, stick, book)) wanted.set(path, one);
    }
    const proved = await proveAll(circle, wanted, rows);
    for (const path of [...stick.files.keys()]) {
      // One that could not be had anew stays as it was: an old proof is better than none.
      if (path.startsWith(PROOFS) && !wanted.has(path)) stick.files.delete(path);
    }
    for (const [path, { bytes }] of proved) stick.files.set(path, bytes);
    const trees = provedTrees(stick);
    for (const [ueid, { trees: before, ...standing }] of standings) {
      standings.set(ueid, { ...standing, trees: treesFrom(before[0]!, [...before, ...trees]) });
    }
    if (standings.size > 0) stick.files.set(STANDINGS, standingsFile(standings));
  });
}

/** By the agreements on the stick; undefined where none of them has a log. */
function termsOn(stick: Stick): TermsBook | undefined {
  const rows = numbered(stick, "agreements").flatMap(([, bytes]): TermsRow[] => {
    const agreement = readable(() => decodeAgreement(parseSign(bytes).payload));
    return agreement ? [{ version: agreement.version, digest: agreementDigest(agreement), log: agreement.log }] : [];
  });
  return rows.some(({ log }) => log !== undefined) ? new TermsBook(rows) : undefined;
}

/** What the stick has for a board, and the board lacks, from each tree that it may hold. */
function wantedBy(
  ueid: string | undefined,
  { agreementVersion, epoch, trees }: Standing,
  stick: Stick,
  book: TermsBook,
): Map<string, Wanted> {
  const messages = [
    // The first is signed by all parties, and needs no proof.
    ...numbered(stick, "agreements")
      .slice(1)
      .filter(([version]) => version > BigInt(agreementVersion))
      .map(([version, bytes]) => ({ what: `agreement ${version}`, type: ObjectType.AGREEMENT, bytes }) as const),
    ...numbered(stick, "orders")
      .filter(([number]) => number > BigInt(epoch))
      .map(([number, bytes]) => ({ what: `order ${number}`, type: ObjectType.ORDER, bytes }) as const),
    ...(ueid === undefined ? [] : ownMessages(ueid, stick)),
  ];
  const wanted = messages.flatMap((message): [string, Wanted][] => {
    const terms = readable(() => book.of(message));
    if (!terms) return [];
    return trees.map((from) => [proofFile(message.bytes, from), { ...message, from, terms }]);
  });
  return new Map(wanted);
}

function ownMessages(ueid: string, stick: Stick): Message[] {
  const recovery = stick.files.get(boardFile(ueid, "recovery"));
  const license = stick.files.get(boardFile(ueid, "license"));
  const offline = numbered(stick, "licenses").filter(([, bytes]) => {
    const license = readable(() => decodeLicense(parseSign(bytes).payload));
    return license && (license.cohort ?? [license.ueid!]).some((named) => hexOf(named) === ueid);
  });
  return [
    ...(recovery ? [{ what: `recovery of ${ueid}`, type: ObjectType.RECOVERY, bytes: recovery } as const] : []),
    ...(license ? [{ what: `license of ${ueid}`, type: ObjectType.LICENSE, bytes: license } as const] : []),
    ...offline.map(([sequence, bytes]) => {
      return { what: `offline license ${sequence}`, type: ObjectType.LICENSE, bytes } as const;
    }),
  ];
}

/** Those that can be had; a row for each other. */
async function proveAll(circle: Circle, wanted: WantedByPath, rows: Rows): Promise<Map<string, Proved>> {
  const proved = new Map<string, Proved>();
  for (const terms of new Set([...wanted.values()].map((one) => one.terms))) {
    const group = new Map([...wanted].filter(([, one]) => one.terms === terms));
    const found = await proveGroup(circle, group, rows);
    for (const [path, one] of found) proved.set(path, one);
    if (found.size > 0) rows.add(ALL, "log proofs", "done", detailOf(found, terms));
  }
  return proved;
}

/** Under one log's terms; once more what was proved before the log grew, and what is not cosigned yet. */
async function proveGroup(circle: Circle, group: WantedByPath, rows: Rows): Promise<Map<string, Proved>> {
  const found = new Map<string, Proved>();
  const failed = new Map<string, unknown>();
  let left = [...group];
  for (let tries = TRIES_MAX; left.length > 0 && tries > 0; tries -= 1) {
    for (const [path, one] of left) {
      try {
        found.set(path, await prove(circle, one));
        failed.delete(path);
      } catch (error) {
        failed.set(path, error);
      }
    }
    const newest = Math.max(...[...found.values()].map(({ proof }) => proof.size));
    left = [...group].filter(
      ([path]) => isPassing(failed.get(path)) || (found.get(path)?.proof.size ?? newest) < newest,
    );
  }
  for (const [path, error] of failed) {
    const { what, from } = group.get(path)!;
    rows.fail(ALL, `log proof of ${what} from tree ${from}`, error);
  }
  return found;
}

/** Witnesses may have been a moment late. */
function isPassing(error: unknown): boolean {
  return error instanceof ClientError && error.code === "client/unavailable";
}

async function prove(circle: Circle, { bytes: message, from }: Wanted): Promise<Proved> {
  const bytes = await circle.logProof(sha256(message), from);
  return { bytes, proof: decodeLogProof(bytes) };
}

/** How many, and until when boards take them. */
function detailOf(found: ReadonlyMap<string, Proved>, { checkpointSecondsMax }: LogTerms): string {
  const seconds = [...found.values()].flatMap(({ proof }) => proof.cosignatures.map((one) => one.seconds));
  const until = new Date((Math.min(...seconds) + checkpointSecondsMax) * 1000);
  return `${found.size}, good until ${until.toISOString()}`;
}

/** That of evidence, and the newest of those after it. */
function treesFrom(held: number, others: readonly number[]): number[] {
  const later = [...new Set(others)].filter((size) => size > held).sort((a, b) => a - b);
  return [held, ...later.slice(1 - TREES_MAX)];
}

/** Those that proofs on the stick lead to. */
function provedTrees({ files }: Stick): number[] {
  return [...files].flatMap(([path, bytes]) => {
    return path.startsWith(PROOFS) ? (readable(() => decodeLogProof(bytes).size) ?? []) : [];
  });
}

/** Undefined for what is not of its form: no board will take that, so it wants no proof. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
