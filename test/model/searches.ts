/** What is searched: the model within three sets of bounds, and mutants, each with the claim that it must break. */
import type { Search } from "./spin.ts";

/** A license and an order with a cut; two orders with a cut; and orders alone with two, while the flash is copied, swapped, put back and worn. */
const BOUNDS = {
  license: ["FLASH=0", "CUTS=1", "EPOCHS=1", "LICENSES=1"],
  orders: ["FLASH=0", "CUTS=1", "EPOCHS=2", "LICENSES=0"],
  bench: ["FLASH=1", "CUTS=2", "EPOCHS=1", "LICENSES=0"],
} as const;

/** One search holds all claims; the other asserts that from every state reached the parties open the gate again. */
export const SEARCHES: readonly Search[] = Object.entries(BOUNDS).flatMap(([name, defines]) => [
  { name, defines, claim: "all" },
  { name: `${name}, reversible`, defines: [...defines, "REVERSIBLE"], claim: undefined },
]);

/** The guard that is taken out, by its number in the model, and the claim that it holds up. */
const GUARDS: readonly (readonly [string, number, string, keyof typeof BOUNDS])[] = [
  ["CHALLENGE", 1, "licensed", "license"],
  ["SEQUENCE", 2, "once", "license"],
  ["EPOCH", 3, "licensed", "license"],
  ["EPOCH_TO_OPEN", 4, "epochs", "license"],
  ["QUORUM", 5, "licensed", "license"],
  ["RESUME_QUORUM", 6, "paused", "orders"],
  ["ORDER_EPOCH", 7, "epochs", "orders"],
  ["RECORD_FIRST", 9, "counted", "license"],
  ["COUNTER", 10, "epochs", "bench"],
  ["BOOT_RECORD", 11, "epochs", "bench"],
  ["SECOND_RECORD", 12, "epochs", "bench"],
  ["LOST_COUNTS", 13, "counted", "license"],
  ["DRAIN_ONCE", 14, "once", "license"],
  ["LEASES", 15, "withheld", "license"],
  ["WITHHELD", 16, "withheld", "license"],
  ["DIGEST", 17, "withheld", "license"],
  ["TIME_NONCES", 18, "withheld", "license"],
  ["PAUSE_RECORD", 19, "epochs", "bench"],
];

export const MUTANTS: readonly Search[] = GUARDS.map(([guard, number, claim, bounds]) => ({
  name: `without ${guard}`,
  defines: [...BOUNDS[bounds], `WITHOUT=${number}`],
  claim,
}));
