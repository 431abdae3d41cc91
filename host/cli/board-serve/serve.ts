/** Runs simulated boards in real time for `quiesce board serve`, until a signal ends it. */
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { accelerator } from "../../../sim-board/accelerators.ts";
import { Random } from "../../../sim-board/random.ts";
import type { Workload } from "../../../sim-board/workloads/types.ts";
import type { VerifierClient } from "../../client/client.ts";
import { makeFolder } from "../../make-folder.ts";
import { ed25519Signer, type Signer } from "../../protocol/cose.ts";
import { wrongUse } from "../exit.ts";
import { loadGovernor } from "../firmware.ts";
import { color, hex, print, printJson } from "../output.ts";
import { chooseWorkload, type WorkloadOptions } from "../workload.ts";
import { type AgreementClock, fastClock, wallClock } from "./agreement-clock.ts";
import { BoardServer } from "./board-server.ts";
import { SimulatedBoard } from "./simulated-board.ts";

export type ServeOptions = WorkloadOptions & {
  socket: string;
  seed: number;
  boards: number;
  speed: number;
  tickHz: number;
  state?: string;
  manufacturer?: string;
  setClock?: string[];
  tokenFile?: string;
};

/** Between two looks at the clock. */
const QUANTUM_MS = 50;
/** A plain crystal is off by so much at most, fast or slow. */
const DRIFT_PPM_MAX = 20;
const SEED_HEX = /^[0-9a-f]{64}\s*$/i;
const FOLDER_MODE = 0o700;

export async function serveBoards(options: ServeOptions, asJson: boolean): Promise<void> {
  const workload = options.trace === undefined && options.workload === undefined ? undefined : chooseWorkload(options);
  const manufacturer = manufacturerOf(options);
  const verifiers = await verifiersOf(options);
  const clock = await clockOf(options, verifiers);
  const site = new Site(options, workload, manufacturer, clock, verifiers);
  await site.listen();
  const stopped = untilSignal();
  const facts = site.facts();
  if (asJson) printJson(facts);
  else printFacts(facts);
  try {
    await Promise.race([stopped, site.run()]);
  } finally {
    await site.close();
  }
}

class Site {
  readonly #boards: readonly SimulatedBoard[];
  readonly #paths: readonly string[];
  readonly #manufacturer: Signer;
  readonly #measurement: Uint8Array;
  readonly #clock: AgreementClock;
  readonly #verifiers: readonly VerifierClient[];
  readonly #servers: BoardServer[] = [];
  #isOver = false;
  /** While verifiers are told the time, nobody is answered: both ends would live in two times. */
  #told: Promise<void> = Promise.resolve();

