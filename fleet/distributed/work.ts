/** The part of a worker: takes shards of a job, keeps their leases while it runs them, and brings their results. */
import { setTimeout as delay } from "node:timers/promises";
import { RunError } from "../run/errors.ts";
import { Plan } from "../run/plan.ts";
import type { CellRunner } from "../run/runner.ts";
import { studyOf } from "../run/study-modules.ts";
import { threadRunner } from "../run/threads.ts";
import { scenarioSha256 } from "../scenario/canonical.ts";
import type { Study } from "../study.ts";
import type { Job, Jobs } from "./jobs.ts";

export interface WorkerOptions {
  readonly studies: readonly Study<never>[];
  /** Where the threads find the studies. */
  readonly modules: readonly string[];
  readonly workers: number;
  /** What the database shows of who has a shard. */
  readonly name: string;
  readonly version: string;
  readonly firmwareSha256: string;
  /** Ends the work at once: shards that are under way are given back. */
  readonly signal?: AbortSignal;
}

export interface WorkDone {
  readonly job: Job;
  readonly shards: number;
  readonly cells: number;
}

/** Nobody waits longer than that for news of the database. */
const POLL_MS_MAX = 500;
/** So many times in a lease its holder is heard of. */
const SIGNS_OF_LIFE = 4;

export function pollMs(leaseMs: number): number {
  return Math.min(POLL_MS_MAX, Math.ceil(leaseMs / SIGNS_OF_LIFE));
}

/**
 * Works on whatever jobs there are; with `isOnce` until none has anything left to do, else until the signal. `told` hears
 * of each job that is over. Throws a `RunError` where the only jobs are of another firmware or version.
 */
export async function workOnJobs(
  jobs: Jobs,
  options: WorkerOptions & { readonly isOnce: boolean; readonly told?: (done: WorkDone) => void },
): Promise<void> {
  while (!options.signal?.aborted) {
    const open = await jobs.open();
    const job = open.find((one) => isOurs(one, options));
    if (job) {
      const done = await workOnJob(jobs, job, options);
      options.told?.(done);
    } else if (open[0]) throw foreign(open[0], options);
    else if (options.isOnce) return;
    else await delay(POLL_MS_MAX, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

/** Until all shards of the job are done, by whomever. What a cell throws fails the job: whoever waits for it is told. */
export async function workOnJob(jobs: Jobs, job: Job, options: WorkerOptions): Promise<WorkDone> {
  const study = studyOf(options.studies, job.scenario.study);
  const plan = new Plan(job.scenario, study, job.seed);
  const same = scenarioSha256(job.scenario) === job.scenarioSha256 && plan.taskCount === job.tasks;
  if (!same) throw new RunError("fleet/job", `job ${short(job.id)} is not what it is said to be`);
  const lanes = Math.min(options.workers, Math.ceil(job.tasks / job.shardTasks));
  const runner = threadRunner(plan, options.modules, lanes);
  const worker = new ShardWorker(jobs, job, plan, runner, options);
  const stop = () => void runner.close();
  options.signal?.addEventListener("abort", stop);
  try {
    await Promise.all(Array.from({ length: lanes }, (_, i) => worker.lane(i)));
  } finally {
    options.signal?.removeEventListener("abort", stop);
    worker.stop();
    await runner.close();
  }
  return { job, shards: worker.shards, cells: worker.cells };
}

class ShardWorker {
  shards = 0;
  cells = 0;
  readonly #jobs: Jobs;
  readonly #job: Job;
  readonly #plan: Plan;
  readonly #runner: CellRunner;
  readonly #options: WorkerOptions;
  #isStopped = false;

  constructor(jobs: Jobs, job: Job, plan: Plan, runner: CellRunner, options: WorkerOptions) {
    this.#jobs = jobs;
    this.#job = job;
    this.#plan = plan;
    this.#runner = runner;
    this.#options = options;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async lane(number: number): Promise<void> {
    const { signal, name } = this.#options;
    const holder = `${name}/${number}`;
    while (!this.#isStopped && !signal?.aborted) {
      const shard = await this.#jobs.take(this.#job, holder);
      if (shard !== undefined) await this.#runShard(shard, holder);
      else if (await this.#jobs.hasOpenShards(this.#job.id)) await delay(pollMs(this.#job.leaseMs));
      else return;
    }
  }

  async #runShard(shard: number, holder: string): Promise<void> {
    const { shardTasks, tasks: all, leaseMs, id } = this.#job;
    const first = shard * shardTasks;
    const count = Math.min(shardTasks, all - first);
    const tasks = Array.from({ length: count }, (_, i) => this.#plan.task(first + i));
    // A sign of life that does not get through is followed by the next one.
    const alive = () => void this.#jobs.extend(this.#job, shard, holder).catch(() => undefined);
    const timer = setInterval(alive, leaseMs / SIGNS_OF_LIFE);
    try {
      const texts = await this.#runner.run(tasks);
      await this.#jobs.finish(this.#job, shard, first, texts);
      this.shards++;
      this.cells += count;
    } catch (error) {
      if (this.#isStopped || this.#options.signal?.aborted) {
        return await this.#jobs.giveBack(this.#job, shard, holder);
      }
      // What ends a thread here need not end one elsewhere: the shard is left to whoever has more memory.
      if (!(error instanceof RunError) || error.code === "fleet/thread") throw error;
      const { code, message, cell, causeName } = error;
      await this.#jobs.fail(id, { code, message, cell, causeName });
    } finally {
      clearInterval(timer);
    }
  }
}

function isOurs(job: Job, { version, firmwareSha256, studies }: WorkerOptions): boolean {
  const isKnown = studies.some(({ name }) => name === job.scenario.study);
  return job.version === version && job.firmwareSha256 === firmwareSha256 && isKnown;
}

function foreign(job: Job, { version, firmwareSha256 }: WorkerOptions): RunError {
  const what = `job ${short(job.id)} (${job.scenario.name}, seed ${job.seed})`;
  if (job.version !== version) {
    return new RunError("fleet/job", `${what} is of version ${job.version}, and this worker of ${version}`);
  }
  if (job.firmwareSha256 !== firmwareSha256) {
    const both = `${short(job.firmwareSha256)}, and this worker has ${short(firmwareSha256)}`;
    return new RunError("fleet/job", `${what} is of firmware ${both}: results would not be the same`);
  }
  return new RunError("fleet/job", `${what} is of the study ${job.scenario.study}, which this worker does not have`);
}

function short(hash: string): string {
  return hash.slice(0, 12);
}
