/** All campaigns, by name. */
import type { Campaign } from "./campaign.ts";
import { cuts } from "./cuts.ts";

export const CAMPAIGNS: readonly Campaign[] = [cuts];

export function campaignOf(name: string): Campaign | undefined {
  return CAMPAIGNS.find((campaign) => campaign.name === name);
}
