import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { nominalTerms } from "../../../host/cli/commands/policy-input.ts";
import { deriveLimits } from "../../../host/policy/derive.ts";
import type { Fleet } from "../../../host/policy/fleet.ts";
import { leakBound } from "../../../host/policy/leak.ts";
import { POLICY_DEFAULT, type Policy } from "../../../host/policy/policy.ts";
import { PRESETS } from "../../../host/policy/presets.ts";
import { agreementOf } from "../../rig.ts";
import { ONE_BOARD } from "./operator.ts";

const BF16 = EngineClass.TENSOR_BF16;
const LEAK = 10n ** 24n;
const DAY_SECONDS = 86_400;

/** Boards of 10^15 operations a second. */
const nominal = (boards: bigint): Fleet => [
  { boards, board: { name: "h100-equivalent", peakPerSecond: new Map([[BF16, 10n ** 15n]]) } },
];
const inputOf = (fleet: Fleet, policy?: Policy) => ({ agreement: nominalTerms(fleet), fleet, policy });

describe("10^24 FLOP", () => {
  it("are 11,574 days of a board with 10^15 FLOP/s", () => {
    const { peakSeconds } = deriveLimits(LEAK, inputOf(nominal(1n)));
    expect(Math.round(peakSeconds / DAY_SECONDS)).toBe(11_574);
  });

  it.each([
    [10_000n, "1.16 d", 1.16 * DAY_SECONDS],
    [100_000n, "2.8 h", 2.8 * 3600],
    [1_000_000n, "17 min", 17 * 60],
  ])("leave a fleet of %i boards %s, which lease and license come close to and stay below", (boards, _, published) => {
    const { peakSeconds, leaseSecondsMax, licenseSecondsMax } = deriveLimits(LEAK, inputOf(nominal(boards)));
    expect(peakSeconds).toBeLessThan(published);
    expect(peakSeconds).toBeGreaterThan(0.98 * published);
    for (const seconds of [leaseSecondsMax!, licenseSecondsMax!]) {
      expect(seconds).toBeLessThan(peakSeconds);
      expect(seconds).toBeGreaterThan(peakSeconds - 3);
    }
  });

  it("are kept by the off-switch's 17 minutes with a million boards less some, and not with a million", () => {
    const policy = PRESETS.get("off-switch")!;
    const operations = (boards: bigint) => {
      const fleet = nominal(boards);
      const leak = leakBound({
        ...inputOf(fleet, policy),
        agreement: { ...nominalTerms(fleet), leaseSeconds: DAY_SECONDS },
      });
      expect(leak.boundedBy).toBe("license");
      return leak.operations;
    };
    expect(operations(998_000n)).toBeLessThanOrEqual(LEAK);
    expect(operations(1_000_000n)).toBeGreaterThan(LEAK);
  });
});

