/** Makes proofs from a mirror for `quiesce log prove`. */
import { writeFileSync } from "node:fs";
import { LogError } from "../log/errors.ts";
import { type CosignedCheckpoint, hasQuorum, type LogKeys } from "../log/log-keys.ts";
import { leafHash } from "../log/merkle.ts";
import type { Mirror } from "../log/mirror.ts";
import { proveNonIssuance, verifyNonIssuance } from "../log/non-issuance.ts";
import { encodeNonIssuance } from "../log/non-issuance-file.ts";
import { inclusionProof } from "../log/tiles.ts";
import { formatTlogProof, parseTlogProof, verifyTlogProof } from "../log/tlog-proof.ts";
import { sameBytes } from "../verifier/bytes.ts";
import type { ProveOptions } from "./commands/log-prove.ts";
import { wrongUse } from "./exit.ts";
import { checkNewFile } from "./input.ts";
import { entryOfMessage, mirrorOf, trustedOf } from "./log-input.ts";
import { entryView, headValue } from "./log-terms-view.ts";
import { exactText, timeText } from "./names.ts";
import { color, print, printJson } from "./output.ts";

interface Made {
  readonly bytes: Uint8Array;
  readonly value: Readonly<Record<string, unknown>>;
  readonly what: string;
}

/** Throws `CliError` for wrong use, and a `LogError` where there is nothing to prove. */
export async function prove(folder: string, options: ProveOptions, asJson: boolean): Promise<void> {
  const { keys, agreement } = trustedOf(options);
  const { out, nonIssuance } = options;
  if (out !== undefined) checkNewFile(out);
  else if (asJson || nonIssuance) throw wrongUse("where does the proof go? Give --out");
  const takesSalt = agreement?.log?.commitments === true;
  if (takesSalt && options.message !== undefined && !options.salt) {
    throw wrongUse("this log has commitments: a message is found in it with its --salt only");
  }
  const mirror = await mirrorOf(folder, keys);
  const { bytes, value, what } = nonIssuance
    ? await provedNonIssuance(mirror, options, keys)
    : await provedInclusion(mirror, options, keys);
  if (out === undefined) {
    print(Buffer.from(bytes).toString("utf8"));
    return;
  }
  writeFileSync(out, bytes, { flag: "wx" });
  if (asJson) printJson({ ok: true, file: out, bytes: bytes.length, ...value });
  else print(`${color.green("✓")} ${what}: ${out}, ${exactText(bytes.length)} bytes`);
}

async function provedNonIssuance(mirror: Mirror, options: ProveOptions, keys: LogKeys): Promise<Made> {
  const { device, from, to } = options;
  if (device === undefined || from === undefined || to === undefined) {
    throw wrongUse("non-issuance is of a device and a time: give --device, --from and --to");
  }
  const proof = await proveNonIssuance(mirror, keys, device, { fromSeconds: from, toSeconds: to });
  const { first, last, count } = verifyNonIssuance(proof, keys);
  return {
    bytes: encodeNonIssuance(proof),
    value: {
      kind: "non-issuance",
      ueid: device,
      fromSeconds: from,
      toSeconds: to,
      entriesBefore: count,
      first: headValue(first, keys),
      last: headValue(last, keys),
    },
    what: `nothing for the device from ${timeText(from)} to ${timeText(to)}`,
  };
}

async function provedInclusion(mirror: Mirror, options: ProveOptions, keys: LogKeys): Promise<Made> {
  const { message, leaf, salt, bare } = options;
  if (message === undefined && leaf === undefined) throw wrongUse("of what? Give --leaf, --message or --non-issuance");
  const wanted = message === undefined ? undefined : entryOfMessage(message, salt);
  const { index, entry } = await found(mirror, (at, bytes) => (wanted ? sameBytes(bytes, wanted) : at === leaf));
  const head = await cosignedHead(mirror, index, keys);
  const path = await inclusionProof(mirror, index, head.size);
  const text = formatTlogProof({ ...(!bare && { extra: entry }), index, path, checkpoint: head.note });
  verifyTlogProof(parseTlogProof(text), leafHash(entry), keys);
  const { text: what, value } = entryView(entry);
  return {
    bytes: Buffer.from(text),
    value: { kind: "inclusion", leaf: index, entry: value, checkpoint: headValue(head, keys) },
    what: `leaf ${exactText(index)} of ${exactText(head.size)}, ${what}`,
  };
}

async function found(
  mirror: Mirror,
  isIt: (index: number, bytes: Uint8Array) => boolean,
): Promise<{ index: number; entry: Uint8Array }> {
  for await (const { index, bytes } of mirror.leaves()) if (isIt(index, bytes)) return { index, entry: bytes };
  throw new LogError("log/inclusion", "the mirror has no such entry");
}

/** The newest head with the leaf that the quorum cosigned. */
async function cosignedHead(mirror: Mirror, index: number, keys: LogKeys): Promise<CosignedCheckpoint> {
  if (hasQuorum(mirror.head!, keys)) return mirror.head!;
  let newest: CosignedCheckpoint | undefined;
  for await (const head of mirror.history()) if (head.size > index && head.size <= mirror.size) newest = head;
  if (!newest)
    throw new LogError("log/witness-quorum", "the mirror has no head with this leaf that the quorum cosigned");
  return newest;
}
