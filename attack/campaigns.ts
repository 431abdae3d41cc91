/** All campaigns, by name. */
import type { Campaign } from "./campaign.ts";
import { cutPairs } from "./cut-pairs.ts";
import { cuts } from "./cuts.ts";
import { doubleFaults } from "./double-faults.ts";
import { faults } from "./faults.ts";
import { flash } from "./flash.ts";
import { host } from "./host/campaign.ts";
import { soak } from "./soak/campaign.ts";
import { stateFlips } from "./state-flips.ts";

export const CAMPAIGNS: readonly Campaign[] = [cuts, cutPairs, flash, host, faults, doubleFaults, stateFlips, soak];

export function campaignOf(name: string): Campaign | undefined {
  return CAMPAIGNS.find((campaign) => campaign.name === name);
}
