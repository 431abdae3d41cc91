/**
 * The leak bound: the most work and the longest time that can still happen after a pause is ordered, whatever the
 * operator does. Derived step by step from the governor's rules in docs/policy.md, whose symbols are used here.
 *
 * All times are whole nanoseconds and all work is exact; every rounding is upward.
 */
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import type { WorkByClass } from "../objects/work.ts";
import { classKeyOf, isTensorClass } from "./classes.ts";
import { PolicyError } from "./errors.ts";
import type { BoardKind, Fleet } from "./fleet.ts";
import { type ClassLimits, type LeakLimits, type LeakTerms, leakLimits } from "./leak-limits.ts";
import type { Policy } from "./policy.ts";

export type LeakBinding = "lease" | "license" | "budget";

export interface LeakInput {
  readonly agreement: LeakTerms;
  readonly policy?: Policy;
  readonly fleet: Fleet;
  /** How long after the order a party may still sign a license, or a time authority a beacon, that does not know it. */
  readonly lagSeconds?: bigint;
}

/** What one board can still do. */
export interface BoardLeak {
  readonly workByClass: WorkByClass;
  /** Counted by the policy's rule. */
  readonly operations: bigint;
  /** Until licensed and drain work are over; undefined: nothing bounds it. */
  readonly seconds: number | undefined;
}

export interface LeakBound extends BoardLeak {
  readonly boundedBy: LeakBinding;
  /** Each limit by itself, for the fleet; a limit that is not there is absent. */
  readonly alone: Readonly<Partial<Record<LeakBinding, BoardLeak>>>;
  readonly perBoard: readonly (BoardLeak & { readonly name: string; readonly boards: bigint })[];
}

const BINDINGS = ["lease", "license", "budget"] as const satisfies readonly LeakBinding[];
const NS = 10n ** 9n;
const PPM = 10n ** 6n;
/** The largest budget that a license can state is no limit on operations. */
const BUDGET_WIRE_MAX = 2n ** 128n - 1n;

/** Throws a `PolicyError` (`policy/unbounded`) if nothing limits the work. */
export function leakBound(input: LeakInput): LeakBound {
  const perBoard = input.fleet.map(({ boards, board }) => {
    const leak = boardLeak(input, board, BINDINGS);
    if (leak) return { name: board.name, boards, ...leak };
    throw new PolicyError("policy/unbounded", "lease", undefined, "nothing limits what can still happen");
  });
  const alone = Object.fromEntries(
    BINDINGS.flatMap((binding) => {
      const leak = fleetLeak(input, [binding]);
      return leak ? [[binding, leak]] : [];
    }),
  ) as LeakBound["alone"];
  const boundedBy = BINDINGS.reduce((least, binding) => {
    const [a, b] = [alone[least]?.operations, alone[binding]?.operations];
    return b !== undefined && (a === undefined || b < a) ? binding : least;
  });
  return { ...total(perBoard), boundedBy, alone, perBoard };
}

/** What the fleet can still do if these limits alone hold; undefined if they bound nothing. */
export function fleetLeak(input: LeakInput, bindings: readonly LeakBinding[]): BoardLeak | undefined {
  const leaks = input.fleet.map(({ boards, board }) => ({ boards, leak: boardLeak(input, board, bindings) }));
  if (leaks.some(({ leak }) => leak === undefined)) return undefined;
  return total(leaks.map(({ boards, leak }) => ({ boards, ...leak! })));
}

function total(groups: readonly (BoardLeak & { boards: bigint })[]): BoardLeak {
  const workByClass = new Map<EngineClass, bigint>();
  for (const { boards, workByClass: work } of groups) {
    for (const [engineClass, amount] of work) {
      workByClass.set(engineClass, (workByClass.get(engineClass) ?? 0n) + amount * boards);
    }
  }
  const bounded = groups.every(({ seconds }) => seconds !== undefined);
  return {
    workByClass,
    operations: groups.reduce((sum, { boards, operations }) => sum + operations * boards, 0n),
    seconds: bounded ? Math.max(0, ...groups.map(({ seconds }) => seconds!)) : undefined,
  };
}