describe("what is derived", () => {
  it("keeps the leak, and a second or an operation more does not", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 6 }),
        fc.integer({ min: 18, max: 26 }),
        fc.boolean(),
        (boards, exponent, drains) => {
          const leak = 10n ** BigInt(exponent);
          const fleet = [{ boards: BigInt(boards), board: ONE_BOARD[0]!.board }];
          const drain = new Map(drains ? [[BF16, 10n ** 12n]] : []);
          const input = { agreement: { ...nominalTerms(fleet), drain, drainTicksMax: 1000n }, fleet };
          const { leaseSecondsMax, licenseSecondsMax, licenseOperationsMax } = deriveLimits(leak, input);
          const alone = (seconds: number, length: bigint, operationsMax?: bigint) => {
            const policy = { ...POLICY_DEFAULT, licenseSecondsMax: length, operationsMax };
            return leakBound({ ...input, policy, agreement: { ...input.agreement, leaseSeconds: seconds } }).alone;
          };
          if (leaseSecondsMax !== undefined) {
            expect(alone(leaseSecondsMax, 1n).lease!.operations).toBeLessThanOrEqual(leak);
            if (leaseSecondsMax < 31_536_000)
              expect(alone(leaseSecondsMax + 1, 1n).lease!.operations).toBeGreaterThan(leak);
          }
          if (licenseSecondsMax !== undefined && licenseSecondsMax < 3_155_695_200) {
            expect(alone(1, BigInt(licenseSecondsMax)).license!.operations).toBeLessThanOrEqual(leak);
            expect(alone(1, BigInt(licenseSecondsMax) + 1n).license!.operations).toBeGreaterThan(leak);
          }
          if (licenseOperationsMax !== undefined) {
            expect(alone(1, 1n, licenseOperationsMax).budget!.operations).toBeLessThanOrEqual(leak);
            expect(alone(1, 1n, licenseOperationsMax + 1n).budget!.operations).toBeGreaterThan(leak);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("is a budget in each license, half the leak of a board: one is in force and one kept back", () => {
    const fleet = [{ boards: 1000n, board: ONE_BOARD[0]!.board }];
    expect(deriveLimits(LEAK, inputOf(fleet)).licenseOperationsMax).toBe(LEAK / 2000n);
  });

  it("says where no lease keeps the leak", () => {
    const derived = deriveLimits(1n, inputOf(nominal(10n)));
    expect(derived).toMatchObject({
      leaseSecondsMax: undefined,
      licenseSecondsMax: undefined,
      licenseOperationsMax: 0n,
    });
  });
});

describe("the leak bound", () => {
  const agreement = agreementOf({ offline: false });

  it("of a fleet is that of its boards", () => {
    const one = leakBound({ agreement, fleet: ONE_BOARD });
    const many = leakBound({ agreement, fleet: [{ ...ONE_BOARD[0]!, boards: 1000n }] });
    expect(many.operations).toBe(one.operations * 1000n);
    expect(many.seconds).toBe(one.seconds);
    expect(many.workByClass.get(BF16)).toBe(one.workByClass.get(BF16)! * 1000n);
    expect(many.perBoard[0]).toMatchObject({ boards: 1000n, operations: one.operations });
  });

  it("counts the tensor units once, whatever mixture of types they compute", () => {
    const caps = new Map(
      [BF16, EngineClass.TENSOR_FP8].map((c) => [c, { budgetMax: 10n ** 30n, rateMax: 10n ** 13n }]),
    );
    const bound = leakBound({
      agreement: { ...agreement, caps, drain: new Map(), sliceTicks: 1000n },
      fleet: ONE_BOARD,
    });
    expect(bound.workByClass.get(BF16)).toBeGreaterThan(0n);
    expect(bound.operations).toBeGreaterThanOrEqual(bound.workByClass.get(EngineClass.TENSOR_FP8)!);
    expect(bound.operations - bound.workByClass.get(EngineClass.TENSOR_FP8)!).toBeLessThan(10n ** 7n);
  });

  it("counts as the policy does", () => {
    const caps = new Map([[EngineClass.TENSOR_FP64, { budgetMax: 10n ** 30n, rateMax: 10n ** 12n }]]);
    const terms = { ...agreement, caps, drain: new Map() };
    const native = leakBound({ agreement: terms, fleet: ONE_BOARD });
    const policy: Policy = { ...POLICY_DEFAULT, counting: "fp16-equivalent-or-native" };
    expect(leakBound({ agreement: terms, policy, fleet: ONE_BOARD }).operations).toBe(4n * native.operations);
  });

  it("has no license or budget bound where nothing limits the offline licenses in hand", () => {
    const bound = leakBound({ agreement: { ...agreement, offline: true, drain: new Map() }, fleet: ONE_BOARD });
    expect(Object.keys(bound.alone)).toEqual(["lease"]);
  });

  it("is none where hoarded offline licenses renew a baseline for ever", () => {
    const terms = { ...agreement, offline: true, drain: new Map(), baseline: new Map([[BF16, 1n]]) };
    expect(() => leakBound({ agreement: terms, fleet: ONE_BOARD })).toThrow("nothing limits");
    const policy: Policy = { ...POLICY_DEFAULT, offlineLicensesMax: 1n };
    expect(() => leakBound({ agreement: terms, policy, fleet: ONE_BOARD })).not.toThrow();
  });

  it("never grows when a policy limits more", () => {
    const open = leakBound({ agreement, fleet: ONE_BOARD });
    const limits: Partial<Policy>[] = [
      { budgetMax: new Map([[BF16, 10n ** 15n]]) },
      { operationsMax: 10n ** 15n },
      { licenseSecondsMax: 60n },
      { licenseTicksMax: 60_000n },
      { rateMaxPerSecond: new Map([[BF16, 10n ** 10n]]) },
      { drainMax: new Map() },
      { profiles: [{ name: "inference", classes: [BF16], linkBytesMax: 1n }] },
    ];
    for (const limit of limits) {
      const bound = leakBound({ agreement, fleet: ONE_BOARD, policy: { ...POLICY_DEFAULT, ...limit } });
      const sum = (of: typeof bound) => [...of.workByClass.values()].reduce((all, work) => all + work, 0n);
      expect(sum(bound)).toBeLessThan(sum(open));
      expect(bound.operations).toBeLessThanOrEqual(open.operations);
    }
  });
});
