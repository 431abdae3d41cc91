import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import type { Agreement } from "../../../host/objects/agreement.ts";
import type { License } from "../../../host/objects/license.ts";
import { type LeakBinding, leakBound } from "../../../host/policy/leak.ts";
import { POLICY_DEFAULT, type Policy } from "../../../host/policy/policy.ts";
import type { Drift } from "../../../sim-board/parts/oscillator.ts";
import { agreementOf } from "../../rig.ts";
import { ONE_BOARD, Operator } from "./operator.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const DAY_SECONDS = 86_400;

const capsOf = (rateMax: bigint, budgetMax: bigint) =>
  new Map([
    [BF16, { rateMax, budgetMax }],
    [COPY, { rateMax: 10n ** 10n, budgetMax: 10n ** 18n }],
  ]);
const DRAIN = { drain: new Map([[COPY, 10n ** 12n]]), drainTicksMax: 30_000n };
const online = (change: Partial<Agreement>): Agreement => agreementOf({ offline: false, ...DRAIN, ...change });
const slow = (ppm: number): Drift => ({ model: "constant", ppm: -ppm });

interface Case {
  readonly agreement: Agreement;
  readonly drift?: Drift;
  readonly license?: Partial<License>;
  /** Seconds from now to each license's expiry; default two hours. */
  readonly lengthSeconds?: number;
  readonly policy?: Policy;
  readonly offline?: number;
  readonly boundedBy: LeakBinding;
}

const CASES: [string, Case][] = [
  ["the lease, at the hardware's peak", { agreement: online({}), drift: slow(100), boundedBy: "lease" }],
  ["a lease of one minute", { agreement: online({ leaseSeconds: 60 }), drift: slow(100), boundedBy: "lease" }],
  [
    "the lease, on a clock ten percent slow",
    { agreement: online({ driftPpm: 100_000 }), drift: slow(100_000), boundedBy: "lease" },
  ],
  [
    "the agreement's rate, with long slices in hand",
    {
      agreement: online({ leaseSeconds: 40, sliceTicks: 30_000n, caps: capsOf(10n ** 9n, 10n ** 20n) }),
      drift: slow(100),
      boundedBy: "lease",
    },
  ],
  [
    "the budget, with one license in force and one kept back",
    {
      agreement: online({ caps: capsOf(10n ** 12n, 2n * 10n ** 16n), sliceTicks: 5000n }),
      license: { budget: new Map([[BF16, 2n * 10n ** 16n]]) },
      boundedBy: "budget",
    },
  ],
  [
    "the ticks of two licenses, where the lease is a day",
    {
      agreement: online({ leaseSeconds: DAY_SECONDS, licenseTicksMax: 120_000n, sliceTicks: 5000n }),
      license: { ticksMax: 120_000n },
      drift: slow(100),
      boundedBy: "license",
    },
  ],
  [
    "the ticks of five licenses at an air-gapped site with three offline ones in hand",
    {
      agreement: online({ leaseSeconds: DAY_SECONDS, licenseTicksMax: 90_000n, sliceTicks: 5000n, offline: true }),
      license: { ticksMax: 90_000n },
      policy: { ...POLICY_DEFAULT, offlineLicensesMax: 3n },
      offline: 3,
      boundedBy: "license",
    },
  ],
  [
    "the expiry of licenses of three minutes, where the lease is a day",
    {
      agreement: online({ leaseSeconds: DAY_SECONDS }),
      lengthSeconds: 180,
      policy: { ...POLICY_DEFAULT, licenseSecondsMax: 180n },
      boundedBy: "license",
    },
  ],
];

