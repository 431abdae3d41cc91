/** Over PostgreSQL a run gives the bytes that it gives on one machine, whoever is killed meanwhile. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { type CoordinatorOptions, coordinate } from "../../../fleet/distributed/coordinate.ts";
import { Database } from "../../../fleet/distributed/database.ts";
import { type Job, Jobs, jobId } from "../../../fleet/distributed/jobs.ts";
import { type WorkerOptions, workOnJob, workOnJobs } from "../../../fleet/distributed/work.ts";
import { Plan } from "../../../fleet/run/plan.ts";
import { identityOf, runScenario } from "../../../fleet/run/run-scenario.ts";
import { inlineRunner } from "../../../fleet/run/runner.ts";
import { readScenario } from "../../../fleet/scenario/read-scenario.ts";
import type { Study } from "../../../fleet/study.ts";
import { DATABASE_URL, engines, withPostgres } from "../../host/store/engines.ts";
import { STUDIES as COINS, coinScenario } from "../coins.ts";
import { STUDIES as GATED } from "../gated.ts";

const isHere = engines.some(({ engine }) => engine === "postgres");
const folder = mkdtempSync(join(tmpdir(), "quiesce-fleet-"));
const schemas: string[] = [];

afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (schemas.length === 0) return;
  await withPostgres(async (client) => {
    for (const schema of schemas) await client.query(`drop schema if exists ${schema} cascade`);
  });
});

const IDENTITY = { version: "0.0.0", firmwareSha256: "f1" };
const STUDIES = [...COINS, ...GATED];
const WORKER: WorkerOptions = {
  ...IDENTITY,
  studies: STUDIES,
  modules: ["coins", "gated"].map((name) => new URL(`../${name}.ts`, import.meta.url).href),
  workers: 1,
  name: "test",
};
const COORDINATOR: CoordinatorOptions & WorkerOptions = { ...WORKER, leaseMs: 1_000, isWorking: false };

function planOf(changes: Readonly<Record<string, unknown>>): Plan {
  const scenario = readScenario(coinScenario(changes), STUDIES);
  return new Plan(scenario, STUDIES.find(({ name }) => name === scenario.study) as Study<never>, "1");
}

async function bytesHere(changes: Readonly<Record<string, unknown>>): Promise<string> {
  const plan = planOf(changes);
  return JSON.stringify(await runScenario(plan, inlineRunner(plan), IDENTITY));
}

async function withDatabase<T>(work: (database: Database, jobs: Jobs) => Promise<T>): Promise<T> {
  const schema = `fleet_test_${randomBytes(8).toString("hex")}`;
  schemas.push(schema);
  const database = await Database.open(DATABASE_URL, 6, schema);
  try {
    return await work(database, new Jobs(database));
  } finally {
    await database.close();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10);
}

function jobOf(plan: Plan, changes: Partial<Job> = {}): Job {
  const identity = identityOf(plan, IDENTITY);
  const { scenario, taskCount: tasks } = plan;
  return { id: jobId(identity), ...identity, scenario, tasks, shardTasks: 2, leaseMs: 60_000, ...changes };
}

const CHANGES = { seeds: 2, sweep: { cells: [1, 7], "coin.headsShare": [0.25, 0.5] } };

describe.runIf(isHere)("a distributed run", () => {
  it("has the bytes of one on this machine, where the one who asks works too", async () => {
    await withDatabase(async (database, jobs) => {
      const told: number[] = [];
      const result = await coordinate(database, planOf(CHANGES), {
        ...COORDINATOR,
        isWorking: true,
        progress: ({ done }) => told.push(done),
      });
      expect(JSON.stringify(result)).toBe(await bytesHere(CHANGES));
      expect([told[0], told.at(-1)]).toEqual([0, 32]);
      expect(await jobs.open()).toEqual([]);
      expect(await database.rows("select count(*) from results")).toEqual([[0n]]);
    });
  });

  it("has them where only others work, and each is told of the job's end", async () => {
    await withDatabase(async (database, jobs) => {
      const asked = coordinate(database, planOf(CHANGES), COORDINATOR);
      await until(async () => (await jobs.open()).length > 0);
      const shards: number[] = [];
      const work = () => workOnJobs(jobs, { ...WORKER, isOnce: true, told: (done) => shards.push(done.shards) });
      await Promise.all([work(), work()]);
      expect(JSON.stringify(await asked)).toBe(await bytesHere(CHANGES));
      expect(shards.reduce((sum, one) => sum + one, 0)).toBe(32);
    });
  });

  it("goes on where it was when the one who asked comes back", async () => {
    await withDatabase(async (database, jobs) => {
      const plan = planOf(CHANGES);
      const job = await jobs.put(jobOf(plan));
      await jobs.take(job, "somebody");
      const texts = await inlineRunner(plan).run([plan.task(0), plan.task(1)]);
      await jobs.finish(job, 0, 0, texts);
      expect(await jobs.put(jobOf(plan, { shardTasks: 5 }))).toMatchObject({ id: job.id, shardTasks: 2 });
      const told: number[] = [];
      const result = await coordinate(database, plan, {
        ...COORDINATOR,
        isWorking: true,
        progress: ({ done }) => told.push(done),
      });
      expect(told[1]).toBeGreaterThanOrEqual(2);
      expect(JSON.stringify(result)).toBe(await bytesHere(CHANGES));
    });
  });

  it("has one who waits for it, not two", async () => {
    await withDatabase(async (database) => {
      const gate = join(folder, "two");
      const changes = { study: "gated", parameters: { gate } };
      const first = coordinate(database, planOf(changes), { ...COORDINATOR, isWorking: true });
      await until(async () => (await database.rows("select 1 from jobs")).length > 0);
      await expect(coordinate(database, planOf(changes), COORDINATOR)).rejects.toThrow("is waiting for this very run");
      writeFileSync(gate, "");
      await first;
    });
  });

  it("outlives its connections to the database", async () => {
    await withDatabase(async (database) => {
      const gate = join(folder, "outlives");
      const changes = { study: "gated", parameters: { gate } };
      const asked = coordinate(database, planOf(changes), { ...COORDINATOR, isWorking: true });
      await until(async () => (await database.rows("select 1 from shards where state = 1")).length > 0);
      const ended = await withPostgres((client) =>
        client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", [
          schemas.at(-1),
        ]),
      );
      expect(ended.rowCount).toBeGreaterThan(1);
      writeFileSync(gate, "");
      expect(JSON.stringify(await asked)).toBe(await bytesHere(changes));
    });
  });

  it("fails with the cell that failed, wherever it ran, and leaves nothing behind", async () => {
    await withDatabase(async (database, jobs) => {
      const plan = planOf({ parameters: { cells: 4, throws: 5, failing: [2] } });
      const asked = coordinate(database, plan, COORDINATOR);
      const error = asked.catch((caught) => caught);
      await until(async () => (await jobs.open()).length > 0);
      await workOnJob(jobs, (await jobs.open())[0]!, WORKER);
      expect(await error).toMatchObject({ code: "fleet/cell", cell: "base:1:2", causeName: "RangeError" });
      expect((await error).message).toBe("cell base:1:2 (seed 1-1) failed: the coin of 2 fell off the table");
      expect(await database.rows("select 1 from jobs")).toEqual([]);
    });
  });
});

describe.runIf(isHere)("a shard", () => {
  it("that ends a thread ends this worker, and is left to others", async () => {
    await withDatabase(async (database, jobs) => {
      const job = await jobs.put(jobOf(planOf({ parameters: { cells: 2, ending: [0] } })));
      await expect(workOnJob(jobs, job, WORKER)).rejects.toMatchObject({ code: "fleet/thread" });
      expect(await database.rows("select state, error from shards join jobs on id = job")).toEqual([[1n, null]]);
    });
  });

  it("is taken by one worker at a time, and by another when its lease is over", async () => {
    await withDatabase(async (_database, jobs) => {
      const job = await jobs.put(jobOf(planOf({ parameters: { cells: 4 } }), { leaseMs: 100 }));
      expect(await Promise.all([jobs.take(job, "a"), jobs.take(job, "b")]).then((both) => both.sort())).toEqual([0, 1]);
      const takers: (number | undefined)[] = [];
      await until(async () => takers.push(await jobs.take(job, "c")) > 0 && takers.at(-1) !== undefined);
      expect(takers.at(-1)).toBe(0);
    });
  });

  it("stays with a worker that is heard of, and is free at once when it is given back", async () => {
    await withDatabase(async (database, jobs) => {
      const job = await jobs.put(jobOf(planOf({ parameters: { cells: 2 } })));
      await jobs.take(job, "a");
      await database.rows("update shards set lease_until = clock_timestamp() - interval '1 second'");
      await jobs.extend(job, 0, "a");
      expect(await jobs.take(job, "b")).toBeUndefined();
      await jobs.giveBack(job, 0, "a");
      expect(await jobs.take(job, "b")).toBe(0);
      await jobs.extend(job, 0, "a");
      const [row] = await database.rows("select holder, attempts from shards");
      expect(row).toEqual(["b", 1n]);
    });
  });

  it("that kills whoever takes it fails the job", async () => {
    await withDatabase(async (database, jobs) => {
      const job = await jobs.put(jobOf(planOf({ parameters: { cells: 2 } })));
      for (let i = 0; i < 5; i++) {
        expect(await jobs.take(job, "a")).toBe(0);
        await database.rows("update shards set lease_until = clock_timestamp() - interval '1 second'");
      }
      expect(await jobs.take(job, "a")).toBeUndefined();
      expect(await jobs.failure(job.id)).toMatchObject({
        message: "shard 0 was taken by 5 workers, and each ended before it was done",
      });
    });
  });

  it("may be brought twice, and not with two results", async () => {
    await withDatabase(async (_database, jobs) => {
      const job = await jobs.put(jobOf(planOf({ parameters: { cells: 2 } })));
      await jobs.finish(job, 0, 0, ["1", "2"]);
      await jobs.finish(job, 0, 0, ["1", "2"]);
      expect(await jobs.results(job, 0)).toEqual([
        [0, "1"],
        [1, "2"],
      ]);
      await expect(jobs.finish(job, 0, 0, ["1", "3"])).rejects.toThrow("two workers have different results of task 1");
    });
  });
});

describe.runIf(isHere)("a worker", () => {
  it.each([
    ["another firmware", { firmwareSha256: "f2" }, /is of firmware f1, and this worker has f2: results would not/],
    ["another version", { version: "0.0.1" }, /is of version 0\.0\.0, and this worker of 0\.0\.1$/],
    ["no such study", { studies: GATED }, /is of the study coins, which this worker does not have$/],
  ])("with %s does not take part", async (_what, changes, message) => {
    await withDatabase(async (_database, jobs) => {
      await jobs.put(jobOf(planOf(CHANGES)));
      await expect(workOnJobs(jobs, { ...WORKER, ...changes, isOnce: false })).rejects.toThrow(message);
    });
  });

  it("gives back what it has when it is told to stop", async () => {
    await withDatabase(async (database, jobs) => {
      const plan = planOf({ study: "gated", parameters: { gate: join(folder, "never") } });
      await jobs.put(jobOf(plan));
      const stop = new AbortController();
      const work = workOnJobs(jobs, { ...WORKER, isOnce: false, signal: stop.signal });
      const states = () => database.rows("select state from shards order by shard");
      await until(async () => (await states())[0]![0] === 1n);
      stop.abort();
      await work;
      expect(await states()).toEqual([[0n], [0n]]);
    });
  });
});

describe("a database", () => {
  it("that is none, or does not answer, is told in one line without its password", async () => {
    await expect(Database.open("mysql://a:secret@b/c", 2)).rejects.toThrow(/^(?!.*secret)/);
    const error = await Database.open("postgres://a:secret@127.0.0.1:1/c", 2).catch((caught) => caught);
    expect(error).toMatchObject({ code: "store/unavailable" });
    expect(error.message).not.toContain("secret");
  });
});
