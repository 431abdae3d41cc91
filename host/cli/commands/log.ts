/** `quiesce log`: what a log holds, whether it is honest, and proofs of it. docs/log.md */
import type { Command } from "commander";
import { group } from "../group.ts";
import { addLogAudit } from "./log-audit.ts";
import { addLogFsck } from "./log-fsck.ts";
import { addLogHeads } from "./log-heads.ts";
import { addLogMonitor } from "./log-monitor.ts";
import { addLogProve } from "./log-prove.ts";
import { addLogVerify } from "./log-verify.ts";

export function addLog(parent: Command): void {
  const log = group(parent, "log", "a log of licenses and orders: follow it, look through it, prove by it").addHelpText(
    "after",
    `
Examples:
  $ quiesce log monitor https://north.example/log --mirror mirror --agreement agreement.cbor
  $ quiesce log audit mirror --device 01... --agreement agreement.cbor
  $ quiesce log prove mirror --leaf 12 --out license.tlog-proof --agreement agreement.cbor
  $ quiesce log verify license.tlog-proof --agreement agreement.cbor
`,
  );
  addLogVerify(log);
  addLogMonitor(log);
  addLogAudit(log);
  addLogProve(log);
  addLogFsck(log);
  addLogHeads(log);
}
