/** The kinds of experiments that there are. A scenario names one of them. */
import type { Study } from "./study.ts";

export const STUDIES: readonly Study<never>[] = [];
