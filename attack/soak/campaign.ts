/** The whole system by seed: runs of many seeds, one after the other, for as long as there is time. */
import { type Campaign, type CampaignOptions, type Outcome, Tally, UnknownCase } from "../campaign.ts";
import { Counts } from "./counts.ts";
import { type RunParts, runSeed } from "./run.ts";

/** Where nobody says for how long. */
const MINUTES = 1;
const SEED = /^[A-Za-z0-9._-]{1,64}$/;

export const soak: Campaign = {
  name: "soak",
  about: "boards, agent, verifiers, parties, network and clocks in one run by seed, with faults of all kinds at once",
  claim: "S1 to S9 and the books hold throughout; after the faults all boards work, pause and resume",
  takesMinutes: true,
  casesInTests: 6,
  run: (options) => soakWith({}, options),
};

/** Runs any governor, with or without something planted. @throws UnknownCase */
export async function soakWith(parts: RunParts, options: CampaignOptions): Promise<Outcome> {
  const { seed, only, progress } = options;
  const id = only ?? seed;
  if (!SEED.test(id)) throw new UnknownCase(`a seed is 1 to 64 letters, digits, dots and hyphens, not "${id}"`);
  const { casesMax, seconds } = boundsOf(options);
  const begun = performance.now();
  const secondsGone = () => (performance.now() - begun) / 1000;
  const counts = new Counts();
  const tally = new Tally();
  let tried = 0;
  for (const one of only === undefined ? seedsFrom(seed) : [only]) {
    if (tried >= casesMax || secondsGone() >= seconds) break;
    const { finding, counts: happened } = await runSeed(one, parts);
    counts.addAll(happened);
    tally.add(one, "came back", finding);
    tried++;
    const [done, total] = Number.isFinite(seconds) ? [secondsGone(), seconds] : [tried, casesMax];
    progress?.({ done: Math.min(done, total), total, findings: tally.findingCount });
  }
  return { campaign: "soak", seed, cases: tried, tried, ...tally.outcome, counts: counts.all() };
}

/** A number of cases alone has no end in time. */
function boundsOf({ casesMax, minutes, only }: CampaignOptions): { casesMax: number; seconds: number } {
  if (only !== undefined) return { casesMax: 1, seconds: Number.POSITIVE_INFINITY };
  const isBounded = casesMax !== undefined && minutes === undefined;
  return {
    casesMax: casesMax ?? Number.POSITIVE_INFINITY,
    seconds: isBounded ? Number.POSITIVE_INFINITY : (minutes ?? MINUTES) * 60,
  };
}

/** The seed of each run is the case's id. */
function* seedsFrom(first: string): Generator<string> {
  const isNumber = /^[0-9]{1,18}$/.test(first);
  for (let i = 0n; ; i++) yield isNumber ? String(BigInt(first) + i) : i === 0n ? first : `${first}.${i}`;
}
