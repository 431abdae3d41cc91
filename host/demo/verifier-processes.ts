/**
 * One verifier process for each party, each with a folder of its own below a temporary one: started together, watched,
 * and stopped with everything that they kept. Whatever ends this program ends them; only SIGKILL leaves their folders.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SyncVerifiers } from "../client/sync.ts";
import type { Founding } from "./founding.ts";
import { type ReachableVerifier, RemoteVerifiers, syncVerifiers } from "./remote-verifiers.ts";
import { makeVerifierFolder } from "./verifier-folder.ts";
import type { Verifiers } from "./verifiers.ts";

/**
 * The party at whose verifier the time authority lives. Beacons name the newest order that their verifier knows: here an
 * inspectorate's pause is in the next one, whatever the other parties do with it.
 */
const TIME_KEEPER = "Inspectorate";
const PROGRAM = fileURLToPath(new URL("./serve-verifier.mjs", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 3_000;
const POLL_MS = 50;
/** The smallest `sun_path` there is, less its end. */
const SOCKET_PATH_BYTES_MAX = 103;
const LAST_WORDS_CHARACTERS_MAX = 4_096;
/** What of this program's environment is about verifiers of the user's own. */
const PRIVATE_VARIABLE = /^(?:QUIESCE_|DATABASE_URL$)/;

/** A verifier process is not there as it should be. */
class VerifierProcessError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "VerifierProcessError";
  }
}

type Watched = ReachableVerifier & {
  readonly child: ChildProcess;
  /** How it ended, once it has. */
  ended?: string;
  /** The end of what it wrote to stderr. */
  lastWords: string;
};

export type StartOptions = {
  /** Called meanwhile: may end it by what it throws. */
  check?: () => void;
  /** Where their folders go. Default: where the system has temporary ones. */
  below?: string | undefined;
};

export class VerifierProcesses {
  readonly #folder: string;
  readonly #verifiers: Watched[] = [];
  readonly #atExit = () => this.#destroy();
  #sync: SyncVerifiers | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    process.once("exit", this.#atExit);
  }

  /** Resolves when all of them serve. */
  static async start(
    founding: Founding,
    measurement: Uint8Array,
    { check = () => {}, below = tmpdir() }: StartOptions = {},
  ): Promise<VerifierProcesses> {
    const processes = new VerifierProcesses(mkdtempSync(join(below, "quiesce-demo-")));
    try {
      await processes.#start(founding, measurement, check);
      return processes;
    } catch (error) {
      await processes.stop();
      throw error;
    }
  }

  get pids(): readonly number[] {
    return this.#verifiers.map(({ child }) => child.pid!);
  }

  /** For a story whose agreement time in ms is `clock`. */
  connect(clock: () => number): Verifiers {
    const hosts = this.#verifiers.map(({ host }) => host);
    return new RemoteVerifiers(this.#sync!, hosts, clock);
  }

  /** Throws `VerifierProcessError` if one of them has ended. That is seen after a turn of the event loop only. */
  check(): void {
    for (const { host, ended, lastWords } of this.#verifiers) {
      if (ended === undefined) continue;
      const reason = reasonIn(lastWords);
      throw new VerifierProcessError(`the verifier of ${host.name} has ended (${ended})${reason && `: ${reason}`}`);
    }
  }

  /** Removes the folders too. */
  async stop(): Promise<void> {
    await this.#sync?.close();
    await Promise.all(this.#verifiers.map(stopProcess));
    process.off("exit", this.#atExit);
    this.#destroy();
  }

  async #start(founding: Founding, measurement: Uint8Array, check: () => void): Promise<void> {
    for (const { name } of founding.parties) {
      const host = { name, parties: [name], tellsTime: name === TIME_KEEPER };
      const folder = join(this.#folder, name.toLowerCase());
      const { configFile, ...reachable } = await makeVerifierFolder(folder, host, founding, measurement);
      if (Buffer.byteLength(reachable.socketPath) > SOCKET_PATH_BYTES_MAX) {
        throw new VerifierProcessError(`${folder} is too long a path for a socket: set TMPDIR to another folder`);
      }
      this.#verifiers.push(startProcess({ host, ...reachable }, configFile));
      check();
    }
    this.#sync = syncVerifiers(this.#verifiers);
    this.#sync.start();
    const lateMs = performance.now() + START_TIMEOUT_MS;
    for (const verifier of this.#verifiers) await this.#untilReady(verifier, lateMs, check);
  }

  async #untilReady({ host, socketPath }: Watched, lateMs: number, check: () => void): Promise<void> {
    while (!(await isReady(socketPath))) {
      check();
      this.check();
      if (performance.now() > lateMs) {
        throw new VerifierProcessError(`the verifier of ${host.name} does not serve after ${START_TIMEOUT_MS} ms`);
      }
      await sleep(POLL_MS);
    }
  }

  #destroy(): void {
    for (const { child, ended } of this.#verifiers) if (ended === undefined) child.kill("SIGKILL");
    // One that was killed may still be at its last write.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }
}

function startProcess(verifier: ReachableVerifier, configFile: string): Watched {
  const environment = Object.entries(process.env).filter(([name]) => !PRIVATE_VARIABLE.test(name));
  const child = spawn(process.execPath, [PROGRAM, "verifier", "serve", "--config", configFile], {
    env: Object.fromEntries(environment),
    // The end of its stdin tells it that this program is gone. Its log goes to stdout, and nobody reads it.
    stdio: ["pipe", "ignore", "pipe"],
    // A Control-C at the terminal is for this program, which stops them.
    detached: true,
  });
  const watched: Watched = { ...verifier, child, lastWords: "" };
  child.stderr!.on("data", (chunk) => {
    watched.lastWords = `${watched.lastWords}${chunk}`.slice(-LAST_WORDS_CHARACTERS_MAX);
  });
  child.once("error", (error) => {
    watched.ended = error.message;
  });
  child.once("close", (code, signal) => {
    watched.ended = signal ?? `exit code ${code}`;
  });
  return watched;
}

/** The line that a command ends with, else one that names an error, else the last. */
function reasonIn(lastWords: string): string {
  const lines = lastWords.trim().split("\n");
  const said = lines.findLast((line) => line.startsWith("quiesce: ")) ?? lines.findLast((line) => /Error\b/.test(line));
  return (said ?? lines.at(-1)!).replace(/^quiesce: /, "");
}

/** Asks it to stop, and after a while no more. */
async function stopProcess({ child, ended }: Watched): Promise<void> {
  if (ended !== undefined) return;
  const gone = once(child, "close");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  child.kill("SIGTERM");
  await gone;
  clearTimeout(late);
}

/** Whether it answers, and its store too. */
function isReady(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/readyz", timeout: START_TIMEOUT_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("error", () => resolve(false));
    asked.end();
  });
}
