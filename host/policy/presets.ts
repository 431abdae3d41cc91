/**
 * Policies from published rules, each with its source. They set what the rule sets and nothing else: put together what
 * you need, or start from one and edit it. docs/policy.md says how far a rule on models or runs can be put as a rule on
 * boards.
 */
import { POLICY_FORMAT, type Policy } from "./policy.ts";
import { readPolicy } from "./read-policy.ts";

/** As documents, so that they are read and checked like anybody's. */
const DOCUMENTS: readonly Record<string, unknown>[] = [
  {
    name: "eu-ai-act-systemic-risk",
    title: "No party licenses more than 10^25 FLOP in all",
    source: "Regulation (EU) 2024/1689 (AI Act), Article 51(2): cumulative training compute greater than 10^25 FLOP",
    counting: "native",
    caps: [{ per: "party", operationsMax: "1e25FLOP" }],
  },
  {
    name: "eu-ai-act-general-purpose",
    title: "No party licenses more than 10^23 FLOP in all",
    source: "European Commission guidelines on general-purpose AI models under Regulation (EU) 2024/1689: 10^23 FLOP",
    counting: "native",
    caps: [{ per: "party", operationsMax: "1e23FLOP" }],
  },
  {
    name: "california-sb-53",
    title: "No party licenses more than 10^26 operations in all",
    source: "California SB 53 (2025), frontier model: more than 10^26 integer or floating-point operations",
    counting: "native",
    caps: [{ per: "party", operationsMax: "1e26OP" }],
  },
  {
    name: "miri-monitored",
    title: "No party licenses more than 10^24 FLOP in all, counted as FP16 or native, whichever is higher",
    source: "MIRI draft agreement, arXiv 2511.10783: training above 10^24 FLOP prohibited, 10^22 to 10^24 monitored",
    counting: "fp16-equivalent-or-native",
    caps: [{ per: "party", operationsMax: "1e24FLOP" }],
  },
  {
    name: "miri-unmonitored",
    title: "At most 16 boards together and 10^22 FLOP a party, counted as FP16 or native, whichever is higher",
    source: "MIRI draft agreement, arXiv 2511.10783: at most 16 H100-equivalents and 10^22 FLOP without monitoring",
    counting: "fp16-equivalent-or-native",
    caps: [{ per: "party", operationsMax: "1e22FLOP" }],
    fixedSets: { boardsTogetherMax: 16 },
  },
  {
    name: "rand-offline",
    title: "Offline licenses of 10^18 FLOP, one in hand at a time, baseline 1 %",
    source: "RAND, Hardware-Enabled Governance Mechanisms: offline licensing, example budget 10^18 FLOP, baseline 1 %",
    counting: "native",
    operationsMax: "1e18FLOP",
    baselinePermilleMax: 10,
    offlineLicensesMax: 1,
    cohortLicenses: false,
  },
  {
    name: "off-switch",
    title: "Licenses of 17 minutes, online only",
    source: "Embedded off-switch prototype: 10^12 cycles a license, which are 1,000 s = 17 min at 1 GHz",
    counting: "native",
    licenseSecondsMax: "1000s",
    offlineLicensesMax: 0,
    cohortLicenses: false,
  },
  {
    name: "commercial-lease",
    title: "Licenses of 90 days, renewed when 15 % of the time is left",
    source: "Commercial GPU software licensing (NVIDIA's license service): lease of at most 90 days, renewal at 15 %",
    counting: "native",
    licenseSecondsMax: "90d",
    renewalMarginPermille: 150,
  },
];

export const PRESETS: ReadonlyMap<string, Policy> = new Map(
  DOCUMENTS.map((document) => {
    const policy = readPolicy(JSON.stringify({ format: POLICY_FORMAT, ...document }));
    return [policy.name, policy];
  }),
);
