/** The other way round: from the work that may leak to the longest lease, the longest license, the largest budget. */
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { isTensorClass } from "./classes.ts";
import { operationFactor } from "./counting.ts";
import type { Fleet } from "./fleet.ts";
import { fleetLeak, type LeakBinding, type LeakInput } from "./leak.ts";
import { type LeakTerms, leakLimits } from "./leak-limits.ts";
import { POLICY_DEFAULT, type Policy } from "./policy.ts";

export interface Derived {
  /** What the fleet's peak takes for the leak, with nothing else counted: the published "remaining life". */
  readonly peakSeconds: number;
  /** Each keeps the leak by itself; undefined: no value does. */
  readonly leaseSecondsMax: number | undefined;
  readonly licenseSecondsMax: number | undefined;
  /** Counted operations of one license. */
  readonly licenseOperationsMax: bigint | undefined;
}

/** The longest lease of an agreement, and the longest license that is looked for: a year and a hundred. */
const LEASE_SECONDS_MAX = 31_536_000;
const LICENSE_SECONDS_MAX = 3_155_695_200;

export function deriveLimits(leakOperations: bigint, input: LeakInput): Derived {
  const within = (change: Partial<LeakInput>, binding: LeakBinding) => {
    const leak = fleetLeak({ ...input, ...change }, [binding]);
    return leak !== undefined && leak.operations <= leakOperations;
  };
  const policy = input.policy ?? POLICY_DEFAULT;
  return {
    peakSeconds: Number(leakOperations) / Number(fleetOperationsPerSecond(input.fleet, input.agreement, policy)),
    leaseSecondsMax: largest(LEASE_SECONDS_MAX, (leaseSeconds) =>
      within({ agreement: { ...input.agreement, leaseSeconds } }, "lease"),
    ),
    licenseSecondsMax: largest(LICENSE_SECONDS_MAX, (seconds) =>
      within({ policy: { ...policy, licenseSecondsMax: BigInt(seconds) } }, "license"),
    ),
    licenseOperationsMax: largestBudget(leakOperations, input, policy),
  };
}

/** The largest from 1 to `max` for which `holds`, which must not become true again once it is false. */
function largest(max: number, holds: (value: number) => boolean): number | undefined {
  let low = 0;
  let high = max;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? undefined : low;
}

function largestBudget(leakOperations: bigint, input: LeakInput, policy: Policy): bigint | undefined {
  const { licenses } = leakLimits(input.agreement, policy);
  const none = fleetLeak({ ...input, policy: { ...policy, operationsMax: 0n } }, ["budget"]);
  if (licenses === undefined || none === undefined || none.operations > leakOperations) return undefined;
  const boards = input.fleet.reduce((sum, group) => sum + group.boards, 0n);
  return (leakOperations - none.operations) / (boards * licenses);
}

/** Counted operations a second of all boards, each in its best tensor class and its vector units at once. */
function fleetOperationsPerSecond(fleet: Fleet, terms: LeakTerms, policy: Policy): bigint {
  const worth = (peaks: ReadonlyMap<EngineClass, bigint>, tensor: boolean) =>
    [...peaks]
      .filter(([engineClass]) => terms.caps.has(engineClass) && isTensorClass(engineClass) === tensor)
      .map(([engineClass, peak]) => peak * operationFactor(engineClass, policy.counting))
      .reduce((most, amount) => (amount > most ? amount : most), 0n);
  return fleet.reduce(
    (sum, { boards, board: { peakPerSecond } }) =>
      sum + boards * (worth(peakPerSecond, true) + worth(peakPerSecond, false)),
    0n,
  );
}
