/** The hostile host: one table of named attacks on the governor that ships. */
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import { type Campaign, type CampaignOptions, type Outcome, runCases } from "../campaign.ts";
import { governorImage } from "../rig.ts";
import { perform } from "./attack.ts";
import { Bench } from "./bench.ts";
import { ATTACKS } from "./table.ts";

/** How often an attack repeats itself that lives of repetition; and in a run of bounded cases. */
const REPEATS = 10_000;
const REPEATS_BOUNDED = 50;

export const host: Campaign = {
  name: "host",
  about: "named attacks by whoever owns the boards: replay, withhold, cut, forge, flood, lie about the time",
  claim: "each is answered as its entry says, and no work is done that was not licensed",
  run: (options) => attackWith(governorImage(), options),
};

/** Runs the table against any governor. */
export function attackWith(image: GovernorImage, options: CampaignOptions): Outcome {
  const bench = new Bench(image, options.seed, options.casesMax === undefined ? REPEATS : REPEATS_BOUNDED);
  return runCases(
    "host",
    {
      count: ATTACKS.length,
      named: true,
      idOf: (index) => ATTACKS[index]!.name,
      indexOf(id) {
        const index = ATTACKS.findIndex(({ name }) => name === id);
        return index < 0 ? undefined : index;
      },
      run: (index) => perform(ATTACKS[index]!, bench),
    },
    options,
  );
}
