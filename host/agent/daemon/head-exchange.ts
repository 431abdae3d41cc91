/**
 * Gossip between verifiers that may never meet: what one says of the agreements' logs is shown to the others, and all of it
 * is compared here too. A log that shows two histories is found by the first agent that stands between. docs/witness.md.
 */
import type { CircleClient } from "../../client/circle.ts";
import { ClientError } from "../../client/errors.ts";
import { formatAddCheckpoint } from "../../log/add-checkpoint.ts";
import { LogError } from "../../log/errors.ts";
import {
  type HeadLink,
  type HeadOutcome,
  type HeadSplit,
  type KnownHead,
  linkByTiles,
  offerHead,
} from "../../log/heads.ts";
import { MemoryHeads } from "../../log/memory-heads.ts";
import type { NoteKey } from "../../log/note.ts";
import type { HeadAnswer } from "../../service/service.ts";
import { VerifierError } from "../../verifier/errors.ts";
import { headsOf } from "./shown-heads.ts";

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

/** One exchange. */
interface Round {
  readonly logs: readonly NoteKey[];
  readonly signal: AbortSignal | undefined;
  /** Who did not answer in it: they are left alone until the next one, or each head would wait for them anew. */
  readonly away: Set<HeadMember>;
}

/** Heads that a verifier need not be shown again: as many are remembered. */
const SHOWN_MAX = 4_096;

export class HeadExchange {
  readonly shelf: MemoryHeads;
  readonly #options: HeadExchangeOptions;
  readonly #shown = new Set<string>();
  /** Whose tiles were last of a log's tree, by its vkey. */
  readonly #keepers = new Map<string, HeadMember>();
  #judging: Promise<unknown> = Promise.resolve();

  constructor(options: HeadExchangeOptions) {
    this.#options = options;
    this.shelf = options.shelf ?? new MemoryHeads();
  }

  /**
   * Asks one for the heads that it knows of, and shows them to the others. `logs`: of the agreements. Verifiers may be
   * asked at a time: none waits for another. Rejects as the verifier that is asked fails, with `client/answer` for one that
   * says more than any keeps or what the log did not sign, and with faults; how the others fail is no matter here, they are asked as well. Ends at the
   * next answer after the signal.
   */
  async exchange(member: HeadMember, logs: readonly NoteKey[], signal?: AbortSignal): Promise<void> {
    if (logs.length === 0) return;
    const round: Round = { logs, signal, away: new Set() };
    const { heads, splitViews, failure } = await headsOf(member.client, logs);
    for (const view of splitViews) await this.#takeSplit(view);
    for (const head of heads) {
      if (signal?.aborted) return;
      // What was not taken here is no head of the log, and nobody is troubled with it.
      if (await quietly(() => this.#compare(head, round))) await this.#showOthers(member, head, round);
    }
    // What it says besides counts all the same.
    if (failure) throw failure;
  }

  async #showOthers(member: HeadMember, head: KnownHead, round: Round): Promise<void> {
    this.#noteShown(member.name, head);
    for (const other of this.#options.members) {
      if (other.name === member.name || round.away.has(other)) continue;
      await quietly(() => noteAway(other, round, () => this.#show(other, head, round)));
    }
  }

  /** With what is known here. */
  async #compare(head: KnownHead, round: Round): Promise<void> {
    const outcome = await this.#offer(head, round);
    if (outcome.kind !== "older" && outcome.kind !== "unlinked") return;
    const [small, large] = outcome.kind === "older" ? [head, outcome.newest] : [outcome.newest, head];
    await quietly(async () => {
      const link = await this.#link(head.log, small.size, large, round);
      if (link) await this.#offer(large, round, link);
    });
  }

  /** One after the other: what is compared must not change meanwhile. Nothing in it waits for anyone. */
  #offer(head: KnownHead, { logs }: Round, link?: HeadLink): Promise<HeadOutcome> {
    const turn = this.#judging.then(async () => {
      const before = this.shelf.splits.length;
      const outcome = await offerHead(this.shelf, logs, head.note, link);
      if (outcome.kind !== "known" || link) this.#options.onChange?.();
      for (const view of this.shelf.splits.slice(before)) this.#options.onSplit(view);
      return outcome;
    });
    this.#judging = turn.catch(() => {});
    return turn;
  }

  /** To a verifier that was not shown it, with a path where it wants one. */
  async #show(other: HeadMember, head: KnownHead, round: Round): Promise<void> {
    if (this.#shown.has(shownText(other.name, head))) return;
    const { client } = other;
    let answer = await client.offerLogHead(textOf(head));
    if (answer.outcome === "unlinked") {
      const link = await this.#link(head.log, answer.size, head, round);
      if (link) answer = await client.offerLogHead(textOf(head, link));
    } else if (answer.outcome === "older") {
      answer = await this.#showNewest(other, head, answer, round);
    }
    this.#noteShown(other.name, head);
    if (answer.outcome !== "split-view") return;
    const { splitViews } = await headsOf(client, round.logs);
    for (const view of splitViews) await this.#takeSplit(view);
  }

  /** Its own newest head with the path from one that it has not seen until now. */
  async #showNewest(other: HeadMember, head: KnownHead, answer: HeadAnswer, round: Round): Promise<HeadAnswer> {
    const { heads } = await headsOf(other.client, round.logs);
    const newest = heads.find(({ log, isLinked, size }) => log === head.log && isLinked && size > head.size);
    const link = newest && (await this.#link(head.log, head.size, newest, round));
    return link ? other.client.offerLogHead(textOf(newest, link)) : answer;
  }

  /** By the tiles of whoever has such a tree: they prove themselves. */
  async #link(log: string, oldSize: number, head: KnownHead, round: Round): Promise<HeadLink | undefined> {
    const known = this.#keepers.get(log);
    for (const member of new Set([...(known ? [known] : []), ...this.#options.members])) {
      if (round.away.has(member) || round.signal?.aborted) continue;
      const { client } = member;
      const source = {
        tile: (level: number, index: number, width: number) => client.logTile({ level, index, width }),
      };
      let link: HeadLink | undefined;
      await quietly(() =>
        noteAway(member, round, async () => {
          link = await linkByTiles(source, oldSize, head);
        }),
      );
      if (!link) continue;
      this.#keepers.set(log, member);
      return link;
    }
    return undefined;
  }

  /** One that proves itself. */
  async #takeSplit(view: HeadSplit): Promise<void> {
    const before = this.shelf.splits.length;
    await this.shelf.putSplit(view);
    if (this.shelf.splits.length === before) return;
    this.#options.onChange?.();
    this.#options.onSplit(view);
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

/** Whoever was not reached, or gave an answer that is none, is away for the rest of the round. */
async function noteAway(member: HeadMember, { away }: Round, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ClientError) away.add(member);
    throw error;
  }
}

/** Whether it was done. What others say and how they fail is no fault here: they are asked again. */
async function quietly(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isOfOthers(error)) throw error;
    return false;
  }
}

function isOfOthers(error: unknown): boolean {
  return error instanceof LogError || error instanceof ClientError || error instanceof VerifierError;
}