  constructor(
    options: ServeOptions,
    workload: Workload | undefined,
    manufacturer: Signer,
    clock: AgreementClock,
    verifiers: readonly VerifierClient[],
  ) {
    const image = loadGovernor();
    const startMs = clock.now();
    this.#clock = clock;
    this.#verifiers = verifiers;
    this.#manufacturer = manufacturer;
    this.#measurement = image.sha256;
    this.#paths = pathsOf(options);
    if (options.state !== undefined) makeOwnFolder(options.state);
    this.#boards = this.#paths.map((path) => {
      const name = basename(path, ".sock");
      const drift = new Random(`${options.seed}/${name}`).stream("drift").below(2 * DRIFT_PPM_MAX + 1) - DRIFT_PPM_MAX;
      return new SimulatedBoard({
        name,
        seed: options.seed,
        board: {
          image,
          chip: workload && accelerator(workload.accelerator),
          tickHz: options.tickHz,
          drift: { model: "constant", ppm: drift },
          startSeconds: Math.floor(startMs / 1000),
        },
        workload,
        statePath: options.state && join(options.state, `${name}.json`),
        startMs,
      });
    });
  }

  async listen(): Promise<void> {
    for (const [index, board] of this.#boards.entries()) {
      const path = this.#paths[index]!;
      const endorsement = join(dirname(path), `${board.name}.endorsement.cbor`);
      writeWhole(endorsement, board.endorsement(this.#manufacturer));
      this.#servers.push(await BoardServer.listen(path, (request) => this.#answer(board, request)));
    }
    writeWhole(
      join(dirname(this.#paths[0]!), "manufacturer.hex"),
      Buffer.from(`${hex(this.#manufacturer.publicKey)}\n`),
    );
  }

  facts() {
    return {
      boards: this.#boards.map(({ name, ueid }, i) => ({ name, ueid: hex(ueid), socket: this.#paths[i]! })),
      manufacturer: { publicKey: hex(this.#manufacturer.publicKey), kid: hex(this.#manufacturer.kid) },
      measurement: hex(this.#measurement),
      agreementMs: this.#clock.now(),
    };
  }

  /** Lets time pass until the site is closed; ends early only by a fault. */
  async run(): Promise<void> {
    while (!this.#isOver) {
      await new Promise((resolve) => setTimeout(resolve, QUANTUM_MS));
      if (this.#isOver) return;
      const nowMs = this.#clock.now();
      for (const board of this.#boards) board.advanceTo(nowMs);
      if (this.#verifiers.length === 0) continue;
      this.#told = this.#tell(nowMs);
      await this.#told;
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#told.catch(() => {});
    for (const server of this.#servers) await server.close();
    for (const board of this.#boards) board.powerOff();
    for (const verifier of this.#verifiers) await verifier.close();
  }

  async #answer(board: SimulatedBoard, request: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#verifiers.length > 0) await this.#told;
    else board.advanceTo(this.#clock.now());
    return board.answer(request);
  }

  /** Time stands still until every verifier has been told. */
  async #tell(nowMs: number): Promise<void> {
    for (let tries = 1; !this.#isOver; tries++) {
      try {
        await Promise.all(this.#verifiers.map((verifier) => verifier.setClock(nowMs)));
        return;
      } catch (error) {
        if (!(error instanceof Error) || !("code" in error)) throw error;
        if (tries === 1) process.stderr.write(`quiesce: time stands still: ${error.message}\n`);
        await new Promise((resolve) => setTimeout(resolve, QUANTUM_MS));
      }
    }
  }
}

function pathsOf({ socket, boards }: ServeOptions): string[] {
  if (socket.endsWith(".sock")) {
    if (boards !== 1) throw wrongUse("several boards need a folder of sockets: --socket FOLDER");
    makeOwnFolder(dirname(socket));
    return [socket];
  }
  makeOwnFolder(socket);
  return Array.from({ length: boards }, (_, i) => join(socket, `board-${i + 1}.sock`));
}

/** Of the seed, or of a file that only its owner may read. */
function manufacturerOf({ seed, manufacturer: path }: ServeOptions): Signer {
  if (path === undefined) return ed25519Signer(new Random(seed).stream("key of manufacturer").bytes(32));
  const text = readSecret(path);
  if (!SEED_HEX.test(text)) throw wrongUse(`${path} holds no key: 64 hexadecimal digits, the seed of an Ed25519 key`);
  return ed25519Signer(new Uint8Array(Buffer.from(text.trim(), "hex")));
}

/** Of a file that only its owner may read. */
function readSecret(path: string): string {
  try {
    if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
      throw wrongUse(`others than the owner have access to ${path}: take it from them with chmod`);
    }
    return readFileSync(path, "latin1");
  } catch (cause) {
    if (cause instanceof Error && cause.name === "CliError") throw cause;
    throw wrongUse(`${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}

async function verifiersOf({ setClock = [], tokenFile, speed }: ServeOptions): Promise<VerifierClient[]> {
  if (setClock.length === 0) {
    if (speed === 1) return [];
    throw wrongUse("at another speed than 1 verifiers must be told the time: name them with --set-clock URL");
  }
  const { VerifierClient } = await import("../../client/client.ts");
  const token = tokenFile === undefined ? undefined : readSecret(tokenFile).trim();
  try {
    return setClock.map((url) => new VerifierClient({ url, token }));
  } catch (cause) {
    if (cause instanceof Error && cause.name === "ClientError") throw wrongUse(cause.message, cause);
    throw cause;
  }
}

/** The time of verifiers that are simulated never goes back: boards begin where the furthest of them is. */
async function clockOf({ speed }: ServeOptions, verifiers: readonly VerifierClient[]): Promise<AgreementClock> {
  if (verifiers.length === 0) return wallClock();
  const abouts = await Promise.all(verifiers.map((verifier) => verifier.about()));
  return fastClock(Math.max(Date.now(), ...abouts.map(({ nowMs }) => nowMs)), speed);
}

function makeOwnFolder(path: string): void {
  try {
    if (!existsSync(path)) {
      makeFolder(path, FOLDER_MODE);
      chmodSync(path, FOLDER_MODE);
    }
    if (!statSync(path).isDirectory()) throw wrongUse(`${path} is no folder`);
  } catch (cause) {
    if (cause instanceof Error && cause.name === "CliError") throw cause;
    throw wrongUse(`${path} cannot be made: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

function printFacts({ boards, manufacturer, measurement }: ReturnType<Site["facts"]>): void {
  for (const { name, ueid, socket } of boards) print(`${color.bold(name)}  device ${ueid.slice(0, 18)}…  ${socket}`);
  print(`manufacturer ${manufacturer.publicKey}`);
  print(`governor     ${measurement}`);
  print("listening; SIGINT or SIGTERM powers the boards off");
}