describe("an operator who withholds the pause and every beacon after it does no more than the bound, and close to it:", () => {
  it.each(CASES)("%s", (_, given) => {
    const { agreement, policy, license = {}, lengthSeconds = 7200 } = given;
    const bound = leakBound({ agreement, policy, fleet: ONE_BOARD });
    expect(bound.boundedBy).toBe(given.boundedBy);
    const operator = new Operator(agreement, given.drift);
    const { rig } = operator;
    const idleSeconds = (Number(agreement.sliceTicks) / 1000) * 1.2;
    // Signed right before the order; the time that fills the buckets is part of a license's life where that is short.
    operator.stock(
      { drain: agreement.drain, ...license, expirySeconds: Math.ceil(rig.nowSeconds + idleSeconds) + lengthSeconds },
      given.offline,
    );
    rig.board.advance(idleSeconds);
    const intoSecond = rig.board.seconds % 1;
    rig.board.advance(intoSecond === 0 ? 0 : 1 - intoSecond);
    operator.order();
    operator.confirm();
    rig.must(rig.send(Command.BEACON, operator.beacons[0]));
    operator.runOn(bound.seconds! + 60);
    for (const engineClass of [BF16, COPY]) {
      expect(operator.done(engineClass)).toBeLessThanOrEqual(bound.workByClass.get(engineClass)!);
    }
    expect(operator.done(BF16)).toBeLessThanOrEqual(bound.operations);
    expect(Number(operator.done(BF16))).toBeGreaterThan(0.88 * Number(bound.operations));
    // Only a lapsed lease drains; a license that is over closes the gate.
    if (bound.boundedBy === "lease") expect(operator.done(COPY)).toBeGreaterThan(0n);
    expect(operator.seconds).toBeLessThanOrEqual(bound.seconds!);
  });
});

describe("the drain", () => {
  it("adds its allowance and its time to the bound, both reached on the board", () => {
    const agreement = online({
      leaseSeconds: 20,
      drain: new Map([[COPY, 10n ** 15n]]),
      drainTicksMax: 60_000n,
      driftPpm: 100_000,
    });
    const bound = leakBound({ agreement, fleet: ONE_BOARD });
    const operator = new Operator(agreement, slow(100_000));
    operator.stock({ drain: agreement.drain });
    operator.order();
    operator.confirm();
    operator.rig.must(operator.rig.send(Command.BEACON, operator.beacons[0]));
    operator.runOn(bound.seconds! + 30);
    expect(operator.seconds).toBeLessThanOrEqual(bound.seconds!);
    expect(operator.seconds).toBeGreaterThan(0.95 * bound.seconds!);
    expect(operator.done(COPY)).toBeLessThanOrEqual(bound.workByClass.get(COPY)!);
  });
});

describe("power cuts before the order is known everywhere", () => {
  it("fill the buckets anew, so that only the hardware's peak bounds the lag; after it they gain nothing", () => {
    const agreement = online({ leaseSeconds: 30, sliceTicks: 30_000n, caps: capsOf(10n ** 9n, 10n ** 20n) });
    const input = { agreement, fleet: ONE_BOARD };
    const operator = new Operator(agreement);
    operator.stock({ ticksMax: 80_000_000n });
    operator.order();
    const cycle = () => {
      operator.powerCycle();
      operator.work(BF16);
      operator.rig.board.advance(0.5);
    };
    for (let i = 0; i < 20; i++) cycle();
    const inLag = operator.done(BF16);
    expect(inLag).toBeGreaterThan(leakBound(input).workByClass.get(BF16)!);
    operator.confirm();
    operator.runOn(60);
    for (let i = 0; i < 20; i++) cycle();
    expect(operator.done(BF16)).toBeLessThanOrEqual(leakBound({ ...input, lagSeconds: 10n }).workByClass.get(BF16)!);
    expect(operator.done(BF16) - inLag).toBeLessThanOrEqual(leakBound(input).workByClass.get(BF16)!);
  });
});

