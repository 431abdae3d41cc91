/** The agent as a daemon: finds boards, keeps each going, hears what verifiers tell all of them, and says how it stands. */
import { join } from "node:path";
import type { Logger } from "pino";
import type { Circle, CircleMember } from "../../client/circle.ts";
import { originOf } from "../../log/heads.ts";
import type { MemoryHeads } from "../../log/memory-heads.ts";
import type { NoteKey } from "../../log/note.ts";
import { StoreError } from "../../store/errors.ts";
import { FolderLock } from "../../store/sqlite/folder-lock.ts";
import type { BoardDriver } from "../driver.ts";
import { AgentError } from "../errors.ts";
import { type Failure, failureOf } from "../outcome.ts";
import { SocketDriver } from "../socket-driver.ts";
import { BoardKeeper } from "./board-keeper.ts";
import type { AgentConfig } from "./config.ts";
import { connect, saysWhoItIs } from "./connections.ts";
import { Feed } from "./feed.ts";
import { HeadExchange } from "./head-exchange.ts";
import { readHeads, writeHeads } from "./heads-file.ts";
import { OutcomeLog } from "./log.ts";
import { Sleeper } from "./sleeper.ts";
import { type AgentStatus, logStatus, STATUS_EVERY_MS, statusError, writeStatus } from "./status.ts";

export interface DaemonOptions {
  readonly log: Logger;
  /** What mistakes in the configuration call it. */
  readonly file: string;
  readonly random?: () => number;
}

/** Changes are written at most so often. */
const STATUS_LOOK_MS = 500;

