/** The limits that agreement and policy set one board, each the lower of the two: what the leak bound is computed from. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Agreement } from "../objects/agreement.ts";
import { operationFactor } from "./counting.ts";
import type { Policy } from "./policy.ts";

/** What of an agreement the bound depends on. */
export type LeakTerms = Pick<
  Agreement,
  | "caps"
  | "tickHz"
  | "driftPpm"
  | "leaseSeconds"
  | "licenseTicksMax"
  | "sliceTicks"
  | "drain"
  | "drainTicksMax"
  | "baseline"
  | "offline"
>;

/** Of one class. */
export interface ClassLimits {
  readonly engineClass: EngineClass;
  /** Counted operations of one operation; 0 for bytes. */
  readonly factor: bigint;
  readonly budgetMax: bigint;
  readonly ratePerTick: bigint;
  readonly drain: bigint;
  readonly baseline: bigint;
}

export interface LeakLimits {
  readonly classes: readonly ClassLimits[];
  /**
   * Licenses that a board can use after the order: the one in force, one that answers its challenge and was kept back,
   * and the offline ones in hand. Undefined: nothing limits those.
   */
  readonly licenses: bigint | undefined;
  readonly licenseTicksMax: bigint;
  readonly licenseSecondsMax: bigint | undefined;
  readonly operationsMax: bigint | undefined;
}

export function leakLimits(terms: LeakTerms, policy: Policy | undefined): LeakLimits {
  const offline = terms.offline ? policy?.offlineLicensesMax : 0n;
  const { licenseTicksMax } = terms;
  return {
    classes: [...terms.caps.keys()].map((engineClass) => classLimits(engineClass, terms, policy)),
    licenses: offline === undefined ? undefined : 2n + offline,
    licenseTicksMax: lower(licenseTicksMax, policy?.licenseTicksMax),
    licenseSecondsMax: policy?.licenseSecondsMax,
    operationsMax: policy?.operationsMax,
  };
}

function classLimits(engineClass: EngineClass, terms: LeakTerms, policy: Policy | undefined): ClassLimits {
  const cap = terms.caps.get(engineClass)!;
  const named = (limits: ReadonlyMap<EngineClass, bigint> | undefined) => limits && (limits.get(engineClass) ?? 0n);
  const perSecond = named(policy?.rateMaxPerSecond);
  const ratePerTick = lower(cap.rateMax, perSecond === undefined ? undefined : perSecond / BigInt(terms.tickHz));
  const budgets = [named(policy?.budgetMax), profileBudget(engineClass, policy)];
  return {
    engineClass,
    factor: operationFactor(engineClass, policy?.counting ?? "native"),
    // Without a rate that it may name, a license of this policy budgets nothing of the class.
    budgetMax: ratePerTick === 0n ? 0n : budgets.reduce<bigint>(lower, cap.budgetMax),
    ratePerTick,
    drain: lower(terms.drain.get(engineClass) ?? 0n, named(policy?.drainMax)),
    baseline: terms.baseline?.get(engineClass) ?? 0n,
  };
}

/** The most that any profile lets a license budget of the class; undefined: no limit. */
function profileBudget(engineClass: EngineClass, policy: Policy | undefined): bigint | undefined {
  if (policy?.profiles === undefined) return undefined;
  const allowing = policy.profiles.filter(({ classes }) => classes.includes(engineClass));
  if (allowing.length === 0) return 0n;
  if (engineClass !== EngineClass.LINK_TX && engineClass !== EngineClass.LINK_RX) return undefined;
  return allowing
    .map(({ linkBytesMax }) => linkBytesMax)
    .reduce((most, bytes) => (most === undefined || bytes === undefined ? undefined : bytes > most ? bytes : most));
}

function lower(a: bigint, b: bigint | undefined): bigint {
  return b !== undefined && b < a ? b : a;
}
