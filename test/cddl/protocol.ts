/** The CDDL that docs/protocol.md holds, all blocks together. */
import { readFileSync } from "node:fs";
import { Cddl } from "./match.ts";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

export const protocol = new Cddl([...page.matchAll(/^```cddl\n(.*?)^```$/gms)].map(([, block]) => block).join("\n"));
