/** Jobs in the database, and their shards: put in, taken on a lease, finished, collected. docs/fleet.md */

import type { RunIdentity } from "../run/checkpoint.ts";
import { RunError } from "../run/errors.ts";
import { canonicalJson, sha256Text } from "../scenario/canonical.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { Database, Row } from "./database.ts";

export interface Job extends RunIdentity {
  readonly id: string;
  readonly scenario: Scenario;
  readonly tasks: number;
  /** Tasks of each shard; the last may have fewer. */
  readonly shardTasks: number;
  readonly leaseMs: number;
}

/** Why a cell failed, as the one who ran it tells those who wait. */
export interface JobFailure {
  readonly code: RunError["code"];
  readonly message: string;
  readonly cell?: string | undefined;
  readonly causeName?: string | undefined;
}

/** A shard whose holders all ended before it was done takes its next holder with it too. */
const ATTEMPTS_MAX = 5;
const DONE_SHARDS_MAX = 1_000;
const JOB_COLUMNS = "id, scenario_sha256, seed, version, firmware_sha256, scenario, tasks, shard_tasks, lease_ms";

/** Runs of the same scenario, seed, firmware and version are one job: a coordinator that comes back finds it. */
export function jobId({ scenarioSha256, seed, version, firmwareSha256 }: RunIdentity): string {
  return sha256Text(canonicalJson({ scenarioSha256, seed, version, firmwareSha256 }));
}

