// Fake verifiers in a thread of their own, for callers that stand still while they ask: see sync.test.ts.
import { register } from "tsx/esm/api";

register();
await import("./fake-thread.ts");
