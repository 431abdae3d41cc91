import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { PolicyError } from "../../../host/policy/errors.ts";
import { PRESETS } from "../../../host/policy/presets.ts";
import { policyDocument, readPolicy } from "../../../host/policy/read-policy.ts";

const UEID = `01${"ab".repeat(32)}`;
const FULL = {
  format: "quiesce-policy/1",
  name: "full",
  title: "Everything that can be said",
  source: "this test",
  counting: "fp16-equivalent-or-native",
  budgetMax: { tensor_bf16: "3.6e18 FLOP", copy: "1TB" },
  operationsMax: "1e19FLOP",
  licenseSecondsMax: "15min",
  licenseTicksMax: "9e5 ticks",
  renewalMarginPermille: 200,
  rateMaxPerSecond: { tensor_bf16: "1e15FLOP/s", copy: "3TB/s" },
  drainMax: { copy: "80GB", link_tx: "80GB" },
  baselinePermilleMax: 10,
  offlineLicensesMax: 2,
  cohortLicenses: true,
  caps: [
    { per: "party", name: "lab", boardsMax: 16 },
    { per: "site", operationsMax: "1e22FLOP", periodSeconds: "1d" },
  ],
  fixedSets: { boardsTogetherMax: 8, peerSets: [{ name: "pod", ueids: [UEID] }] },
  profiles: [{ name: "inference", classes: ["tensor_bf16", "link_tx"], linkBytesMax: "1GB" }],
};
const preset = (name: string) => PRESETS.get(name)!;
const read = (change: object) => readPolicy(JSON.stringify({ ...FULL, ...change }));

describe("a policy document", () => {
  it("is read with exact amounts", () => {
    const policy = read({});
    expect(policy.budgetMax).toEqual(
      new Map([[EngineClass.TENSOR_BF16, 36n * 10n ** 17n]]).set(EngineClass.COPY, 10n ** 12n),
    );
    expect(policy.licenseSecondsMax).toBe(900n);
    expect(policy.caps?.[1]).toMatchObject({ per: "site", operationsMax: 10n ** 22n, periodSeconds: 86_400n });
  });

  it("that is written is read back as the same policy", () => {
    expect(readPolicy(JSON.stringify(policyDocument(read({}))))).toEqual(read({}));
  });

  it.each([
    [
      "another format",
      { format: "quiesce-policy/2" },
      /^format: "quiesce-policy\/2": must be one of quiesce-policy\/1/,
    ],
    ["no name", { name: undefined }, /^name: it is missing: must be given/],
    ["a name that writes over the terminal", { name: "a\u001b[2J" }, /^name: .*printable/],
    ["another counting", { counting: "fp8" }, /^counting: "fp8": must be one of native, fp16-equivalent-or-native/],
    ["a field that it does not know", { licenseMinutesMax: 15 }, /^licenseMinutesMax: 15: no such field here/],
    [
      "a number where a text must be",
      { operationsMax: 1e19 },
      /^operationsMax: 1.*: must be a text such as "1e18FLOP"/,
    ],
    [
      "a unit of something else",
      { operationsMax: "1GB" },
      /^operationsMax: "1GB": must be a whole number of operations/,
    ],
    ["a class that is none", { budgetMax: { bf16: "1" } }, /^budgetMax\.bf16: .*no such class: tensor_fp64/],
    ["bytes in operations", { budgetMax: { copy: "1FLOP" } }, /^budgetMax\.copy: "1FLOP": must be .* bytes/],
    ["a license of no length", { licenseSecondsMax: "0s" }, /^licenseSecondsMax: "0s": must be at least 1s/],
    ["a margin over 1000", { renewalMarginPermille: 1001 }, /^renewalMarginPermille: 1001: .* from 0 to 1000/],
    ["a fraction", { renewalMarginPermille: 0.5 }, /^renewalMarginPermille: 0.5/],
    ["a drain over 64 bits", { drainMax: { copy: "1e20B" } }, /^drainMax\.copy: "1e20B": must be at least/],
    ["a cap of nothing", { caps: [{ per: "party" }] }, /^caps\[0\]\.boardsMax: it is missing/],
    ["a cap of nobody", { caps: [{ per: "rack", boardsMax: 1 }] }, /^caps\[0\]\.per: "rack": must be one of party/],
    ["a period of boards", { caps: [{ per: "site", boardsMax: 1, periodSeconds: "1d" }] }, /^caps\[0\]\.periodSeconds/],
    ["a named fleet", { caps: [{ per: "fleet", name: "x", boardsMax: 1 }] }, /^caps\[0\]\.name: "x"/],
    ["an empty list", { caps: [] }, /^caps: 0: must be a list of 1 to 64/],
    ["a board in two sets", { fixedSets: { peerSets: [{ name: "a", ueids: [UEID, UEID] }] } }, /one peer set only/],
    ["a UEID that is none", { fixedSets: { peerSets: [{ name: "a", ueids: ["01"] }] } }, /peerSets\[0\]\.ueids\[0\]/],
    ["a profile twice", { profiles: [FULL.profiles[0], FULL.profiles[0]] }, /^profiles: .*once/],
    ["cohorts without offline licenses", { offlineLicensesMax: 0 }, /^cohortLicenses: true/],
    ["an object as a list", { profiles: {} }, /^profiles: \{\}: must be a list/],
  ])("with %s is refused: field, value, what is allowed", (_, change, message) => {
    expect(() => read(change)).toThrow(message);
  });

  it.each(["", "[]", "null", "1", "{", `"${"x".repeat(100)}"`])("that is '%s' is refused in a short line", (text) => {
    expect(() => readPolicy(text)).toThrow(PolicyError);
    expect(() => readPolicy(text)).toThrow(/^.{1,160}$/);
  });

  it("over its length is refused before it is parsed", () => {
    expect(() => readPolicy(" ".repeat(2 ** 21))).toThrow("characters");
  });
});

describe("the presets", () => {
  it.each([...PRESETS.keys()])("%s says where it comes from and is a document that can be edited", (name) => {
    const policy = preset(name);
    expect(policy.source!.length).toBeGreaterThan(20);
    expect(policy.title!.length).toBeGreaterThan(20);
    expect(readPolicy(JSON.stringify(policyDocument(policy)))).toEqual(policy);
  });

  it("hold the published figures", () => {
    const party = (name: string) => preset(name).caps![0]!.operationsMax;
    expect(party("eu-ai-act-systemic-risk")).toBe(10n ** 25n);
    expect(party("eu-ai-act-general-purpose")).toBe(10n ** 23n);
    expect(party("california-sb-53")).toBe(10n ** 26n);
    expect(party("miri-monitored")).toBe(10n ** 24n);
    expect(party("miri-unmonitored")).toBe(10n ** 22n);
    expect(preset("miri-unmonitored").fixedSets!.boardsTogetherMax).toBe(16n);
    expect(preset("miri-monitored").counting).toBe("fp16-equivalent-or-native");
    expect(preset("rand-offline")).toMatchObject({ operationsMax: 10n ** 18n, baselinePermilleMax: 10n });
    expect(preset("off-switch").licenseSecondsMax).toBe(1000n);
    expect(preset("commercial-lease")).toMatchObject({ licenseSecondsMax: 7_776_000n, renewalMarginPermille: 150n });
  });
});