describe("whatever an operator tries in whatever order", () => {
  const ACTIONS = [
    "tensor",
    "copy",
    "idle",
    "old beacon",
    "last beacon",
    "fresh beacon",
    "license",
    "power",
    "drain done",
    "diagnose",
    "pause",
  ] as const;
  const step = fc.record({ action: fc.constantFrom(...ACTIONS), seconds: fc.integer({ min: 0, max: 40 }) });

  it("stays within the bound of its agreement", () => {
    fc.assert(
      fc.property(
        fc.record({
          leaseSeconds: fc.integer({ min: 2, max: 200 }),
          sliceSeconds: fc.integer({ min: 1, max: 40 }),
          rateExponent: fc.integer({ min: 8, max: 12 }),
          licenseSeconds: fc.integer({ min: 5, max: 300 }),
          driftPpm: fc.constantFrom(0, 100, 100_000),
          sign: fc.constantFrom(-1, 0, 1),
          offline: fc.integer({ min: 0, max: 2 }),
          lagSeconds: fc.constantFrom(0, 7),
          rated: fc.boolean(),
          steps: fc.array(step, { minLength: 5, maxLength: 40 }),
        }),
        (plan) => {
          const rate = 10n ** BigInt(plan.rateExponent);
          const agreement = agreementOf({
            ...DRAIN,
            leaseSeconds: plan.leaseSeconds,
            sliceTicks: BigInt(plan.sliceSeconds) * 1000n,
            licenseTicksMax: BigInt(plan.licenseSeconds) * 1000n,
            driftPpm: plan.driftPpm,
            caps: capsOf(rate, 10n ** 17n),
            baseline: new Map([[BF16, 10n ** 12n]]),
          });
          const rates = plan.rated ? new Map([[BF16, rate / 10n]]).set(COPY, 10n ** 9n) : undefined;
          const policy: Policy = {
            ...POLICY_DEFAULT,
            offlineLicensesMax: BigInt(plan.offline),
            rateMaxPerSecond:
              rates && new Map([...rates].map(([engineClass, perTick]) => [engineClass, perTick * 1000n])),
          };
          const bound = leakBound({ agreement, policy, fleet: ONE_BOARD, lagSeconds: BigInt(plan.lagSeconds) });
          const operator = new Operator(agreement, { model: "constant", ppm: plan.sign * plan.driftPpm });
          const { rig } = operator;
          operator.beacons.push(rig.beacon());
          const license = {
            ticksMax: agreement.licenseTicksMax,
            budget: new Map([[BF16, 10n ** 17n]]).set(COPY, 10n ** 15n),
            drain: agreement.drain,
            rate: rates,
          };
          operator.stock(license, plan.offline);
          rig.board.advance(1.3);
          operator.beacons.push(rig.beacon());
          operator.order();
          let confirmed = false;
          for (const { action, seconds } of plan.steps) {
            const now = rig.board.seconds;
            if (action === "tensor") operator.work(BF16);
            else if (action === "copy") operator.work(COPY);
            else if (action === "idle") rig.board.withdraw();
            else if (action === "old beacon") rig.send(Command.BEACON, operator.beacons[0]);
            else if (action === "last beacon") rig.send(Command.BEACON, operator.beacons.at(-1));
            else if (action === "fresh beacon") rig.send(Command.BEACON, operator.freshBeacon());
            else if (action === "license" && operator.reserve.length > 0) {
              rig.send(Command.LICENSE, operator.reserve.shift());
            } else if (action === "power") operator.powerCycle();
            else if (action === "drain done") rig.send(Command.DRAIN_DONE);
            else if (action === "diagnose") rig.send(Command.DIAGNOSE);
            else if (action === "pause" && seconds === 0) rig.send(Command.ORDER, operator.pause);
            const sinceOrder = now - 1.3;
            if (!confirmed && sinceOrder + seconds >= plan.lagSeconds) {
              rig.board.advance(Math.max(0, plan.lagSeconds - sinceOrder));
              operator.confirm();
              confirmed = true;
            } else rig.board.advance(seconds);
          }
          for (const engineClass of [BF16, COPY]) {
            expect(operator.done(engineClass)).toBeLessThanOrEqual(bound.workByClass.get(engineClass)!);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
