/** Properties run from a seed, and end at the first failure: nobody reads a smaller example of what a mutant did. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.QUIESCE_SEED ?? 1), endOnFailure: true });