function boardLeak(input: LeakInput, board: BoardKind, bindings: readonly LeakBinding[]): BoardLeak | undefined {
  const { agreement: terms, policy } = input;
  const limits = leakLimits(terms, policy);
  const lagNs = (input.lagSeconds ?? 0n) * NS;
  const flowNs = flowTimeNs(terms, limits, bindings);
  const drains = limits.classes.some(({ drain }) => drain > 0n);
  const drainNs = drains ? longestNs(terms.drainTicksMax + BigInt(terms.tickHz), terms) : 0n;
  const works = limits.classes.map((of) => {
    const peak = board.peakPerSecond.get(of.engineClass);
    return classWork({ of, peak, terms, limits, flowNs, drainNs, budgets: bindings.includes("budget") });
  });
  if (works.some((work) => work === undefined)) return undefined;
  const lags = limits.classes.map((of) => lagWork(of, board, lagNs));
  const after = works.map((work) => work!);
  const licensed = licensedOperations(after, flowNs, limits, bindings.includes("budget"));
  const rest = after.reduce((sum, { of, unlicensed }) => sum + unlicensed * of.factor, 0n);
  const inLag = sharedOperations(
    limits.classes.map((of, i) => ({ of, peak: board.peakPerSecond.get(of.engineClass), work: lags[i]! })),
    lagNs,
  );
  return {
    workByClass: new Map(after.map(({ of, work, unlicensed }, i) => [of.engineClass, work + unlicensed + lags[i]!])),
    operations: licensed + rest + inLag,
    seconds: flowNs === undefined ? undefined : Number(lagNs + flowNs + drainNs) / 1e9,
  };
}

/** The longest that `ticks` can last: the slowest clock that the agreement admits. */
function longestNs(ticks: bigint, terms: LeakTerms): bigint {
  return ceilDivide(ticks * NS * PPM, BigInt(terms.tickHz) * (PPM - BigInt(terms.driftPpm)));
}

/** The most ticks in a time: the fastest clock. */
function mostTicks(ns: bigint, terms: LeakTerms): bigint {
  return ceilDivide(ns * BigInt(terms.tickHz) * (PPM + BigInt(terms.driftPpm)), NS * PPM) + 1n;
}

/** T_flow: until no licensed work flows. Both limits are looked at once a nominal second, hence the timer period. */
function flowTimeNs(terms: LeakTerms, limits: LeakLimits, bindings: readonly LeakBinding[]): bigint | undefined {
  const timer = BigInt(terms.tickHz);
  const timerNs = longestNs(timer, terms);
  const ends: (bigint | undefined)[] = [];
  if (bindings.includes("lease")) ends.push(BigInt(terms.leaseSeconds) * NS + timerNs);
  if (bindings.includes("license")) {
    const { licenses, licenseTicksMax, licenseSecondsMax } = limits;
    ends.push(licenseSecondsMax === undefined ? undefined : licenseSecondsMax * NS + timerNs);
    ends.push(licenses === undefined ? undefined : licenses * longestNs(licenseTicksMax + timer, terms));
  }
  return least(...ends);
}

type ClassCase = {
  of: ClassLimits;
  peak: bigint | undefined;
  terms: LeakTerms;
  limits: LeakLimits;
  flowNs: bigint | undefined;
  drainNs: bigint;
  budgets: boolean;
};

type ClassWork = { of: ClassLimits; peak: bigint | undefined; work: bigint; unlicensed: bigint };

