/** All campaigns, by name. */
import type { Campaign } from "./campaign.ts";
import { cuts } from "./cuts.ts";
import { host } from "./host/campaign.ts";

export const CAMPAIGNS: readonly Campaign[] = [cuts, host];

export function campaignOf(name: string): Campaign | undefined {
  return CAMPAIGNS.find((campaign) => campaign.name === name);
}
