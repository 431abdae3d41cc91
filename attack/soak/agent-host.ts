/**
 * The operator's machine with the agent as it ships, in simulated time, on a simulated disk, with ways to boards and verifiers
 * over the simulated network. A crash ends all of it between two events; what it began is never answered.
 */
import { BoardKeeper } from "../../host/agent/daemon/board-keeper.ts";
import type { AgentConfig } from "../../host/agent/daemon/config.ts";
import { Feed } from "../../host/agent/daemon/feed.ts";
import type { BoardDriver } from "../../host/agent/driver.ts";
import { Circle } from "../../host/client/circle.ts";
import type { Timing } from "../../host/timing.ts";
import type { LicenseRequest } from "../../host/verifier/licensing.ts";
import type { Random } from "../../sim-board/random.ts";
import type { BoardHost } from "./board-host.ts";
import type { Disk } from "./disk.ts";
import type { Judge } from "./judge.ts";
import type { Life, Network } from "./network.ts";
import type { Simulation } from "./simulation.ts";
import type { VerifierHost } from "./verifier-host.ts";
import { verifierLink } from "./verifier-link.ts";

export interface AgentParts {
  readonly sim: Simulation;
  readonly network: Network;
  readonly judge: Judge;
  readonly boards: readonly BoardHost[];
  readonly verifiers: readonly VerifierHost[];
  readonly disk: Disk;
  readonly terms: LicenseRequest;
  /** An agent that is planted to fail: what was recovered without a verifier it keeps to itself. */
  readonly hidesRecoveries?: boolean;
}

const DOWN_MS_MAX = 150_000;
const CLOCK_PPM_MAX = 200;
const GRACE_MS = 1_000;

export class AgentHost {
  readonly #parts: AgentParts;
  readonly #random: Random;
  readonly #rate: number;
  #life: Life = { isOver: true };

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#random = parts.sim.random.stream("agent");
    this.#rate = 1 + (this.#random.below(2 * CLOCK_PPM_MAX + 1) - CLOCK_PPM_MAX) / 1e6;
    if (this.#rate !== 1) parts.sim.count("clocks that drift");
  }

  /** A process, on what the disk holds. */
  start(): void {
    if (!this.#life.isOver) return;
    const { sim, network, judge, boards, verifiers, disk, terms, hidesRecoveries } = this.#parts;
    const life: Life = { isOver: false };
    this.#life = life;
    const timing = this.#timingOf(life);
    const random = () => this.#random.u32() / 2 ** 32;
    const onFault = (error: unknown) => judge.find(`the agent: ${error instanceof Error ? error.stack : error}`);
    const config = configOf(terms);
    const members = verifiers.map((host) => ({
      name: host.name,
      client: verifierLink(host, { sim, network, judge, from: "agent", life, hidesRecoveries }),
    }));
    const circle = new Circle(members, GRACE_MS, timing);
    const driver: BoardDriver = {
      list: async () => boards.map(({ name }) => name),
      open: (name) => boards.find((board) => board.name === name)!.port(life),
    };
    const feed = new Feed(circle, {
      pollMs: config.pollSeconds * 1000,
      onChange: (isBack) => {
        for (const keeper of keepers) keeper.feedChanged(isBack);
      },
      onFailure: () => {},
      onFault,
      random,
      timing,
    });
    const keepers = boards.map(
      ({ name }) =>
        new BoardKeeper(name, {
          driver,
          circle,
          feed,
          config,
          folder: "boards",
          registrationFor: () => undefined,
          claim: () => true,
          onOutcome: () => {},
          onFault: (_board, _task, error) => onFault(error),
          random,
          timing,
          files: disk.filesOf(life),
        }),
    );
    feed.start();
    for (const keeper of keepers) keeper.start();
  }

  /** The process is gone, and at times the machine with it. */
  crash(): void {
    if (this.#life.isOver) return;
    const { sim, boards, disk } = this.#parts;
    this.#life.isOver = true;
    sim.count("agent crashes");
    for (const board of boards) board.reconnect();
    if (this.#random.below(2) === 0) disk.crash();
    sim.after(this.#random.below(DOWN_MS_MAX), "agent starts", () => this.start());
  }

  #timingOf(life: Life): Timing {
    const { sim } = this.#parts;
    return {
      nowMs: () => sim.nowMs * this.#rate,
      wallMs: () => sim.nowMs * this.#rate,
      after: (ms, act) =>
        sim.after(ms / this.#rate, "agent timer", () => {
          if (!life.isOver) act();
        }),
    };
  }
}

/** What is not said is as it is unless a configuration says otherwise; but reports come often, and few may wait. */
function configOf(terms: LicenseRequest): AgentConfig {
  return {
    state: "",
    boards: { sockets: "", everySeconds: 5, timeoutSeconds: 10 },
    verifiers: [],
    license: { terms, renewAt: 0.25, jitter: 0.2 },
    reports: { everySeconds: 60, waitingMax: 8, keep: 1024 },
    pollSeconds: 15,
    requests: { inFlightMax: 16, timeoutSeconds: 15, triesMax: 1 },
    recover: true,
    logLevel: "silent",
  };
}
