/**
 * Follows the log of a verifier that is being struck, as a monitor does: every checkpoint that it is ever shown must be of
 * one tree that only grows, and every license that anyone is handed must be in it by then. Entries are read once: whatever
 * contradicts what was read before is a fault.
 */
import { type Checkpoint, openCheckpoint } from "../../host/log/checkpoint.ts";
import { decodeEntry } from "../../host/log/entry.ts";
import { LogError } from "../../host/log/errors.ts";
import { leafHash, verifyConsistency } from "../../host/log/merkle.ts";
import { type NoteKey, NoteType, noteKey } from "../../host/log/note.ts";
import { bundlePath, consistencyProof, decodeBundle, TILE_WIDTH, tilePath } from "../../host/log/tiles.ts";
import { sha256 } from "../../host/protocol/sha256.ts";
import { GrowingTree } from "../../host/service/checks/growing-tree.ts";
import { ORIGIN_DEFAULT } from "../../host/service/create.ts";
import { hexOf, sameBytes } from "../../host/verifier/bytes.ts";
import { PARTY_SIGNERS } from "../host/fake-governor.ts";
import type { Ledger } from "./ledger.ts";
import type { Services } from "./services.ts";

/** Of the log that `serveStore` keeps. */
const KEY: NoteKey = noteKey(ORIGIN_DEFAULT, NoteType.ED25519, PARTY_SIGNERS[0]!.publicKey);
const AGAIN_MS = 5;

export class LogWatch {
  readonly #services: Services;
  readonly #ledger: Ledger;
  readonly #tree = new GrowingTree();
  /** SHA-256 of messages, in hex. */
  readonly #messages = new Set<string>();
  /** Roots by size, of all heads that were seen. */
  readonly #heads = new Map<number, Uint8Array>();
  #newest: Checkpoint | undefined;
  #looking: Promise<unknown> = Promise.resolve();

  constructor(services: Services, ledger: Ledger) {
    this.#services = services;
    this.#ledger = ledger;
  }

  /** Heads that were seen, each of another size. */
  get heads(): number {
    return this.#heads.size;
  }

  get entries(): number {
    return this.#tree.size;
  }

  /** What was handed out just now: the head that any process shows from now on has it. */
  async covers(message: Uint8Array, what: string): Promise<void> {
    await this.look();
    if (!this.#messages.has(hexOf(sha256(message))))
      this.#ledger.faults.push(`${what}: it was handed out, and is in no published log`);
  }

  /** At what is published now: one look after the other, since each goes on from the one before. */
  look(): Promise<void> {
    const looking = this.#looking.then(() => this.#look());
    this.#looking = looking.catch(() => {});
    return looking;
  }

  async #look(): Promise<void> {
    const head = await this.#checkpoint();
    const known = this.#heads.get(head.size);
    if (known) {
      if (!sameBytes(known, head.root)) this.#ledger.faults.push(`two heads of ${head.size} entries`);
      return;
    }
    if (head.size < this.#tree.size) await this.#checkOlder(head);
    else await this.#follow(head);
    this.#heads.set(head.size, head.root);
    this.#newest = this.#newest && this.#newest.size > head.size ? this.#newest : head;
  }

  async #checkpoint(): Promise<Checkpoint> {
    const note = Buffer.from(await this.#get("checkpoint")).toString("utf8");
    try {
      return openCheckpoint(note, KEY);
    } catch (error) {
      if (error instanceof LogError) this.#ledger.faults.push(`a checkpoint: ${error.message}`);
      throw error;
    }
  }

  /** Another process may show an older head than one that was seen. */
  async #checkOlder(head: Checkpoint): Promise<void> {
    const newest = this.#newest!;
    const tile = (level: number, index: number, width: number) => this.#get(tilePath(level, index, width));
    const path = await consistencyProof({ tile }, head.size, newest.size);
    const isSame = verifyConsistency(head.size, newest.size, head.root, newest.root, path);
    if (!isSame) this.#ledger.faults.push(`a head of ${head.size} entries is not of the tree of ${newest.size}`);
  }

  async #follow(head: Checkpoint): Promise<void> {
    while (this.#tree.size < head.size) {
      const index = Math.floor(this.#tree.size / TILE_WIDTH);
      const begin = index * TILE_WIDTH;
      const width = Math.min(TILE_WIDTH, head.size - begin);
      const entries = decodeBundle(await this.#get(bundlePath(index, width)));
      for (const data of entries.slice(this.#tree.size - begin)) {
        this.#tree.push(leafHash(data));
        const entry = decodeEntry(data);
        if (entry.kind === "plain") this.#messages.add(hexOf(sha256(entry.message)));
      }
      this.#tree.takeFull();
    }
    const root = await this.#tree.root();
    if (!sameBytes(root, head.root))
      this.#ledger.faults.push(`the head of ${head.size} entries is not that of the entries`);
  }

  /** From any process, until one answers. */
  async #get(path: string): Promise<Uint8Array> {
    for (let index = 0; ; index += 1) {
      const { count } = this.#services;
      const answer = await this.#services.read(index % count, `/log/${path}`).catch(() => undefined);
      if (answer?.status === 200) return answer.body;
      if (this.#services.isClosed) throw new Error("the campaign is over");
      if (answer && answer.status !== 503) throw new Error(`/log/${path}: ${answer.status}`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
