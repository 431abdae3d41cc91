// The thread behind host/client/sync.ts. Threads do not inherit what runs TypeScript: it is set up here again.
import { register } from "tsx/esm/api";

register();
await import("./sync-worker.ts");
