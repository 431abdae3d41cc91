import { randomInt } from "node:crypto";
import { defineConfig } from "vitest/config";

/** Where `.ci/run` wants the results as JSON, beside what people read. */
const results = process.env.QUIESCE_TEST_RESULTS;
const wanted = process.env.QUIESCE_SEED ?? "1";
const seed = wanted === "random" ? randomInt(2 ** 31) : Number(wanted);
if (!Number.isSafeInteger(seed)) throw new Error(`QUIESCE_SEED is ${wanted}: neither a whole number nor "random"`);
// Workers and watch mode load this file again: they inherit the seed, and it is told once.
if (process.env.QUIESCE_SEED !== String(seed)) {
  process.stderr.write(
    `properties run with seed ${seed}: QUIESCE_SEED=${seed} replays them, QUIESCE_SEED=random tries others\n`,
  );
}
process.env.QUIESCE_SEED = String(seed);

/**
 * These have a process each: they put something else in a module's or a global's place, or lean on Binaryen's settings, which
 * a compilation in the same process changes.
 */
const ALONE = [
  "test/host/protocol/{key-cache,ed25519-system}.test.ts",
  "test/mutation/mutation.test.ts",
  "test/{build/size,instrument/instrument,attack/faults,attack/fuzz/coverage}.test.ts",
];

export default defineConfig({
  test: {
    projects: [
      // The others share the modules of their worker's process, which takes half a minute off their loading.
      { extends: true, test: { name: "shared", include: ["test/**/*.test.ts"], exclude: ALONE, isolate: false } },
      { extends: true, test: { name: "alone", include: ALONE } },
    ],
    setupFiles: ["test/seed.ts"],
    env: { QUIESCE_SEED: String(seed) },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: results ? ["default", ["json", { outputFile: results }]] : ["default"],
  },
});
