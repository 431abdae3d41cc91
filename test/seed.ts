/**
 * One seed for all properties of a run, so that what a commit's tests say depends on the commit alone. The seed is
 * `QUIESCE_SEED` (a number, or `random` for one that was never tried); `vitest.config.ts` prints it.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.QUIESCE_SEED) });
