/** The part of the one who asked: puts the job in, collects what workers bring, and takes it out when it is over. */
import { setTimeout as delay } from "node:timers/promises";
import { Collector } from "../run/collector.ts";
import { RunError } from "../run/errors.ts";
import { estimateRun } from "../run/estimate.ts";
import type { Plan } from "../run/plan.ts";
import type { RunResult } from "../run/result.ts";
import { identityOf, Pace, type RunOptions, resultOf } from "../run/run-scenario.ts";
import type { Database } from "./database.ts";
import { type Job, type JobFailure, Jobs, jobId } from "./jobs.ts";
import { pollMs, type WorkerOptions, workOnJob } from "./work.ts";

export interface CoordinatorOptions extends Pick<RunOptions, "progress"> {
  /** A holder that has not been heard of for so long is taken to be gone. */
  readonly leaseMs: number;
  /** Whether shards are run here as well. */
  readonly isWorking: boolean;
}

/** A shard is to take about so long: many of them, and none that is all overhead. */
const SHARD_SECONDS = 5;
const SHARD_TASKS_MAX = 1_000;
/** As many shards at least as this, where there are so many cells: there is something to do for all who come. */
const SHARDS_MIN = 64;
const SHARDS_MAX = 1_000_000;

/** Throws a `RunError`, or a `StoreError` of the database. */
export async function coordinate(
  database: Database,
  plan: Plan,
  options: CoordinatorOptions & WorkerOptions,
): Promise<RunResult> {
  const jobs = new Jobs(database);
  const identity = identityOf(plan, options);
  const id = jobId(identity);
  const unlock = await database.lock(id);
  if (!unlock) throw new RunError("fleet/job", "another command is waiting for this very run already");
  const over = new AbortController();
  let isOver = false;
  let working: Promise<unknown> | undefined;
  try {
    const { scenario, taskCount: tasks } = plan;
    const job = await jobs.put({
      id,
      ...identity,
      scenario,
      tasks,
      shardTasks: shardTasks(plan),
      leaseMs: options.leaseMs,
    });
    if (options.isWorking) working = workOnJob(jobs, job, { ...options, signal: over.signal });
    // Collecting ends with the job, however it ends; working may end it by what it throws.
    const collected = collect(jobs, job, new Collector(plan), plan, options, over.signal);
    const collector = await Promise.race([collected, ...(working ? [working.then(() => collected)] : [])]);
    isOver = true;
    return resultOf(plan, identity, collector);
  } catch (error) {
    // A run that failed is over too. Where only this process did, what was done stays for the next try.
    isOver = error instanceof RunError && error.code !== "fleet/thread";
    throw error;
  } finally {
    over.abort();
    await working?.catch(() => undefined);
    if (isOver) await jobs.remove(id);
    unlock();
  }
}

async function collect(
  jobs: Jobs,
  job: Job,
  collector: Collector,
  plan: Plan,
  { progress }: CoordinatorOptions,
  signal: AbortSignal,
): Promise<Collector> {
  const pace = new Pace(plan.taskCount, 0, progress);
  const taken = new Set<number>();
  let lowest = 0;
  while (!signal.aborted) {
    const news = (await jobs.done(job.id, lowest)).filter((shard) => !taken.has(shard));
    for (const shard of news) {
      for (const [task, text] of await jobs.results(job, shard)) collector.add(task, text);
      taken.add(shard);
      pace.tell(collector.count);
    }
    // Only shards behind one that is not done need be remembered.
    for (; taken.delete(lowest); lowest++);
    if (collector.count === plan.taskCount) return collector;
    const failure = await jobs.failure(job.id);
    if (failure !== undefined) throw failureError(failure);
    if (news.length === 0) await delay(pollMs(job.leaseMs));
  }
  return collector;
}

function failureError(failure: JobFailure | "gone"): RunError {
  if (failure === "gone") return new RunError("fleet/job", "the job was taken out of the database");
  const { code, message, cell, causeName } = failure;
  return new RunError(code, message, {
    ...(cell !== undefined && { cell }),
    ...(causeName !== undefined && { causeName }),
  });
}

function shardTasks(plan: Plan): number {
  const { taskCount } = plan;
  const { cpuSeconds } = estimateRun(plan, 1);
  const byTime = cpuSeconds > 0 ? Math.floor((SHARD_SECONDS * taskCount) / cpuSeconds) : SHARD_TASKS_MAX;
  const byCount = Math.ceil(taskCount / SHARDS_MIN);
  return Math.max(1, Math.ceil(taskCount / SHARDS_MAX), Math.min(byTime, byCount, SHARD_TASKS_MAX));
}
