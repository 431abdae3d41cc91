import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import type { License } from "../../../host/objects/license.ts";
import { POLICY_DEFAULT, type Policy, type PolicyCap } from "../../../host/policy/policy.ts";
import {
  CHECK_NAMES,
  type CheckName,
  type PolicyDevice,
  type PolicyUsage,
  policyVerdict,
  scopeKey,
} from "../../../host/policy/verdict.ts";

const BF16 = EngineClass.TENSOR_BF16;
const FP64 = EngineClass.TENSOR_FP64;
const TX = EngineClass.LINK_TX;
const NOW = 1_800_000_000;
const ueid = (byte: number) => new Uint8Array(33).fill(byte);
const hex = (byte: number) => Buffer.from(ueid(byte)).toString("hex");

const LICENSE: License = {
  expirySeconds: NOW + 900,
  notBeforeSeconds: NOW,
  nonce: new Uint8Array(32),
  ueid: ueid(1),
  agreementDigest: new Uint8Array(32),
  epoch: 0,
  sequence: 1n,
  budget: new Map([[BF16, 1000n]]),
  ticksMax: 900_000n,
  svnLeast: 0,
};
const { ueid: _one, nonce: _challenge, ...UNNAMED } = LICENSE;
const OFFLINE: License = { ...UNNAMED, ueid: ueid(1) };
const COHORT: License = { ...UNNAMED, cohort: [ueid(1), ueid(2)] };
const DEVICE: PolicyDevice = { party: "lab", site: "north", model: "H100", agreement: { tickHz: 1000 } };
const USAGE: PolicyUsage = { nowSeconds: NOW, offlineLicenses: 0n, licensedUeids: [], scopes: new Map() };

type Row = {
  policy: Partial<Policy>;
  license?: Partial<License>;
  device?: Partial<PolicyDevice>;
  usage?: Partial<PolicyUsage>;
};
const verdict = ({ policy, license, device, usage }: Row) =>
  policyVerdict(
    { ...LICENSE, ...license },
    { ...DEVICE, ...device },
    { ...POLICY_DEFAULT, ...policy },
    { ...USAGE, ...usage },
  );

const cap: PolicyCap = { per: "site", boardsMax: 2n, operationsMax: 5000n, periodSeconds: 3600n };
const used = (boards: bigint, operations: bigint) => ({
  scopes: new Map([[scopeKey(cap, DEVICE), { boards, operations }]]),
});
const inForce = (leftSeconds: number, budgetLeft: bigint) => ({
  inForce: {
    issuedSeconds: NOW + leftSeconds - 1000,
    expirySeconds: NOW + leftSeconds,
    budget: new Map([[BF16, 1000n]]),
    budgetLeft: new Map([[BF16, budgetLeft]]),
  },
});
const sets = (...ueids: string[][]) => ({
  fixedSets: { peerSets: ueids.map((set, i) => ({ name: `set ${i}`, ueids: set })) },
});
const profiles = { profiles: [{ name: "inference" as const, classes: [BF16, TX], linkBytesMax: 100n }] };

const OBJECTIONS: [CheckName, string, Row][] = [
  ["budget", "over the budget of a class", { policy: { budgetMax: new Map([[BF16, 999n]]) } }],
  ["budget", "of a class that is not named", { policy: { budgetMax: new Map([[FP64, 5000n]]) } }],
  ["operations", "over all operations", { policy: { operationsMax: 999n } }],
  [
    "operations",
    "over all operations as they count in 16 bits",
    {
      policy: { operationsMax: 3999n, counting: "fp16-equivalent-or-native" },
      license: { budget: new Map([[FP64, 1000n]]) },
    },
  ],
  ["length", "that lasts too long", { policy: { licenseSecondsMax: 899n } }],
  ["length", "of too many ticks", { policy: { licenseTicksMax: 899_999n } }],
  ["renewal", "too early", { policy: { renewalMarginPermille: 150n }, usage: inForce(151, 151n) }],
  ["rate", "without a rate", { policy: { rateMaxPerSecond: new Map([[BF16, 1000n]]) } }],
  [
    "rate",
    "too fast",
    { policy: { rateMaxPerSecond: new Map([[BF16, 1999n]]) }, license: { rate: new Map([[BF16, 2n]]) } },
  ],
  ["drain", "with too wide a drain", { policy: { drainMax: new Map() }, license: { drain: new Map([[TX, 1n]]) } }],
  [
    "baseline",
    "under an agreement with too high a baseline",
    {
      policy: { baselinePermilleMax: 10n },
      device: { agreement: { tickHz: 1000, baseline: new Map([[BF16, 11n]]) } },
    },
  ],
  ["offline", "without a nonce", { policy: { offlineLicensesMax: 0n }, license: { nonce: undefined } }],
  ["caps", "for one board too many", { policy: { caps: [cap] }, usage: used(2n, 0n) }],
  ["caps", "over the operations of its period", { policy: { caps: [cap] }, usage: used(0n, 4001n) }],
  ["caps", "where nobody knows the usage", { policy: { caps: [cap] } }],
  [
    "fixed-sets",
    "with too many others",
    { policy: { fixedSets: { boardsTogetherMax: 2n } }, usage: { licensedUeids: [hex(2), hex(3)] } },
  ],
  ["fixed-sets", "for a board in no set", { policy: sets([hex(2)]) }],
  ["fixed-sets", "across sets", { policy: sets([hex(1)], [hex(2)]), usage: { licensedUeids: [hex(2)] } }],
  ["profile", "for a board without a profile", { policy: profiles }],
  [
    "profile",
    "of a class that its profile lacks",
    { policy: profiles, device: { profile: "inference" }, license: { budget: new Map([[FP64, 1n]]) } },
  ],
  [
    "profile",
    "over its profile's link budget",
    { policy: profiles, device: { profile: "inference" }, license: { budget: new Map([[TX, 101n]]) } },
  ],
];

