/** The kinds of experiments that there are. A scenario names one of them. */
import { fleet } from "./studies/fleet/fleet.ts";
import type { Study } from "./study.ts";

export const STUDIES: readonly Study<never>[] = [fleet];
