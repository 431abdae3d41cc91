// A thread that runs cells. Threads do not inherit what runs TypeScript: it is set up here again.
import { register } from "tsx/esm/api";

register();
await import("./cell-thread.ts");