describe("a policy objects to a license", () => {
  it.each(OBJECTIONS)("(%s) %s, and by this check alone", (check, _, row) => {
    const objections = verdict(row);
    expect(objections.map((objection) => objection.check)).toEqual([check]);
    expect(objections[0]!.message).toMatch(/^\S.*/);
  });

  it("of a cohort, where it signs none, and counts each of its boards", () => {
    const judge = (policy: Partial<Policy>, usage: Partial<PolicyUsage> = {}) =>
      policyVerdict(COHORT, DEVICE, { ...POLICY_DEFAULT, ...policy }, { ...USAGE, ...usage }).map(({ check }) => check);
    expect(judge({ cohortLicenses: false })).toEqual(["cohort"]);
    expect(judge({ cohortLicenses: true })).toEqual([]);
    expect(judge({ caps: [cap] }, used(1n, 0n))).toEqual(["caps"]);
    expect(judge({ caps: [cap] }, used(0n, 3001n))).toEqual(["caps"]);
    expect(judge({ caps: [cap] }, used(0n, 3000n))).toEqual([]);
  });

  it("by every check that there is, somewhere in this table", () => {
    expect(new Set([...OBJECTIONS.map(([check]) => check), "cohort"])).toEqual(new Set(CHECK_NAMES));
  });

  it("for each reason at once", () => {
    const policy = { operationsMax: 1n, licenseSecondsMax: 1n, budgetMax: new Map<EngineClass, bigint>() };
    expect(verdict({ policy }).map(({ check }) => check)).toEqual(["budget", "operations", "length"]);
  });
});

describe("a policy lets a license be signed", () => {
  it.each<[string, Row]>([
    ["where nothing is limited", { policy: {} }],
    ["right at its budget", { policy: { budgetMax: new Map([[BF16, 1000n]]), operationsMax: 1000n } }],
    ["right at its length", { policy: { licenseSecondsMax: 900n, licenseTicksMax: 900_000n } }],
    ["when the time is nearly over", { policy: { renewalMarginPermille: 150n }, usage: inForce(150, 1000n) }],
    ["when a budget is nearly used", { policy: { renewalMarginPermille: 150n }, usage: inForce(900, 150n) }],
    ["when the board holds none", { policy: { renewalMarginPermille: 0n } }],
    ["right at its caps", { policy: { caps: [cap] }, usage: used(1n, 4000n) }],
    ["whom a named cap does not mean", { policy: { caps: [{ ...cap, name: "south" }] } }],
    [
      "that is licensed already, in its set",
      { policy: sets([hex(1), hex(2)]), usage: { licensedUeids: [hex(1), hex(2)] } },
    ],
    ["of its profile", { policy: profiles, device: { profile: "inference" } }],
  ])("%s", (_, row) => {
    expect(verdict(row)).toEqual([]);
  });

  it("without a nonce as often as it says", () => {
    const policy = { ...POLICY_DEFAULT, offlineLicensesMax: 2n };
    expect(policyVerdict(OFFLINE, DEVICE, policy, { ...USAGE, offlineLicenses: 1n })).toEqual([]);
    expect(policyVerdict(OFFLINE, DEVICE, policy, { ...USAGE, offlineLicenses: 2n })).toHaveLength(1);
  });
});
