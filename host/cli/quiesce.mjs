#!/usr/bin/env node
// The command `quiesce`. The sources are TypeScript: tsx reads them as they are, from any working directory.
import { register } from "tsx/esm/api";

register();
await import("./main.ts");
