/** Verifies one file for `quiesce log verify`, and says what it proves. */
import { ENTRY_BYTES_MAX } from "../log/entry.ts";
import { LogError } from "../log/errors.ts";
import type { CosignedCheckpoint, LogKeys } from "../log/log-keys.ts";
import { leafHash } from "../log/merkle.ts";
import { type NonIssued, verifyNonIssuance } from "../log/non-issuance.ts";
import { decodeNonIssuance, isNonIssuance, NON_ISSUANCE_BYTES_MAX } from "../log/non-issuance-file.ts";
import { parseSplitView, SPLIT_VIEW_BYTES_MAX, verifySplitView } from "../log/split-view.ts";
import { isTlogProof, parseTlogProof, TLOG_PROOF_BYTES_MAX, verifyTlogProof } from "../log/tlog-proof.ts";
import { sameBytes } from "../verifier/bytes.ts";
import type { VerifyOptions } from "./commands/log-verify.ts";
import { CliError, Exit, wrongUse } from "./exit.ts";
import { readInput, unwrapText } from "./input.ts";
import { entryOfMessage, trustedOf } from "./log-input.ts";
import { cosignedText, entryView, headValue } from "./log-terms-view.ts";
import { exactText, plainText, timeText } from "./names.ts";
import { color, facts, hex, print, printJson } from "./output.ts";

const FILE_BYTES_MAX = Math.max(TLOG_PROOF_BYTES_MAX, NON_ISSUANCE_BYTES_MAX, SPLIT_VIEW_BYTES_MAX);

/** What a file proves, for programs, and as rows for people. */
interface Proved {
  readonly exit: Exit;
  readonly value: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly [string, string])[];
  /** The last line. */
  readonly verdict: string;
}

/** Throws `CliError` for a file that is no proof, and a `LogError` for one that does not hold, unless that is printed. */
export async function verifyFile(file: string, options: VerifyOptions, asJson: boolean): Promise<void> {
  const { keys, agreement } = trustedOf(options);
  const bytes = readInput(file, FILE_BYTES_MAX);
  const text = Buffer.from(bytes).toString("utf8");
  const judge = () => {
    if (isNonIssuance(bytes)) return nonIssuance(bytes, options, keys);
    if (isTlogProof(text)) return inclusion(text, options, keys, agreement?.log?.commitments === true);
    if (/^\s*\{/.test(text)) return splitView(text, keys);
    throw wrongUse(`${file} is no tlog-proof, no proof of non-issuance and no split view`);
  };
  try {
    const { exit, value, rows, verdict } = judge();
    if (asJson) printJson({ ok: exit === Exit.DONE, ...value });
    else print(`${facts(rows)}\n\n  ${exit === Exit.DONE ? color.green("✓") : color.red("✗")} ${verdict}`);
    process.exitCode = exit;
  } catch (error) {
    if (!asJson || !(error instanceof LogError)) throw error;
    printJson({ ok: false, code: error.code, message: error.message });
    process.exitCode = Exit.NOT_GOOD;
  }
}

function inclusion(text: string, options: VerifyOptions, keys: LogKeys, takesSalt: boolean): Proved {
  const proof = parseTlogProof(text);
  const entry = entryFor(options, proof.extra, takesSalt);
  const head = verifyTlogProof(proof, leafHash(entry), keys);
  const { text: what, value } = entryView(entry);
  return {
    exit: Exit.DONE,
    value: { kind: "inclusion", leaf: proof.index, entry: value, checkpoint: headValue(head, keys) },
    rows: [["entry", `${exactText(proof.index)}, ${what}`], ...headRows("in", head, keys)],
    verdict: "the entry is in the log",
  };
}

/** Entry or message from a file, or what the proof has with it, which the path then vouches for. */
function entryFor(
  { entry, message, salt }: VerifyOptions,
  extra: Uint8Array | undefined,
  takesSalt: boolean,
): Uint8Array {
  if (entry !== undefined) {
    const bytes = unwrapText(readInput(entry));
    if (!bytes || bytes.length > ENTRY_BYTES_MAX) throw wrongUse(`${entry} is no entry`);
    return bytes;
  }
  if (message !== undefined) {
    if (takesSalt && !salt) throw wrongUse("this log has commitments: a message is found in it with its --salt only");
    return entryOfMessage(message, salt);
  }
  if (!extra) throw wrongUse("the proof has no entry with it: give --entry or --message");
  return extra;
}

function nonIssuance(bytes: Uint8Array, { device }: VerifyOptions, keys: LogKeys): Proved {
  const proof = decodeNonIssuance(bytes);
  const proved: NonIssued = verifyNonIssuance(proof, keys);
  const { ueid, fromSeconds, toSeconds, first, last, count } = proved;
  if (device && !sameBytes(device, ueid)) {
    throw new CliError(Exit.NOT_GOOD, `the proof is for another device, ${hex(ueid)}`);
  }
  return {
    exit: Exit.DONE,
    value: {
      kind: "non-issuance",
      ueid,
      fromSeconds,
      toSeconds,
      entriesBefore: count,
      first: headValue(first, keys),
      last: headValue(last, keys),
    },
    rows: [
      ["device", hex(ueid)],
      ["from", timeText(fromSeconds)],
      ["to", timeText(toSeconds)],
      ["before", count === 0 ? "nothing" : `${exactText(count)} of the log's entries`],
      ...headRows("first head", first, keys),
      ...headRows("last head", last, keys),
    ],
    verdict: "nothing was logged for the device in this time",
  };
}

function splitView(text: string, keys: LogKeys): Proved {
  const evidence = parseSplitView(text);
  const sizes = verifySplitView(evidence, keys.log);
  const heads = sizes.map((size) => `${exactText(size)} leaves`);
  return {
    exit: Exit.SPLIT_VIEW,
    value: { kind: "split-view", code: "log/split-view", origin: keys.log.name, sizes },
    rows: [
      ["log", plainText(keys.log.name)],
      ["heads", heads.join(" and ")],
    ],
    verdict: "the log signed two heads that contradict each other",
  };
}

function headRows(name: string, head: CosignedCheckpoint, keys: LogKeys): [string, string][] {
  return [
    [name, `${plainText(head.origin)}, ${exactText(head.size)} leaves, root ${hex(head.root)}`],
    ["cosigned by", cosignedText(head, keys)],
  ];
}
