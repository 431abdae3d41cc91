/** The leak bound of the policy for the devices as they stand: what could still run if a pause were ordered now. */
import { PolicyError } from "../policy/errors.ts";
import type { BoardKind } from "../policy/fleet.ts";
import { leakBound } from "../policy/leak.ts";
import type { ServiceContext } from "./context.ts";
import type { LeakView } from "./service.ts";

export async function leakView({ store, shared, settings }: ServiceContext): Promise<LeakView> {
  const { policy, models } = settings();
  const rows = await store.db
    .selectFrom("devices")
    .select((eb) => ["model", eb.fn.countAll<number | bigint>().as("devices")])
    .where("status", "!=", "retired")
    .groupBy("model")
    .orderBy("model")
    .execute();
  const groups = rows.map(({ model, devices }) => ({
    model,
    devices: Number(devices),
    accelerator: models.get(model)?.name,
  }));
  const devices = groups.reduce((sum, group) => sum + group.devices, 0);
  const { agreement } = await shared.now();
  // What a model can do at most is a matter of data sheets: without it, only its licenses bound it.
  const boardOf = (model: string): BoardKind => models.get(model) ?? { name: model, peakPerSecond: new Map() };
  const fleet = groups.map((group) => ({ boards: BigInt(group.devices), board: boardOf(group.model) }));
  try {
    return { policy: policy.name, devices, groups, bound: leakBound({ agreement, policy, fleet }) };
  } catch (error) {
    if (error instanceof PolicyError && error.code === "policy/unbounded")
      return { policy: policy.name, devices, groups };
    throw error;
  }
}