export class AgentDaemon {
  readonly #config: AgentConfig;
  readonly #lock: FolderLock;
  readonly #circle: Circle;
  readonly #feed: Feed;
  readonly #heads: HeadExchange;
  readonly #driver: BoardDriver;
  readonly #outcomes: OutcomeLog;
  readonly #random: () => number;
  readonly #keepers = new Map<string, BoardKeeper>();
  /** Who has the board with this UEID. */
  readonly #claims = new Map<string, BoardKeeper>();
  readonly #sleeper = new Sleeper();
  readonly #startedMs = Date.now();
  #loops: Promise<unknown> = Promise.resolve();
  #failure: Failure | undefined;
  #areHeadsNew = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    config: AgentConfig,
    lock: FolderLock,
    circle: Circle,
    heads: MemoryHeads,
    { log, random }: DaemonOptions,
  ) {
    this.#config = config;
    this.#lock = lock;
    this.#circle = circle;
    this.#outcomes = new OutcomeLog(log);
    this.#random = random ?? Math.random;
    this.#heads = new HeadExchange({
      members: circle.members,
      shelf: heads,
      onSplit: (view) => this.#outcomes.splitView(originOf(view.log), view),
      onChange: () => {
        this.#areHeadsNew = true;
      },
    });
    this.#driver = new SocketDriver(config.boards.sockets, { timeoutMs: config.boards.timeoutSeconds * 1000 });
    this.#feed = new Feed(circle, {
      pollMs: config.pollSeconds * 1000,
      onChange: (isBack) => {
        for (const keeper of this.#keepers.values()) keeper.feedChanged(isBack);
      },
      onFailure: (name, failure) => {
        if (!this.#sleeper.isOver) this.#outcomes.verifier(name, failure);
      },
      onFault: (error) => this.#outcomes.fault({}, error),
      onAsked: (member, logs, signal) => this.#exchange(member, logs, signal),
      random: this.#random,
    });
  }

  /** Has the state folder to itself from then on. Throws an `AgentError` and a `ConfigError`. */
  static async open(config: AgentConfig, options: DaemonOptions): Promise<AgentDaemon> {
    const lock = lockOf(config.state);
    try {
      const heads = await readHeads(config.state);
      return new AgentDaemon(config, lock, await connect(config, options.file), heads, options);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  start(): void {
    this.#feed.start();
    this.#loops = Promise.all([this.#findBoards(), this.#keepStatus()]);
  }

  /** Gives up what is on the way; what must not be lost is on the disk. */
  async stop(): Promise<void> {
    this.#sleeper.stop();
    const ending = [this.#feed.stop(), ...[...this.#keepers.values()].map((keeper) => keeper.stop())];
    await this.#circle.close();
    await Promise.all(ending);
    await this.#loops;
    this.#lock.release();
  }

  status(): AgentStatus {
    const nowMs = Date.now();
    return {
      version: 1,
      pid: process.pid,
      startedMs: this.#startedMs,
      writtenMs: nowMs,
      everyMs: STATUS_EVERY_MS,
      error: statusError(this.#failure),
      boards: [...this.#keepers.values()].map((keeper) => keeper.status(nowMs)),
      verifiers: this.#config.verifiers.map(({ name, url }) => {
        const { isListening, lastContactMs, failure, eventsFailure, headsFailure } = this.#feed.states.get(name)!;
        const error = statusError(failure ?? eventsFailure ?? headsFailure);
        return { name, url, isListening, lastContactMs, error };
      }),
      log: logStatus(this.#heads.shelf),
    };
  }

  async #exchange(member: CircleMember, logs: readonly NoteKey[], signal: AbortSignal): Promise<void> {
    try {
      await this.#heads.exchange(member, logs, signal);
    } finally {
      // One after the other: there is one file, and several verifiers are asked at a time.
      this.#writing = this.#writing.then(() => this.#writeHeads());
      await this.#writing;
    }
  }

  /** Rejects with nothing. */
  async #writeHeads(): Promise<void> {
    if (!this.#areHeadsNew) return;
    this.#areHeadsNew = false;
    try {
      await writeHeads(this.#config.state, this.#heads.shelf);
    } catch (error) {
      // They are written with the next ones.
      this.#areHeadsNew = true;
      this.#outcomes.fault({ file: "heads" }, error);
    }
  }

  async #findBoards(): Promise<void> {
    while (!this.#sleeper.isOver) {
      try {
        for (const name of await this.#driver.list()) if (!this.#keepers.has(name)) this.#keep(name);
        this.#failure = undefined;
      } catch (error) {
        this.#failure = failureOf(error);
        if (!this.#failure) this.#outcomes.fault({}, error);
      }
      await this.#sleeper.sleep(this.#config.boards.everySeconds * 1000);
    }
  }

  #keep(name: string): void {
    if (this.#sleeper.isOver) return;
    const { registration } = this.#config;
    const keeper = new BoardKeeper(name, {
      driver: this.#driver,
      circle: this.#circle,
      feed: this.#feed,
      config: this.#config,
      folder: join(this.#config.state, "boards"),
      registrationFor: (verifier) => (saysWhoItIs(this.#config, verifier) ? registration : undefined),
      claim: (ueid, claimant) => this.#claim(ueid, claimant),
      onOutcome: (board, task, outcome) => {
        // What is given up at the end is no failure.
        if (!this.#sleeper.isOver) this.#outcomes.take(board, task, outcome);
      },
      onFault: (board, task, error) => this.#outcomes.fault({ board, task }, error),
      random: this.#random,
    });
    this.#keepers.set(name, keeper);
    keeper.start();
  }

  #claim(ueid: string, claimant: BoardKeeper): boolean {
    const holder = this.#claims.get(ueid);
    if (holder !== undefined && holder !== claimant) return false;
    for (const [other, keeper] of this.#claims) if (keeper === claimant) this.#claims.delete(other);
    this.#claims.set(ueid, claimant);
    return true;
  }

  async #keepStatus(): Promise<void> {
    let written = "";
    let writtenMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      const status = this.status();
      const text = JSON.stringify({ ...status, writtenMs: 0 });
      if (text !== written || status.writtenMs - writtenMs >= STATUS_EVERY_MS) {
        try {
          await writeStatus(this.#config.state, status);
          written = text;
          writtenMs = status.writtenMs;
        } catch (error) {
          this.#outcomes.fault({ file: "status" }, error);
        }
      }
      if (this.#sleeper.isOver) return;
      await this.#sleeper.sleep(STATUS_LOOK_MS);
    }
  }
}

function lockOf(folder: string): FolderLock {
  try {
    return new FolderLock(folder);
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    throw new AgentError(cause.code === "store/locked" ? "agent/locked" : "agent/state", folder, { cause });
  }
}