/** Licensed work of a class, and what drain and baseline let through beside it. */
function classWork(given: ClassCase): ClassWork | undefined {
  const { of, peak, terms, limits, flowNs, drainNs, budgets } = given;
  const { licenses } = limits;
  if (peak === 0n) return { of, peak, work: 0n, unlicensed: 0n };
  const atPeak = (ns: bigint | undefined) => (peak === undefined || ns === undefined ? undefined : workAt(peak, ns));
  const slice = of.ratePerTick * terms.sliceTicks;
  const atRate = flowNs === undefined ? undefined : 2n * slice + of.ratePerTick * mostTicks(flowNs, terms);
  // A class of which a license may budget nothing does no licensed work, however many licenses there are.
  const budgeted = of.budgetMax === 0n ? 0n : budgets ? budgetBound(of, limits) : undefined;
  const work = least(atPeak(flowNs), atRate, budgeted);
  const drain = of.drain === 0n ? 0n : licenses === undefined ? undefined : licenses * of.drain;
  const drained = least(drain, atPeak(flowNs === undefined ? undefined : flowNs + drainNs));
  const baseline = of.baseline === 0n ? 0n : licenses === undefined ? undefined : licenses * of.baseline;
  if (work === undefined || drained === undefined || baseline === undefined) return undefined;
  return { of, peak, work, unlicensed: drained + baseline };
}

/** B_c: what all licenses that can still be used budget of the class. */
function budgetBound(of: ClassLimits, { licenses, operationsMax }: LeakLimits): bigint | undefined {
  const budget = of.factor > 0n && of.budgetMax === BUDGET_WIRE_MAX ? undefined : of.budgetMax;
  const counted = operationsMax === undefined || of.factor === 0n ? undefined : operationsMax / of.factor;
  const most = least(budget, counted);
  return licenses === undefined || most === undefined ? undefined : licenses * most;
}

function licensedOperations(
  works: readonly ClassWork[],
  flowNs: bigint | undefined,
  { licenses, operationsMax }: LeakLimits,
  budgets: boolean,
): bigint {
  const shared = sharedOperations(works, flowNs);
  const counted =
    budgets && licenses !== undefined && operationsMax !== undefined ? licenses * operationsMax : undefined;
  return least(shared, counted)!;
}

/**
 * The most counted operations when the tensor classes share one set of units: each takes its time at its peak, best
 * first. A class without a known peak, and the vector units, count in full beside them.
 */
function sharedOperations(
  works: readonly { of: ClassLimits; peak: bigint | undefined; work: bigint }[],
  ns: bigint | undefined,
): bigint {
  const shares = (item: (typeof works)[number]) =>
    ns !== undefined && item.peak !== undefined && item.peak > 0n && isTensorClass(item.of.engineClass);
  let sum = works.filter((item) => !shares(item)).reduce((all, { of, work }) => all + work * of.factor, 0n);
  let leftNs = ns ?? 0n;
  const worth = ({ of, peak }: (typeof works)[number]) => of.factor * peak!;
  for (const item of works.filter(shares).sort((a, b) => (worth(b) > worth(a) ? 1 : -1))) {
    const work = least(item.work, workAt(item.peak!, leftNs))!;
    sum += work * item.of.factor;
    leftNs -= (work * NS) / item.peak! < leftNs ? (work * NS) / item.peak! : leftNs;
  }
  return sum;
}

/** Before the order is known everywhere nothing but the hardware limits a board: each power-up fills its buckets anew. */
function lagWork(of: ClassLimits, board: BoardKind, lagNs: bigint): bigint {
  if (lagNs === 0n) return 0n;
  const peak = board.peakPerSecond.get(of.engineClass);
  if (peak !== undefined) return workAt(peak, lagNs);
  const what = `peak of ${classKeyOf(of.engineClass)} on ${board.name}`;
  throw new PolicyError("policy/unbounded", what, undefined, "must be known for a lag that is not 0");
}

/** Work at `peak` per second in a time, rounded up. */
function workAt(peak: bigint, ns: bigint): bigint {
  return ns === 0n ? 0n : ceilDivide(peak * ns, NS);
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

function least(...amounts: (bigint | undefined)[]): bigint | undefined {
  let found: bigint | undefined;
  for (const amount of amounts) if (amount !== undefined && (found === undefined || amount < found)) found = amount;
  return found;
}
