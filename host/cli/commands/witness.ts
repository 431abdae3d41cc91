/** `quiesce witness`: cosigns the heads of logs. docs/witness.md */
import type { Command } from "commander";
import { group } from "../group.ts";
import { addWitnessInit } from "./witness-init.ts";
import { addWitnessServe } from "./witness-serve.ts";
import { addWitnessShow } from "./witness-show.ts";

export function addWitness(parent: Command): void {
  const witness = group(
    parent,
    "witness",
    "a witness: cosigns a log's head if it goes on from the one before, and never two of one size",
  ).addHelpText(
    "after",
    "\nExample:\n  $ quiesce witness init w1 --name witness.example/w1 --log VKEY\n" +
      "  $ quiesce witness serve --config w1/witness.json\n",
  );
  addWitnessInit(witness);
  addWitnessServe(witness);
  addWitnessShow(witness);
}
