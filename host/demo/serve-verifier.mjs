// `quiesce verifier serve` as the demo starts it: it ends with the demo, however that ends.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdin.unref();
// Packages of hundreds of files are loaded before tsx stands in between, which takes its time with each.
await Promise.all(["fastify", "kysely", "pino", "@sinclair/typebox"].map((name) => import(name)));
await import("../cli/quiesce.mjs");
