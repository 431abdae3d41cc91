#!/usr/bin/env node
// The command `quiesce`. The sources are TypeScript: tsx reads them as they are, from any working directory.
import { register } from "tsx/esm/api";

// The demo opens a store of its own. Its package has hundreds of files, and tsx would take its time with each.
if (process.argv[2] === "demo") await import("kysely");
register();
await import("./main.ts");
