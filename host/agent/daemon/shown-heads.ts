/**
 * What a verifier says that it knows of logs, as far as the logs themselves say so: of a head only the note is signed, and
 * what stands beside it is taken from there. docs/witness.md, "Gossip".
 */
import type { CircleClient } from "../../client/circle.ts";
import { ClientError } from "../../client/errors.ts";
import { openCheckpoint, ownNote } from "../../log/checkpoint.ts";
import { LogError } from "../../log/errors.ts";
import { HEADS_KEPT, type HeadSplit, type KnownHead, SPLITS_KEPT } from "../../log/heads.ts";
import { formatVkey, type NoteKey } from "../../log/note.ts";
import { verifySplitView } from "../../log/split-view.ts";
import type { HeadsView, HeadView } from "../../service/service.ts";
import { sameBytes } from "../../verifier/bytes.ts";

export interface ShownHeads {
  readonly heads: readonly KnownHead[];
  /** Each proves itself. */
  readonly splitViews: readonly HeadSplit[];
  /** Why the rest is left out: what its log did not sign, or what is called otherwise than it was signed. */
  readonly failure: ClientError | undefined;
}

/**
 * Of these logs; what is said of others is left alone. Rejects as the client does, and with `client/answer` for more heads
 * than a verifier keeps of so many logs: who floods its askers is not read.
 */
export async function headsOf(client: Pick<CircleClient, "logHeads">, logs: readonly NoteKey[]): Promise<ShownHeads> {
  const view = await client.logHeads();
  const { length } = logs;
  if (view.heads.length > length * (1 + HEADS_KEPT.unlinked) || view.splitViews.length > length * SPLITS_KEPT) {
    throw new ClientError("client/answer", `more heads than a verifier keeps of ${length} logs`);
  }
  let failure: ClientError | undefined;
  const opened = <S extends { readonly log: string }, T>(all: readonly S[], open: (one: S, key: NoteKey) => T): T[] =>
    all.flatMap((one) => {
      const key = logs.find((log) => formatVkey(log) === one.log);
      if (!key) return [];
      try {
        return [open(one, key)];
      } catch (error) {
        if (!(error instanceof LogError || error instanceof ClientError)) throw error;
        failure ??= new ClientError("client/answer", `a head of ${key.name}: ${error.message}`, { cause: error });
        return [];
      }
    });
  const heads = opened(view.heads, headOf);
  const splitViews = opened(view.splitViews, splitOf);
  return { heads, splitViews, failure };
}

/** Throws what `openCheckpoint` throws, and a `ClientError`. */
function headOf(said: HeadView, key: NoteKey): KnownHead {
  checkOrigin(said.origin, key);
  return { log: said.log, isLinked: said.isLinked, ...checked(said.note, said, key) };
}

/** Throws as `headOf`, and a `LogError` where the two do not contradict each other. */
function splitOf(said: HeadsView["splitViews"][number], key: NoteKey): HeadSplit {
  const { log, proof } = said;
  checkOrigin(said.origin, key);
  const first = checked(said.note, said, key);
  const second = checked(said.otherNote, { size: said.otherSize, root: said.otherRoot }, key);
  verifySplitView({ first: first.note, second: second.note, ...(proof && { proof }) }, key);
  return { log, ...first, otherSize: second.size, otherRoot: second.root, otherNote: second.note, proof };
}

/** As it was signed, without what strangers wrote below it. */
function checked(
  note: string,
  said: Pick<KnownHead, "size" | "root">,
  key: NoteKey,
): Pick<KnownHead, "size" | "root" | "note"> {
  const checkpoint = openCheckpoint(note, key);
  const { size, root } = checkpoint;
  if (size !== said.size || !sameBytes(root, said.root)) mislabeled(`the note is of ${size} leaves or another root`);
  return { size, root, note: ownNote(checkpoint, [key]) };
}

function checkOrigin(origin: string, { name }: NoteKey): void {
  if (origin !== name) mislabeled("it has another origin");
}

function mislabeled(what: string): never {
  throw new ClientError("client/answer", what);
}
