/** An agent's daemon with boards over sockets, as they are, and verifiers that a test turns on and off. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentConfig } from "../../../../host/agent/daemon/config.ts";
import { AgentDaemon } from "../../../../host/agent/daemon/daemon.ts";
import { agentLogger } from "../../../../host/agent/daemon/log.ts";
import { parseAgentConfig } from "../../../../host/agent/daemon/read-config.ts";
import type { BoardStatus } from "../../../../host/agent/daemon/status.ts";
import { BoardServer } from "../../../../host/cli/board-serve/board-server.ts";
import { SimulatedBoard } from "../../../../host/cli/board-serve/simulated-board.ts";
import { builtinWorkload } from "../../../../sim-board/workloads/builtin.ts";
import type { Workload } from "../../../../sim-board/workloads/types.ts";
import { agreementOf, governorImage, phaseOf } from "../../../rig.ts";
import { MANUFACTURER } from "../../client/fake-service.ts";

const ADVANCE_MS = 20;

/** Seconds of BF16 and copy work, over and over. */
const WORK: Workload = {
  ...builtinWorkload("resnet-ddp"),
  checkpoint: undefined,
  phases: () => [phaseOf(1)],
};

/** Boards in the machine's time, each on its socket. */
export class Boards {
  readonly folder = mkdtempSync(join(tmpdir(), "quiesce-boards-"));
  readonly boards: SimulatedBoard[] = [];
  readonly servers: BoardServer[] = [];
  readonly #timer = setInterval(() => this.#advance(), ADVANCE_MS);

  async add(name: string, seed = 1): Promise<SimulatedBoard> {
    const startMs = Date.now();
    const board = new SimulatedBoard({
      name,
      seed,
      board: { image: governorImage(), tickHz: agreementOf().tickHz, startSeconds: Math.floor(startMs / 1000) },
      workload: WORK,
      statePath: undefined,
      startMs,
    });
    writeFileSync(join(this.folder, `${name}.endorsement.cbor`), board.endorsement(MANUFACTURER));
    const answer = (request: Uint8Array) => {
      board.advanceTo(Date.now());
      return board.answer(request);
    };
    this.servers.push(await BoardServer.listen(join(this.folder, `${name}.sock`), answer));
    this.boards.push(board);
    return board;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const server of this.servers) await server.close();
    rmSync(this.folder, { recursive: true });
  }

  #advance(): void {
    for (const board of this.boards) board.advanceTo(Date.now());
  }
}

export interface ConfigChange {
  readonly [key: string]: unknown;
}

export function configText(
  sockets: string,
  state: string,
  verifiers: readonly object[],
  change: ConfigChange = {},
): string {
  return JSON.stringify({
    state,
    boards: { sockets, everySeconds: 0.2 },
    verifiers,
    pollSeconds: 1,
    requests: { timeoutSeconds: 5, triesMax: 1 },
    logLevel: "silent",
    ...change,
  });
}

/** A daemon in this process, and what it logged. */
export class Daemons {
  readonly state = mkdtempSync(join(tmpdir(), "quiesce-agent-"));
  readonly log: string[] = [];
  #daemon: AgentDaemon | undefined;

  async start(boards: Boards, verifiers: readonly object[], change: ConfigChange = {}): Promise<AgentDaemon> {
    const text = configText(boards.folder, this.state, verifiers, change);
    const config: AgentConfig = parseAgentConfig(text, "agent.json", this.state);
    const log = agentLogger(config.logLevel, { write: (line: string) => this.log.push(line) });
    this.#daemon = await AgentDaemon.open(config, { log, file: "agent.json" });
    this.#daemon.start();
    return this.#daemon;
  }

  board(name: string): BoardStatus {
    return this.#daemon!.status().boards.find((board) => board.name === name)!;
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.state, { recursive: true });
  }
}
