/**
 * What an operator who cheats does: traits that go together in any combination. Each works through what an operator has:
 * the wire between agent and board, the plug, the crystal; `bypass-gate` alone stands for a chip that was opened.
 */

export interface Trait {
  readonly name: string;
  /** What it tries, for people. */
  readonly tries: string;
}

export const TRAITS = [
  {
    name: "withhold-orders",
    tries:
      "Orders never reach the board, nor any beacon or time proof that names one: it works on until its lease ends.",
  },
  {
    name: "hoard-beacons",
    tries: "Beacons are kept and handed out one at a time, each as the lease ends, to stretch them past a pause.",
  },
  {
    name: "slow-clock",
    tries: "The board's oscillator is slowed, so that lease and license last longer than they say.",
  },
  {
    name: "cycle-power",
    tries: "Power is cut every half lease, before a pause and after it, to make the governor forget.",
  },
  {
    name: "replay-licenses",
    tries: "Licenses that were used are given to the board again, after every order and every cut.",
  },
  {
    name: "bypass-gate",
    tries:
      "The chip was opened and its gate bridged: it works at full rate and meters nothing. No firmware holds that.",
  },
] as const satisfies readonly Trait[];

export type TraitName = (typeof TRAITS)[number]["name"];

export type Strategy = ReadonlySet<TraitName>;

export const HONEST: Strategy = new Set();

export function strategyOf(names: readonly TraitName[]): Strategy {
  return new Set(names);
}
