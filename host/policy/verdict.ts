/**
 * Judges a license by a policy: named checks, each a pure function of license, board, policy and usage. An objection is
 * a result and not an error; a figure of usage that a check needs and does not have is an objection too.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Agreement } from "../objects/agreement.ts";
import type { License } from "../objects/license.ts";
import type { WorkByClass } from "../objects/work.ts";
import { classKeyOf, isByteClass } from "./classes.ts";
import { countedOperations } from "./counting.ts";
import type { Policy, PolicyCap, WorkProfile } from "./policy.ts";
import { quantityText } from "./quantity.ts";

/** The board that a license is for, or any one of its cohort, as the registry knows it. */
export interface PolicyDevice {
  readonly party: string;
  readonly site: string;
  /** Hardware model. */
  readonly model: string;
  /** What the board is registered for. */
  readonly profile?: WorkProfile["name"];
  /** The agreement it stands under. */
  readonly agreement: Pick<Agreement, "tickHz" | "baseline">;
}

/** What was licensed already, this license not counted. */
export interface PolicyUsage {
  /** Agreement time. */
  readonly nowSeconds: number;
  /** The license that the board holds now. */
  readonly inForce?: LicenseInForce;
  /** Licenses without a nonce that the board holds and has not installed. */
  readonly offlineLicenses: bigint;
  /** UEIDs (lower-case hex) of the boards licensed now. */
  readonly licensedUeids: readonly string[];
  /** By `scopeKey`. */
  readonly scopes: ReadonlyMap<string, ScopeUsage>;
}

export interface LicenseInForce {
  readonly issuedSeconds: number;
  readonly expirySeconds: number;
  readonly budget: WorkByClass;
  /** As the newest evidence says. */
  readonly budgetLeft: WorkByClass;
}

export interface ScopeUsage {
  /** Boards licensed now, besides those that the license is for. */
  readonly boards: bigint;
  /** Counted operations licensed in the period so far. */
  readonly operations: bigint;
}

export interface Objection {
  readonly check: CheckName;
  readonly message: string;
}

type Case = { license: License; device: PolicyDevice; policy: Policy; usage: PolicyUsage };
type Check = (of: Case) => Iterable<string>;

const CHECKS = {
  budget: checkBudget,
  operations: checkOperations,
  length: checkLength,
  renewal: checkRenewal,
  rate: checkRate,
  drain: checkDrain,
  baseline: checkBaseline,
  offline: checkOffline,
  cohort: checkCohort,
  caps: checkCaps,
  "fixed-sets": checkFixedSets,
  profile: checkProfile,
} as const satisfies Record<string, Check>;

export type CheckName = keyof typeof CHECKS;
export const CHECK_NAMES = Object.keys(CHECKS) as readonly CheckName[];

/** Everything that speaks against the license; nothing if the policy lets it be signed. */
export function policyVerdict(license: License, device: PolicyDevice, policy: Policy, usage: PolicyUsage): Objection[] {
  const of: Case = { license, device, policy, usage };
  return CHECK_NAMES.flatMap((check) => [...CHECKS[check](of)].map((message) => ({ check, message })));
}

/** What a cap's usage of this board's party, site or model is filed under. */
export function scopeKey(cap: PolicyCap, device: PolicyDevice): string {
  const name = cap.per === "fleet" ? "" : device[cap.per];
  return JSON.stringify([cap.per, name, cap.periodSeconds === undefined ? "ever" : Number(cap.periodSeconds)]);
}

function amountText(amount: bigint, engineClass: EngineClass): string {
  return quantityText(amount, isByteClass(engineClass) ? "bytes" : "operations");
}

/** Classes of which `work` names more than `most`. */
function* over(what: string, work: WorkByClass | undefined, most: WorkByClass | undefined): Iterable<string> {
  if (most === undefined) return;
  for (const [engineClass, amount] of work ?? []) {
    const limit = most.get(engineClass) ?? 0n;
    if (amount > limit) {
      const [asked, allowed] = [amountText(amount, engineClass), amountText(limit, engineClass)];
      yield `${what} of ${classKeyOf(engineClass)}: ${asked} is over ${allowed}`;
    }
  }
}

function* checkBudget({ license, policy }: Case): Iterable<string> {
  yield* over("budget", license.budget, policy.budgetMax);
}

function boardsOf(license: License): bigint {
  return BigInt(license.cohort?.length ?? 1);
}

function* checkOperations({ license, policy }: Case): Iterable<string> {
  const counted = countedOperations(license.budget, policy.counting);
  if (policy.operationsMax !== undefined && counted > policy.operationsMax) {
    const most = quantityText(policy.operationsMax, "operations");
    yield `budget of all classes: ${quantityText(counted, "operations")} (${policy.counting}) is over ${most}`;
  }
}

function* checkLength({ license, policy, usage }: Case): Iterable<string> {
  const seconds = license.expirySeconds - usage.nowSeconds;
  if (policy.licenseSecondsMax !== undefined && seconds > Number(policy.licenseSecondsMax)) {
    yield `expiry: ${seconds}s from now is over ${policy.licenseSecondsMax}s`;
  }
  if (policy.licenseTicksMax !== undefined && license.ticksMax > policy.licenseTicksMax) {
    yield `ticks: ${license.ticksMax} is over ${policy.licenseTicksMax}`;
  }
}

