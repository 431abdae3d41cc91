// One verifier of the demo, as its configuration says: until SIGTERM, or until the demo is gone.
import { register } from "tsx/esm/api";

process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdin.unref();
// Packages of hundreds of files are loaded before tsx stands in between, which takes its time with each.
await Promise.all(["fastify", "kysely", "pino", "@sinclair/typebox"].map((name) => import(name)));
register();
const { readConfigFile } = await import("../service/config/read-config.ts");
const { openVerifier } = await import("../service/open.ts");
const { runVerifier } = await import("../http/run.ts");
const { pino } = await import("pino");
const config = readConfigFile(process.argv[5], process.env);
const open = await openVerifier(config, { boardKind: () => undefined });
const running = await runVerifier(config, open, {
  logger: pino({ level: config.logLevel }, pino.destination(2)),
  version: "0.1.0",
  policy: {},
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => running.close());
