/**
 * Gossip between verifiers that may never meet: what one says of the agreements' logs is shown to the others, and all of it
 * is compared here too. A log that shows two histories is found by the first agent that stands between. docs/witness.md.
 */
import type { CircleClient } from "../../client/circle.ts";
import { ClientError } from "../../client/errors.ts";
import { formatAddCheckpoint } from "../../log/add-checkpoint.ts";
import { LogError } from "../../log/errors.ts";
import { type HeadLink, type HeadSplit, type KnownHead, linkByTiles, offerHead } from "../../log/heads.ts";
import { MemoryHeads } from "../../log/memory-heads.ts";
import { formatVkey, type NoteKey } from "../../log/note.ts";
import { verifySplitView } from "../../log/split-view.ts";
import type { HeadAnswer } from "../../service/service.ts";
import { VerifierError } from "../../verifier/errors.ts";

type HeadClient = Pick<CircleClient, "logHeads" | "logTile" | "offerLogHead">;

/** A verifier, by its name in the circle. */
interface HeadMember {
  readonly name: string;
  readonly client: HeadClient;
}

export interface HeadExchangeOptions {
  readonly members: readonly HeadMember[];
  /** What was known before; default nothing. */
  readonly shelf?: MemoryHeads;
  /** Told once of each. */
  readonly onSplit: (view: HeadSplit) => void;
  /** When something is new. */
  readonly onChange?: () => void;
}

/** Heads that a verifier need not be shown again: as many are remembered. */
const SHOWN_MAX = 4_096;

export class HeadExchange {
  readonly shelf: MemoryHeads;
  readonly #options: HeadExchangeOptions;
  readonly #shown = new Set<string>();
  /** Whose tiles were last of a log's tree, by its vkey. */
  readonly #keepers = new Map<string, HeadMember>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: HeadExchangeOptions) {
    this.#options = options;
    this.shelf = options.shelf ?? new MemoryHeads();
  }

  /**
   * Asks one for the heads that it knows of, and shows them to the others. `logs`: of the agreements. Who does not answer
   * is asked again next time. Rejects with faults alone.
   */
  exchange(member: HeadMember, logs: readonly NoteKey[]): Promise<void> {
    if (logs.length === 0) return Promise.resolve();
    // One after the other: what is compared must not change meanwhile.
    const turn = this.#running.then(() => quietly(() => this.#ask(member, logs)));
    this.#running = turn.catch(() => {});
    return turn;
  }

  async #ask({ name, client }: HeadMember, logs: readonly NoteKey[]): Promise<void> {
    const { heads, splitViews } = await client.logHeads();
    for (const view of splitViews) await this.#takeSplit(view, logs);
    for (const head of heads) {
      if (!logs.some((key) => formatVkey(key) === head.log)) continue;
      await quietly(() => this.#compare(head, logs));
      this.#noteShown(name, head);
      for (const other of this.#options.members) {
        if (other.name !== name) await quietly(() => this.#show(other, head, logs));
      }
    }
  }

  /** With what is known here. */
  async #compare(head: KnownHead, logs: readonly NoteKey[]): Promise<void> {
    const before = this.shelf.splits.length;
    const outcome = await offerHead(this.shelf, logs, head.note);
    if (outcome.kind === "older" || outcome.kind === "unlinked") {
      const [small, large] = outcome.kind === "older" ? [head, outcome.newest] : [outcome.newest, head];
      const link = await this.#link(head.log, small.size, large);
      if (link) await offerHead(this.shelf, logs, large.note, link);
    }
    if (outcome.kind !== "known") this.#options.onChange?.();
    for (const view of this.shelf.splits.slice(before)) this.#options.onSplit(view);
  }

  /** To a verifier that was not shown it, with a path where it wants one. */
  async #show(other: HeadMember, head: KnownHead, logs: readonly NoteKey[]): Promise<void> {
    if (this.#shown.has(shownText(other.name, head))) return;
    const { client } = other;
    let answer = await client.offerLogHead(textOf(head));
    if (answer.outcome === "unlinked") {
      const link = await this.#link(head.log, answer.size, head);
      if (link) answer = await client.offerLogHead(textOf(head, link));
    } else if (answer.outcome === "older") {
      answer = await this.#showNewest(client, head, answer);
    }
    this.#noteShown(other.name, head);
    if (answer.outcome !== "split-view") return;
    const { splitViews } = await client.logHeads();
    for (const view of splitViews) await this.#takeSplit(view, logs);
  }

  /** Its own newest head with the path from one that it has not seen until now. */
  async #showNewest(client: HeadClient, head: KnownHead, answer: HeadAnswer): Promise<HeadAnswer> {
    const { heads } = await client.logHeads();
    const newest = heads.find(({ log, isLinked, size }) => log === head.log && isLinked && size > head.size);
    const link = newest && (await this.#link(head.log, head.size, newest));
    return link ? client.offerLogHead(textOf(newest, link)) : answer;
  }

  /** By the tiles of whoever has such a tree: they prove themselves. */
  async #link(log: string, oldSize: number, head: KnownHead): Promise<HeadLink | undefined> {
    const known = this.#keepers.get(log);
    for (const member of new Set([...(known ? [known] : []), ...this.#options.members])) {
      const { client } = member;
      const source = {
        tile: (level: number, index: number, width: number) => client.logTile({ level, index, width }),
      };
      try {
        const link = await linkByTiles(source, oldSize, head);
        if (!link) continue;
        this.#keepers.set(log, member);
        return link;
      } catch (error) {
        if (!isOfOthers(error)) throw error;
      }
    }
    return undefined;
  }

  /** Nobody is believed: the two heads have to prove it. */
  async #takeSplit(view: HeadSplit, logs: readonly NoteKey[]): Promise<void> {
    const key = logs.find((one) => formatVkey(one) === view.log);
    if (!key) return;
    await quietly(async () => {
      verifySplitView({ first: view.note, second: view.otherNote, ...(view.proof && { proof: view.proof }) }, key);
      const before = this.shelf.splits.length;
      await this.shelf.putSplit(view);
      if (this.shelf.splits.length === before) return;
      this.#options.onChange?.();
      this.#options.onSplit(view);
    });
  }

  #noteShown(name: string, head: KnownHead): void {
    if (this.#shown.size >= SHOWN_MAX) this.#shown.clear();
    this.#shown.add(shownText(name, head));
  }
}

function shownText(name: string, { log, size, root }: KnownHead): string {
  return `${name}\n${log}\n${size}\n${Buffer.from(root).toString("hex")}`;
}

function textOf({ note }: KnownHead, { oldSize, proof }: HeadLink = { oldSize: 0, proof: [] }): string {
  return formatAddCheckpoint({ note, oldSize, proof });
}

/** What others say and how they fail is no fault here: they are asked again. */
async function quietly(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isOfOthers(error)) throw error;
  }
}

function isOfOthers(error: unknown): boolean {
  return error instanceof LogError || error instanceof ClientError || error instanceof VerifierError;
}