function* checkRenewal({ policy, usage }: Case): Iterable<string> {
  const { renewalMarginPermille: margin } = policy;
  const { inForce } = usage;
  if (margin === undefined || inForce === undefined) return;
  const lengthSeconds = inForce.expirySeconds - inForce.issuedSeconds;
  const leftSeconds = Math.max(0, inForce.expirySeconds - usage.nowSeconds);
  const timeIsDue = leftSeconds * 1000 <= lengthSeconds * Number(margin);
  const budgetIsDue = [...inForce.budget].some(
    ([engineClass, budget]) => (inForce.budgetLeft.get(engineClass) ?? 0n) * 1000n <= budget * margin,
  );
  if (!timeIsDue && !budgetIsDue) {
    yield `renewal: ${leftSeconds}s of ${lengthSeconds}s and over ${margin} permille of each budget are left`;
  }
}

function* checkRate({ license, device, policy }: Case): Iterable<string> {
  if (policy.rateMaxPerSecond === undefined) return;
  for (const [engineClass, budget] of license.budget) {
    if (budget === 0n) continue;
    const most = policy.rateMaxPerSecond.get(engineClass) ?? 0n;
    const perTick = license.rate?.get(engineClass);
    const key = classKeyOf(engineClass);
    if (perTick === undefined) yield `rate of ${key}: none is named, at most ${most} a second is allowed`;
    else if (perTick * BigInt(device.agreement.tickHz) > most) {
      yield `rate of ${key}: ${perTick} a tick at ${device.agreement.tickHz} Hz is over ${most} a second`;
    }
  }
}

function* checkDrain({ license, policy }: Case): Iterable<string> {
  yield* over("drain", license.drain, policy.drainMax);
}

function* checkBaseline({ license, device, policy }: Case): Iterable<string> {
  const { baselinePermilleMax: permille } = policy;
  if (permille === undefined) return;
  for (const [engineClass, baseline] of device.agreement.baseline ?? []) {
    if (baseline * 1000n > (license.budget.get(engineClass) ?? 0n) * permille) {
      yield `baseline of ${classKeyOf(engineClass)}: ${baseline} is over ${permille} permille of the license's budget`;
    }
  }
}

function* checkOffline({ license, policy, usage }: Case): Iterable<string> {
  const { offlineLicensesMax: most } = policy;
  if (most === undefined || license.nonce !== undefined) return;
  if (usage.offlineLicenses + 1n > most) yield `offline: ${usage.offlineLicenses + 1n} in hand are over ${most}`;
}

function* checkCohort({ license, policy }: Case): Iterable<string> {
  if (policy.cohortLicenses === false && license.cohort)
    yield `cohort: of ${license.cohort.length} boards; none is signed`;
}

function* checkCaps({ license, device, policy, usage }: Case): Iterable<string> {
  for (const cap of policy.caps ?? []) {
    if (cap.name !== undefined && cap.per !== "fleet" && device[cap.per] !== cap.name) continue;
    const where = cap.per === "fleet" ? "the fleet" : `${cap.per} ${device[cap.per]}`;
    const used = usage.scopes.get(scopeKey(cap, device));
    if (used === undefined) {
      yield `cap of ${where}: its usage so far is not known`;
      continue;
    }
    const boards = used.boards + boardsOf(license);
    if (cap.boardsMax !== undefined && boards > cap.boardsMax) {
      yield `cap of ${where}: ${boards} boards licensed at one time are over ${cap.boardsMax}`;
    }
    const operations = used.operations + countedOperations(license.budget, policy.counting) * boardsOf(license);
    if (cap.operationsMax !== undefined && operations > cap.operationsMax) {
      const period = cap.periodSeconds === undefined ? "in all" : `in ${cap.periodSeconds}s`;
      const [asked, most] = [quantityText(operations, "operations"), quantityText(cap.operationsMax, "operations")];
      yield `cap of ${where}: ${asked} ${period} is over ${most}`;
    }
  }
}

function* checkFixedSets({ license, policy, usage }: Case): Iterable<string> {
  const { boardsTogetherMax, peerSets } = policy.fixedSets ?? {};
  const asked = (license.cohort ?? [license.ueid!]).map((ueid) => Buffer.from(ueid).toString("hex"));
  const together = new Set([...usage.licensedUeids, ...asked]);
  if (boardsTogetherMax !== undefined && BigInt(together.size) > boardsTogetherMax) {
    yield `fixed set: ${together.size} boards licensed together are over ${boardsTogetherMax}`;
  }
  if (peerSets === undefined) return;
  const setOf = new Map(peerSets.flatMap(({ name, ueids }) => ueids.map((ueid) => [ueid, name] as const)));
  for (const ueid of asked) if (!setOf.has(ueid)) yield `fixed set: board ${ueid} is in no peer set`;
  const names = new Set([...together].flatMap((ueid) => setOf.get(ueid) ?? []));
  if (names.size > 1) yield `fixed set: boards of ${[...names].join(" and ")} would be licensed together`;
}

function* checkProfile({ license, device, policy }: Case): Iterable<string> {
  if (policy.profiles === undefined) return;
  const profile = policy.profiles.find(({ name }) => name === device.profile);
  if (profile === undefined) {
    yield `profile: ${device.profile ?? "none"} is not one of ${policy.profiles.map(({ name }) => name).join(", ")}`;
    return;
  }
  for (const [engineClass, budget] of license.budget) {
    if (budget > 0n && !profile.classes.includes(engineClass)) {
      yield `profile ${profile.name}: class ${classKeyOf(engineClass)} is not allowed`;
    }
  }
  for (const direction of [EngineClass.LINK_TX, EngineClass.LINK_RX]) {
    const bytes = license.budget.get(direction) ?? 0n;
    if (profile.linkBytesMax !== undefined && bytes > profile.linkBytesMax) {
      yield `profile ${profile.name}: ${amountText(bytes, direction)} of ${classKeyOf(direction)} is over ${profile.linkBytesMax}B`;
    }
  }
}
