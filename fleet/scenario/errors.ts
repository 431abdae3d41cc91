/** What is wrong with a scenario: all of it at once, one line for each field. docs/fleet.md */
export class ScenarioError extends Error {
  readonly code = "fleet/scenario";
  /** `points[2].set.agreement.leaseSeconds: 0: must be a whole number from 1 to 86400`. */
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[], options?: ErrorOptions) {
    super(mistakes.join("\n"), options);
    this.name = "ScenarioError";
    this.mistakes = mistakes;
  }
}

/** More of them help nobody; how many were left out is said. */
const MISTAKES_SHOWN_MAX = 100;

/** Throws a `ScenarioError` where there are any. */
export function throwAny(mistakes: readonly string[]): void {
  if (mistakes.length > 0) refuse(mistakes);
}

/** Throws a `ScenarioError`. */
export function refuse(mistakes: readonly string[]): never {
  const rest = mistakes.length - MISTAKES_SHOWN_MAX;
  const shown = mistakes.slice(0, MISTAKES_SHOWN_MAX);
  throw new ScenarioError(rest > 0 ? [...shown, `and ${rest} more`] : shown);
}
