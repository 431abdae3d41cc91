/** All campaigns, by name. */
import type { Campaign } from "./campaign.ts";
import { constantTime } from "./constant-time.ts";
import { cutPairs } from "./cut-pairs.ts";
import { cuts } from "./cuts.ts";
import { doubleFaults } from "./double-faults.ts";
import { faults } from "./faults.ts";
import { flash } from "./flash.ts";
import { fuzzCbor } from "./fuzz-cbor.ts";
import { fuzzMailbox } from "./fuzz-mailbox.ts";
import { host } from "./host/campaign.ts";
import { soak } from "./soak/campaign.ts";
import { stateFlips } from "./state-flips.ts";

export const CAMPAIGNS: readonly Campaign[] = [
  cuts,
  cutPairs,
  flash,
  host,
  faults,
  doubleFaults,
  stateFlips,
  constantTime,
  fuzzMailbox,
  fuzzCbor,
  soak,
];

export function campaignOf(name: string): Campaign | undefined {
  return CAMPAIGNS.find((campaign) => campaign.name === name);
}
