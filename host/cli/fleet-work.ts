/** `quiesce fleet work`: this machine as one of many that work on distributed runs. */
import { Database } from "../../fleet/distributed/database.ts";
import { Jobs } from "../../fleet/distributed/jobs.ts";
import { workOnJobs } from "../../fleet/distributed/work.ts";
import type { WorkOptions } from "./commands/fleet.ts";
import { loadStudies, programIdentity, withFleetErrors, workersOf } from "./fleet-input.ts";
import { connectionsFor, workerName } from "./fleet-run.ts";
import { countText } from "./names.ts";
import { print } from "./output.ts";

/** Until SIGTERM or SIGINT, or with `--once` until nothing is left to do. */
export function work(url: string, options: WorkOptions): Promise<void> {
  return withFleetErrors(async () => {
    const loaded = await loadStudies(options.studies);
    const workers = workersOf(options.workers);
    const database = await Database.open(url, connectionsFor(workers), options.schema);
    const stop = new AbortController();
    const end = () => stop.abort();
    process.once("SIGTERM", end).once("SIGINT", end);
    try {
      await workOnJobs(new Jobs(database), {
        ...loaded,
        ...programIdentity(),
        workers,
        name: workerName(),
        signal: stop.signal,
        isOnce: options.once === true,
        told: ({ job, shards, cells }) =>
          print(`${job.scenario.name}, seed ${job.seed}: ${countText(cells, "cell")} in ${countText(shards, "shard")}`),
      });
    } finally {
      process.off("SIGTERM", end).off("SIGINT", end);
      await database.close();
    }
  });
}
