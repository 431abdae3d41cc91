/**
 * The job on one board: phase after phase, each block of them under a license for exactly its work. A license covers as
 * many phases as fit its longest time.
 */
import type { Phase } from "../../sim-board/workloads/types.ts";
import { sumWork } from "../../sim-board/workloads/types.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import { must, type Site } from "./site.ts";
import { plannedSeconds } from "./terms.ts";

export type JobHooks = {
  /** After each phase that is done. */
  onPhase?(phase: Phase): void;
  onLicense?(request: LicenseRequest): void;
};

/** A phase stood still or was cut short. */
class JobStalled extends Error {
  constructor(phase: Phase) {
    super(`"${phase.name}" was not done: the gate stayed shut`);
    this.name = "JobStalled";
  }
}

export class Job {
  readonly #site: Site;
  readonly #hooks: JobHooks;
  /** Phases that are still to be done, the next one first. */
  readonly #left: Phase[];
  /** Phases that the license in force still covers. */
  #covered = 0;
  /** Simulated seconds at which the recording's clock was zero. */
  readonly #startedSeconds: number;

  constructor(site: Site, hooks: JobHooks = {}) {
    this.#site = site;
    this.#hooks = hooks;
    this.#left = [...site.workload.phases()];
    this.#startedSeconds = site.board.seconds;
  }

  get isDone(): boolean {
    return this.#left.length === 0;
  }

  get next(): Phase | undefined {
    return this.#left[0];
  }

  /** The license in force covers nothing more: after a pause, or before the first. */
  dropLicense(): void {
    this.#covered = 0;
  }

  /** Licenses the next block if there is none in force, and waits until the next phase may start. */
  prepare(): void {
    if (this.#covered === 0) this.#license();
    const start = this.#left[0]?.startSeconds;
    if (start === undefined) return;
    const wait = this.#startedSeconds + start - this.#site.board.seconds;
    if (wait > 0) this.#site.board.advance(wait);
  }

  /** Does the next phase to its end. Throws `JobStalled` where the gate does not let it. */
  step(): void {
    const phase = this.#left[0];
    if (!phase) return;
    this.prepare();
    const { completed } = this.#site.board.run(phase, { stallSeconds: 120 });
    if (!completed) throw new JobStalled(phase);
    this.finished(phase);
  }

  /** The next phase is done: the one after it follows. */
  finished(phase: Phase): void {
    this.#left.shift();
    this.#covered -= 1;
    this.#hooks.onPhase?.(phase);
  }

  /** Seconds that the phases still to be done take. */
  get secondsLeft(): number {
    return this.#left.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  }

  #license(): void {
    const { agreement, agent } = this.#site;
    const phases = this.#nextBlock();
    const budget = sumWork(phases);
    this.#covered = phases.length;
    // A stretch without work needs no license.
    if (budget.size === 0) return;
    const request = {
      budget,
      ticksMax: agreement.licenseTicksMax,
      windowSeconds: Math.ceil(Number(agreement.licenseTicksMax) / agreement.tickHz),
    };
    must("license", agent.renew(request));
    this.#hooks.onLicense?.(request);
  }

  #nextBlock(): Phase[] {
    const limit = plannedSeconds(this.#site.agreement);
    const now = this.#site.board.seconds - this.#startedSeconds;
    let end = 0;
    let at = now;
    for (const phase of this.#left) {
      at = Math.max(at, phase.startSeconds ?? 0) + phase.durationSeconds;
      if (end > 0 && at - now > limit) break;
      end++;
    }
    return this.#left.slice(0, end);
  }
}
