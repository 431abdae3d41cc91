/**
 * One seed: boards, agent, verifiers, parties, network and clocks, first in a storm of faults, then in calm. In the calm
 * everything must come back: every board to work, a pause to all of them, all that they did to every verifier's books, and
 * a resume.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { signAgreement } from "../../host/objects/agreement.ts";
import type { Info } from "../../host/objects/evidence.ts";
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import { AttackSucceeded, findingOf } from "../campaign.ts";
import { agreementOf, governorImage, PARTIES } from "../rig.ts";
import { AgentHost } from "./agent-host.ts";
import { BoardHost } from "./board-host.ts";
import type { Counts } from "./counts.ts";
import { Disk } from "./disk.ts";
import { Judge } from "./judge.ts";
import { Network } from "./network.ts";
import { Parties } from "./parties.ts";
import { Simulation } from "./simulation.ts";
import { VerifierHost } from "./verifier-host.ts";
import { type Blow, drawWeather, gapMs, type Weather } from "./weather.ts";

export interface RunParts {
  readonly image?: GovernorImage;
  /** What is planted to fail, so that a test sees it found. */
  readonly planted?: Partial<Planted>;
}

export interface Planted {
  /** Verifiers lose what they committed. */
  readonly forgetfulVerifiers: boolean;
  /** The agent shows no verifier a recovery. */
  readonly hidesRecoveries: boolean;
  /** So many verifiers are cut off from the agent when all faults should be over. */
  readonly cutOff: number;
}

export interface RunResult {
  readonly seed: string;
  readonly weather: Weather;
  readonly trace: string;
  readonly counts: Counts;
  /** What must not be. */
  readonly finding: string | undefined;
}

const LOOK_MS = 5_000;
/** In calm everything comes back within this time. */
const LIVE_MS = 20 * 60_000;
/** Some outlast a lease, some do not. */
const PARTITION_MS_MEAN = 90_000;
const VERIFIERS = ["north", "south", "west"] as const;
/** Of them, those with the time authority's key: a key that lives twice. */
const CLOCK_TOWERS = 2;

const AGREEMENT = agreementOf({
  leaseSeconds: 60,
  sliceTicks: 10_000n,
  drainTicksMax: 30_000n,
  caps: new Map([
    [EngineClass.TENSOR_BF16, { budgetMax: 10n ** 18n, rateMax: 10n ** 12n }],
    [EngineClass.COPY, { budgetMax: 10n ** 14n, rateMax: 10n ** 10n }],
  ]),
  drain: new Map([[EngineClass.COPY, 10n ** 11n]]),
});
/** Four minutes of work. */
const TERMS = {
  budget: new Map([
    [EngineClass.TENSOR_BF16, 24n * 10n ** 15n],
    [EngineClass.COPY, 24n * 10n ** 10n],
  ]),
  ticksMax: 400_000n,
  windowSeconds: 600,
};

/** Lives it. Whatever is no finding and is thrown is a fault of the simulation. */
export async function runSeed(seed: string, parts: RunParts = {}): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), "quiesce-soak-"));
  const world = new World(seed, folder, parts);
  let finding: string | undefined;
  try {
    await world.live();
  } catch (error) {
    finding = findingOf(error);
  } finally {
    await world.end();
    rmSync(folder, { recursive: true });
  }
  const { sim, weather } = world;
  return { seed, weather, trace: sim.trace, counts: sim.counts, finding };
}

class World {
  readonly sim: Simulation;
  readonly weather: Weather;
  readonly #planted: Partial<Planted>;
  readonly #network: Network;
  readonly #judge: Judge;
  readonly #boards: readonly BoardHost[];
  readonly #verifiers: readonly VerifierHost[];
  readonly #agent: AgentHost;
  readonly #parties: Parties;
  #isStormy = true;

