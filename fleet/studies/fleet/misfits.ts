/** What may be wrong with parameters, as a table: of its rows those that are. */
import type { Misfit } from "../../study.ts";

type Case = Misfit & { readonly isWrong: boolean };

export function wrongOf(cases: readonly Case[]): Misfit[] {
  return cases.filter(({ isWrong }) => isWrong).map(({ path, value, allowed }) => ({ path, value, allowed }));
}
