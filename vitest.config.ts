import { defineConfig } from "vitest/config";

/** Where `.ci/run` wants the results as JSON, beside what people read. */
const results = process.env.QUIESCE_TEST_RESULTS;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: results ? ["default", ["json", { outputFile: results }]] : ["default"],
  },
});
