/** `quiesce courier`: sites without a network, through files on a stick. docs/courier.md */
import type { Command } from "commander";
import { group } from "../group.ts";
import { addCourierPack } from "./courier-pack.ts";
import { addCourierUnpack } from "./courier-unpack.ts";

export function addCourier(parent: Command): void {
  const courier = group(parent, "courier", "sites without a network: boards and verifiers through files on a stick");
  courier.addHelpText(
    "after",
    `
Examples:
  $ quiesce courier pack out --verifier https://north.example --site hall-1 --token-file ada.token
  $ quiesce courier unpack out --boards /run/boards
  $ quiesce courier pack back --boards /run/boards --with out
  $ quiesce courier unpack back --verifier https://north.example --answers out
`,
  );
  addCourierPack(courier);
  addCourierUnpack(courier);
}