export class Jobs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Puts the job in, or gives the one that is there: what was done of it stays, and why it failed is forgotten. */
  async put(job: Job): Promise<Job> {
    const { id, scenarioSha256, seed, version, firmwareSha256, scenario, tasks, shardTasks, leaseMs } = job;
    const values = [id, scenarioSha256, seed, version, firmwareSha256, JSON.stringify(scenario)];
    return this.#database.transaction(async (connection) => {
      const put = `insert into jobs (${JOB_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`;
      const { rowCount } = await connection.query(put, [...values, tasks, shardTasks, leaseMs]);
      if (rowCount === 1) {
        const shards = Math.ceil(tasks / shardTasks);
        await connection.query("insert into shards (job, shard) select $1, generate_series(0, $2::integer - 1)", [
          id,
          shards,
        ]);
        return job;
      }
      await connection.query("update shards set attempts = 0 where job = $1 and state < 2", [id]);
      const text = `update jobs set error = null, lease_ms = $2 where id = $1 returning ${JOB_COLUMNS}`;
      return jobOf((await connection.query(text, [id, leaseMs])).rows[0]!);
    });
  }

  /** Jobs that have something to do, the oldest first. */
  async open(): Promise<Job[]> {
    const rows = await this.#database.rows(
      `select ${JOB_COLUMNS} from jobs where error is null
       and exists (select 1 from shards where job = id and state < 2) order by created_at, id`,
    );
    return rows.map(jobOf);
  }

  /** Why the job failed; undefined while it has not. A job that is gone is one whose run is over. */
  async failure(id: string): Promise<JobFailure | "gone" | undefined> {
    const [row] = await this.#database.rows("select error from jobs where id = $1", [id]);
    if (!row) return "gone";
    return row[0] === null ? undefined : (JSON.parse(row[0] as string) as JobFailure);
  }

  async hasOpenShards(id: string): Promise<boolean> {
    const text = `select 1 from shards join jobs on id = job
      where job = $1 and state < 2 and error is null limit 1`;
    return (await this.#database.rows(text, [id])).length > 0;
  }

  /** The first shard that nobody has, or whose holder has not been heard of for a lease. */
  async take({ id, leaseMs }: Job, holder: string): Promise<number | undefined> {
    const [row] = await this.#database.rows(
      `update shards set state = 1, holder = $2, attempts = attempts + 1,
         lease_until = clock_timestamp() + make_interval(secs => $3::double precision / 1000)
       where job = $1 and shard = (
         select shard from shards join jobs on id = job
         where job = $1 and error is null and (state = 0 or (state = 1 and lease_until < clock_timestamp()))
         order by shard limit 1 for update of shards skip locked
       ) returning shard, attempts`,
      [id, holder, leaseMs],
    );
    if (!row) return undefined;
    const [shard, attempts] = row.map(Number) as [number, number];
    if (attempts <= ATTEMPTS_MAX) return shard;
    const message = `shard ${shard} was taken by ${ATTEMPTS_MAX} workers, and each ended before it was done`;
    await this.fail(id, { code: "fleet/job", message });
    return undefined;
  }

  async extend({ id, leaseMs }: Job, shard: number, holder: string): Promise<void> {
    await this.#database.rows(
      `update shards set lease_until = clock_timestamp() + make_interval(secs => $4::double precision / 1000)
       where job = $1 and shard = $2 and holder = $3 and state = 1`,
      [id, shard, holder, leaseMs],
    );
  }

  /**
   * The results of a shard's tasks, from `first` on. Another worker may have brought them already, when a lease ended
   * too soon: then they are the same, or the run is worth nothing. Throws a `RunError` where they are not.
   */
  async finish({ id }: Job, shard: number, first: number, texts: readonly string[]): Promise<void> {
    await this.#database.transaction(async (connection) => {
      const { rows: jobs } = await connection.query("select 1 from jobs where id = $1 for key share", [id]);
      if (jobs.length === 0) return;
      const put = `insert into results (job, task, result)
        select $1, $2::integer + (n - 1)::integer, text from unnest($3::text[]) with ordinality as given(text, n)
        on conflict do nothing`;
      const { rowCount } = await connection.query(put, [id, first, texts]);
      if (rowCount !== texts.length) {
        const other = `select task from results
          join unnest($3::text[]) with ordinality as given(text, n) on task = $2::integer + (n - 1)::integer
          where job = $1 and result <> text order by task limit 1`;
        const [row] = (await connection.query(other, [id, first, texts])).rows;
        if (row) throw new RunError("fleet/job", `two workers have different results of task ${row[0]}`);
      }
      await connection.query("update shards set state = 2, lease_until = null where job = $1 and shard = $2", [
        id,
        shard,
      ]);
    });
  }

  async giveBack({ id }: Job, shard: number, holder: string): Promise<void> {
    const text =
      "update shards set state = 0, attempts = attempts - 1 where job = $1 and shard = $2 and holder = $3 and state = 1";
    await this.#database.rows(text, [id, shard, holder]);
  }

  async fail(id: string, failure: JobFailure): Promise<void> {
    const text = "update jobs set error = $2 where id = $1 and error is null";
    await this.#database.rows(text, [id, JSON.stringify(failure)]);
  }

  /** Shards that are done, from `from` on; up to a thousand. */
  async done(id: string, from: number): Promise<number[]> {
    const text = `select shard from shards where job = $1 and shard >= $2 and state = 2
      order by shard limit ${DONE_SHARDS_MAX}`;
    return (await this.#database.rows(text, [id, from])).map(([shard]) => Number(shard));
  }

  /** In the order of tasks. */
  async results({ id, shardTasks }: Job, shard: number): Promise<(readonly [task: number, text: string])[]> {
    const text = "select task, result from results where job = $1 and task >= $2 and task < $3 order by task";
    const rows = await this.#database.rows(text, [id, shard * shardTasks, (shard + 1) * shardTasks]);
    return rows.map(([task, result]) => [Number(task), result as string]);
  }

  async remove(id: string): Promise<void> {
    await this.#database.rows("delete from jobs where id = $1", [id]);
  }
}

function jobOf(row: Row): Job {
  const [id, scenarioSha256, seed, version, firmwareSha256, scenario] = row as readonly string[];
  const [tasks, shardTasks, leaseMs] = row.slice(6).map(Number) as [number, number, number];
  return {
    id: id!,
    scenarioSha256: scenarioSha256!,
    seed: seed!,
    version: version!,
    firmwareSha256: firmwareSha256!,
    scenario: JSON.parse(scenario!) as Scenario,
    tasks,
    shardTasks,
    leaseMs,
  };
}
