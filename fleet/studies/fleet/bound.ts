/** What the agreement of a fleet says of it before anything runs: the leak bound of docs/policy.md, for these boards. */
import { fleetLeak, type LeakBinding } from "../../../host/policy/leak.ts";
import { countedPerSecond, loadOf, termsOf } from "../../actors/terms.ts";
import type { FleetParameters } from "./parameters.ts";

export interface FleetBound {
  /** From an order, or from the last license, to the last licensed work and the end of any drain. */
  readonly seconds: number | undefined;
  /** Of all boards together, counted by the agreement's rule. */
  readonly operations: bigint;
}

const PPM = 1_000_000;

/**
 * Undefined where it would mean nothing: work is slowed and not stopped, or regions are stopped at different times.
 * The bound takes a timer of one second; a slower one adds its period wherever something waits for it, at the slowest clock.
 */
export function leakBoundOf(parameters: FleetParameters): FleetBound | undefined {
  const bindings = bindingsOf(parameters);
  if (!bindings) return undefined;
  const load = loadOf(parameters);
  const { agreement } = termsOf(parameters, load);
  const { driftPpm, counting, licenseSeconds } = parameters.agreement;
  // Nothing in a simulated chip is faster than its load and its checkpoint.
  const saved = BigInt(Math.round(parameters.load.checkpointBytesPerSecond));
  const classes = [...agreement.caps.keys()];
  const peakPerSecond = new Map(classes.map((engineClass) => [engineClass, load.perSecond.get(engineClass) ?? saved]));
  const board = { name: "board", peakPerSecond };
  const input = {
    agreement,
    policy: { name: "fleet", counting, licenseSecondsMax: BigInt(licenseSeconds) },
    fleet: [{ boards: BigInt(parameters.boards.count), board }],
    lagSeconds: BigInt(Math.ceil(parameters.operator.latencyMs / 1000)),
  };
  // A license and its ticks bound every board, so there is a bound.
  const bound = fleetLeak(input, bindings)!;
  const waits = agreement.drain.size > 0 ? 2 : 1;
  const slowerSeconds = (waits * (parameters.boards.timerSeconds - 1) * PPM) / (PPM - driftPpm);
  const more =
    countedPerSecond(load, parameters.agreement) * BigInt(Math.ceil(slowerSeconds)) * BigInt(parameters.boards.count);
  return {
    seconds: bound.seconds === undefined ? undefined : bound.seconds + slowerSeconds,
    operations: bound.operations + more,
  };
}

/** What ends the work; where licenses are no longer signed but beacons are, the lease ends nothing. */
function bindingsOf({ timeline }: FleetParameters): readonly LeakBinding[] | undefined {
  const [first] = [...timeline].sort((a, b) => a.atSeconds - b.atSeconds);
  if (!first || first.do === "slow" || first.region !== undefined) return undefined;
  return first.do === "stop-licenses" ? ["license", "budget"] : ["lease", "license", "budget"];
}
