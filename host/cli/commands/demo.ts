import type { Command } from "commander";
export function addDemo(parent: Command): void {
  void parent;
}
