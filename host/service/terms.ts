/** The terms of licenses: what a policy gives to who asks for nothing in particular. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import type { Agreement } from "../objects/agreement.ts";
import { countedOperations } from "../policy/counting.ts";
import type { Policy } from "../policy/policy.ts";
import type { LicenseRequest } from "../verifier/licensing.ts";
import type { Registration } from "./service.ts";

/** As much as agreement and policy let one license give a device of this registration. */
export function defaultTerms(policy: Policy, agreement: Agreement, { profile }: Registration): LicenseRequest {
  const allowed = policy.profiles?.find(({ name }) => name === profile);
  const budget = new Map<EngineClass, bigint>();
  const rate = new Map<EngineClass, bigint>();
  for (const [engineClass, cap] of agreement.caps) {
    if (policy.profiles && !allowed?.classes.includes(engineClass)) continue;
    const limits = [cap.budgetMax, policy.budgetMax && (policy.budgetMax.get(engineClass) ?? 0n)];
    const isLink = engineClass === EngineClass.LINK_TX || engineClass === EngineClass.LINK_RX;
    if (isLink) limits.push(allowed?.linkBytesMax);
    const perSecond = policy.rateMaxPerSecond && (policy.rateMaxPerSecond.get(engineClass) ?? 0n);
    const perTick = perSecond === undefined ? undefined : least([perSecond / BigInt(agreement.tickHz), cap.rateMax]);
    const work = least(limits);
    if (work === 0n || perTick === 0n) continue;
    budget.set(engineClass, work);
    if (perTick !== undefined) rate.set(engineClass, perTick);
  }
  const tickHz = BigInt(agreement.tickHz);
  const seconds = policy.licenseSecondsMax;
  const ticksMax = least([agreement.licenseTicksMax, policy.licenseTicksMax, seconds && seconds * tickHz]);
  return {
    budget: withinOperations(budget, policy),
    ticksMax,
    windowSeconds: Number(seconds ?? (ticksMax + tickHz - 1n) / tickHz),
    rate: rate.size > 0 ? rate : undefined,
    drain: policy.drainMax && drainWithin(agreement, policy.drainMax),
  };
}

/** Where all classes together would be over the policy's operations, each is cut in the same proportion. */
function withinOperations(budget: ReadonlyMap<EngineClass, bigint>, { counting, operationsMax }: Policy) {
  const counted = countedOperations(budget, counting);
  if (operationsMax === undefined || counted <= operationsMax) return budget;
  return new Map(
    [...budget].map(([engineClass, work]) => [
      engineClass,
      countedOperations(new Map([[engineClass, work]]), counting) === 0n ? work : (work * operationsMax) / counted,
    ]),
  );
}

function drainWithin({ drain }: Agreement, most: ReadonlyMap<EngineClass, bigint>) {
  return new Map([...drain].map(([engineClass, work]) => [engineClass, least([work, most.get(engineClass) ?? 0n])]));
}

function least(values: readonly (bigint | undefined)[]): bigint {
  const known = values.filter((value) => value !== undefined);
  return known.reduce((a, b) => (b < a ? b : a));
}
