/** All campaigns, by name. */
import type { Campaign } from "./campaign.ts";
import { cuts } from "./cuts.ts";
import { faults } from "./faults.ts";

export const CAMPAIGNS: readonly Campaign[] = [cuts, faults];

export function campaignOf(name: string): Campaign | undefined {
  return CAMPAIGNS.find((campaign) => campaign.name === name);
}
