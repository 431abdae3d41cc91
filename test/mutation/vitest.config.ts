/** The suite, one file at a time, in the runner that asks it about mutants. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/mutation/setup.ts"],
    runner: "test/mutation/runner.ts",
    testTimeout: 600_000,
    maxWorkers: 1,
    reporters: [["default", { summary: false }]],
  },
});