  constructor(seed: string, folder: string, { image = governorImage(), planted = {} }: RunParts) {
    this.sim = new Simulation(seed);
    this.weather = drawWeather(this.sim.random.stream("weather"));
    this.#planted = planted;
    const { sim } = this;
    const network = new Network(sim, this.weather);
    const judge = new Judge(sim, AGREEMENT);
    const agreement = signAgreement(AGREEMENT, PARTIES);
    this.#network = network;
    this.#judge = judge;
    this.#boards = Array.from(
      { length: this.weather.boards },
      (_, i) => new BoardHost(`board ${i}`, image, AGREEMENT.tickHz, sim, network),
    );
    this.#verifiers = VERIFIERS.map(
      (name, i) =>
        new VerifierHost(
          {
            name,
            folder,
            signer: PARTIES[i]!,
            tellsTime: i < CLOCK_TOWERS,
            agreement,
            measurement: image.sha256,
            forgets: planted.forgetfulVerifiers === true,
          },
          sim,
        ),
    );
    const [boards, verifiers] = [this.#boards, this.#verifiers];
    const disk = new Disk(sim);
    const { hidesRecoveries } = planted;
    this.#agent = new AgentHost({ sim, network, judge, boards, verifiers, disk, terms: TERMS, hidesRecoveries });
    const names = AGREEMENT.parties.map(({ name }) => name);
    this.#parties = new Parties({ sim, network, judge, verifiers, names });
    judge.watch(boards);
    sim.watch = () => judge.check();
  }

  async live(): Promise<void> {
    for (const verifier of this.#verifiers) await verifier.start();
    for (const board of this.#boards) board.powerOn();
    this.#agent.start();
    this.#lookNext();
    this.#blowNext();
    this.#orderNext();
    await this.sim.runUntil(this.weather.stormMs);
    await this.#calm();
    await this.#allComesBack();
  }

  async end(): Promise<void> {
    this.sim.count("simulated seconds", Math.round(this.sim.nowMs / 1000));
    for (const { board } of this.#boards) this.sim.count("checks of S1 to S9", board.invariants!.checked);
    for (const verifier of this.#verifiers) await verifier.stop();
  }

  // --- the storm ---------------------------------------------------------------------------------------------------

  #lookNext(): void {
    this.sim.after(LOOK_MS, "look", () => {
      for (const board of this.#boards) board.advance();
      this.#judge.look();
      this.#lookNext();
    });
  }

  #orderNext(): void {
    this.sim.after(gapMs(this.sim.random, this.weather.orderMs), "order", () => {
      if (!this.#isStormy) return;
      this.#parties.orderSome();
      this.#orderNext();
    });
  }

  #blowNext(): void {
    const { random } = this.sim;
    const { blows, blowMs } = this.weather;
    if (blows.length === 0) return;
    this.sim.after(gapMs(random, blowMs), "blow", async () => {
      if (!this.#isStormy) return;
      await this.#blow(blows[random.below(blows.length)]!);
      this.#blowNext();
    });
  }

  async #blow(blow: Blow): Promise<void> {
    const { random } = this.sim;
    const board = this.#boards[random.below(this.#boards.length)]!;
    const verifier = this.#verifiers[random.below(this.#verifiers.length)]!;
    if (blow === "power-cut") board.cutPower();
    else if (blow === "torn-operation") board.armCut();
    else if (blow === "old-flash") board.putFlashBack();
    else if (blow === "agent-crash") this.#agent.crash();
    else if (blow === "verifier-crash") await verifier.crash();
    else if (blow === "commit-crash") verifier.doom(random.below(2) === 0 ? "before" : "after");
    else this.#network.partition(this.#linksToCut(), gapMs(random, PARTITION_MS_MEAN));
  }

  /** One host alone, or one link; both ways or one. */
  #linksToCut(): string[] {
    const { random } = this.sim;
    const hosts = ["agent", "people", ...VERIFIERS, ...this.#boards.map(({ name }) => name)];
    const alone = hosts[random.below(hosts.length)]!;
    const other = hosts[random.below(hosts.length)]!;
    const others = random.below(2) === 0 ? hosts : [other];
    const [out, back] = [others.map((one) => `${alone}>${one}`), others.map((one) => `${one}>${alone}`)];
    return [[...out, ...back], out, back][random.below(3)]!;
  }

  // --- the calm ----------------------------------------------------------------------------------------------------

  async #calm(): Promise<void> {
    this.#isStormy = false;
    this.#network.calm();
    for (const verifier of this.#verifiers) await verifier.calm();
    this.#agent.start();
    for (const board of this.#boards) board.calm();
    const cutOff = VERIFIERS.slice(0, this.#planted.cutOff ?? 0);
    if (cutOff.length > 0)
      this.#network.partition(
        cutOff.map((name) => `agent>${name}`),
        Number.POSITIVE_INFINITY,
      );
  }

  async #allComesBack(): Promise<void> {
    await this.#mustCome("an order does not come to every verifier", () => !this.#parties.isBusy);
    if (this.#parties.inForce !== OrderAction.RESUME) await this.#order(OrderAction.RESUME);
    await this.#mustWork("after the faults");
    await this.#order(OrderAction.PAUSE);
    await this.sim.runUntil(this.sim.nowMs + this.#judge.pauseBoundMs + 2 * LOOK_MS);
    for (const { name, board } of this.#boards) {
      if (board.gateState !== GateState.PAUSED) throw new AttackSucceeded(`${name} is not paused`);
    }
    await this.#mustSettle();
    await this.#order(OrderAction.RESUME);
    await this.#mustWork("after a pause and a resume");
  }

  async #order(action: OrderAction): Promise<void> {
    this.#parties.order(action);
    await this.#mustCome("an order does not come to every verifier", () => !this.#parties.isBusy);
  }

  async #mustWork(when: string): Promise<void> {
    const before = this.#boards.map((board) => board.done(EngineClass.TENSOR_BF16));
    const idle = () =>
      this.#boards.filter(
        ({ board }, i) =>
          board.gateState !== GateState.OPEN || this.#boards[i]!.done(EngineClass.TENSOR_BF16) === before[i],
      );
    await this.#mustCome(
      () =>
        `${when} these do not work: ${idle().map(({ name, board }) => `${name} (gate ${board.gateState}, code ${board.lastCode.toString(16)})`)}`,
      () => idle().length === 0,
    );
  }

  /** At rest every verifier has every report, and by them what was really done: nothing lost, nothing twice. */
  async #mustSettle(): Promise<void> {
    let open: string[] = [];
    await this.#mustCome(
      () => open.join("; "),
      async () => {
        open = await this.#unsettled();
        return open.length === 0;
      },
    );
  }

  async #unsettled(): Promise<string[]> {
    const open: string[] = [];
    for (const host of this.#boards) {
      const info = host.info();
      if (!info) return [`${host.name} says nothing`];
      for (const [engineClass, counted] of info.totals.entries()) {
        const done = host.done(engineClass);
        if (counted < done || (!host.wasCut && counted !== done))
          open.push(`${host.name} did ${done}, counts ${counted}`);
      }
      for (const verifier of this.#verifiers) open.push(...(await differences(verifier, host, info)));
    }
    return open;
  }

  /** @throws AttackSucceeded if it does not come about in good time. */
  async #mustCome(otherwise: string | (() => string), holds: () => boolean | Promise<boolean>): Promise<void> {
    const came = await this.sim.runWhile(async () => !(await holds()), LIVE_MS, LOOK_MS);
    if (!came) throw new AttackSucceeded(typeof otherwise === "string" ? otherwise : otherwise());
  }
}

/** What a verifier has of a board, where it is not what the board says. */
async function differences({ name, service }: VerifierHost, { name: board, ueid }: BoardHost, { totals }: Info) {
  const { status } = await service!.device(ueid);
  const found = status === "active" ? [] : [`${name} has ${board} as ${status}`];
  for (const { engineClass, reported } of await service!.books(ueid)) {
    const counted = totals[engineClass];
    if (reported === counted) continue;
    found.push(`${name} has ${reported} of class ${engineClass}, ${board} ${counted}`);
  }
  return found;
}
