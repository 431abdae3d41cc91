/** Parameters of the study `fleet`, as a scenario's reader fills them in. */

import { checked } from "../../fleet/scenario/schema.ts";
import { FLEET_PARAMETERS, type FleetParameters } from "../../fleet/studies/fleet/parameters.ts";

/** With the defaults of all that is not given. */
export function parametersOf(given: object): FleetParameters {
  const mistakes: string[] = [];
  const parameters = checked(FLEET_PARAMETERS, given, "parameters", mistakes);
  if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
  return parameters as FleetParameters;
}
