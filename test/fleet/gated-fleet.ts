/** The study `fleet` for tests of workers that are killed: its first cell goes through, the others when there is a file. */
import { Type } from "@sinclair/typebox";
import { fleet } from "../../fleet/studies/fleet/fleet.ts";
import { FLEET_PARAMETERS, type FleetParameters } from "../../fleet/studies/fleet/parameters.ts";
import type { Study } from "../../fleet/study.ts";
import { isOpen } from "./gated.ts";

interface GatedFleet {
  readonly gate: string;
  readonly fleet: FleetParameters;
}

const gatedFleet: Study<GatedFleet> = {
  ...fleet,
  name: "gated-fleet",
  parameters: Type.Object(
    { gate: Type.String({ minLength: 1 }), fleet: FLEET_PARAMETERS },
    { additionalProperties: false },
  ),
  check: ({ fleet: parameters }) => fleet.check!(parameters),
  cells: ({ fleet: parameters }) => fleet.cells(parameters),
  async run({ gate, fleet: parameters }, place) {
    if (place.cell > 0) await isOpen(gate);
    return fleet.run(parameters, place);
  },
  merge: ({ fleet: parameters }, cells) => fleet.merge(parameters, cells),
  estimate: ({ fleet: parameters }) => fleet.estimate(parameters),
};

export const STUDIES: readonly Study<never>[] = [gatedFleet];
