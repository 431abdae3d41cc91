/**
 * A runner for vitest that asks of every test which mutants it kills: it is played once with the governor that notes which
 * mutants' places it comes to, then with each of these that is still alive, and at the end, with the governor that ships,
 * must pass as before. What comes of it goes line by line into the lane's log.
 */
import { appendFileSync, readFileSync } from "node:fs";
import type { RunnerTestCase } from "vitest";
import { TestRunner } from "vitest";
import { governorModule } from "./governor.ts";
import { type LaneWork, type LogLine, WORK_VARIABLE } from "./lane.ts";
import { type Mutant, MutantGlobal, mutantsOf, reachedIn, withMutants, withReaches } from "./mutants.ts";
import { StandIn } from "./stand-in.ts";

/** Turns of loops in one governor's life: some thousands of signatures, and a hang ends in less than a second. */
const TURNS_MAX = 200_000_000n;

type Exports = Record<string, { value: bigint }>;

export default class MutationRunner extends TestRunner {
  readonly #work: LaneWork;
  readonly #mutants: readonly Mutant[];
  readonly #alive: Set<string>;
  readonly #standIn: StandIn;
  readonly #withMutants: object;
  readonly #withReaches: object;

  constructor(...options: ConstructorParameters<typeof TestRunner>) {
    super(...options);
    this.#work = JSON.parse(readFileSync(process.env[WORK_VARIABLE]!, "utf8")) as LaneWork;
    const { bytes, names } = governorModule();
    this.#mutants = mutantsOf(bytes, names);
    this.#alive = new Set(this.#work.alive);
    this.#standIn = new StandIn(bytes);
    this.#withMutants = this.#standIn.compile(withMutants(bytes, this.#mutants));
    this.#withReaches = this.#standIn.compile(withReaches(bytes, this.#mutants));
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const play = TestRunner.getTestFn(test);
    const begun = performance.now();
    const reached = await this.#reachedBy(play);
    const milliseconds = performance.now() - begun;
    const name = `${test.file.name}: ${test.name}`;
    this.#log({ test: name, milliseconds, reached: reached.map(({ id }) => id) });
    if (milliseconds > this.#work.testMillisecondsMost) return;
    for (const mutant of reached) {
      this.#log({ trying: mutant.id });
      if (await this.#survives(mutant, play)) continue;
      this.#alive.delete(mutant.id);
      this.#log({ killed: mutant.id, by: name });
    }
    await play();
  }

  async #reachedBy(play: () => unknown): Promise<Mutant[]> {
    const started: Exports[] = [];
    await this.#standIn.whilePlaying(this.#withReaches, (exports) => started.push(exports as Exports), play);
    const reached = new Set(started.flatMap((exports) => reachedIn((name) => exports[name]!.value, this.#mutants)));
    return [...reached].filter(({ id }) => this.#alive.has(id));
  }

  async #survives({ number }: Mutant, play: () => unknown): Promise<boolean> {
    const wake = (exports: object) => {
      const globals = exports as Exports;
      globals[MutantGlobal.AWAKE]!.value = number;
      globals[MutantGlobal.TURNS_MAX]!.value = TURNS_MAX;
    };
    try {
      await this.#standIn.whilePlaying(this.#withMutants, wake, play);
      return true;
    } catch {
      return false;
    }
  }

  #log(line: LogLine): void {
    appendFileSync(this.#work.log, `${JSON.stringify(line)}\n`);
  }
}
