/** Studies by the modules that they stand in, so that threads and other processes find the same ones. */
import type { Study } from "../study.ts";
import { RunError } from "./errors.ts";

/** The studies that come with Quiesce. */
export const BUILT_IN_STUDIES = new URL("../studies.ts", import.meta.url).href;

/** Of modules that export `STUDIES`, by their URLs. A later one of a name that is there already is refused. */
export async function studiesOf(modules: readonly string[]): Promise<readonly Study<never>[]> {
  const studies: Study<never>[] = [];
  for (const module of modules) {
    const { STUDIES } = (await import(module)) as { STUDIES?: readonly Study<never>[] };
    if (!Array.isArray(STUDIES)) throw new RunError("fleet/study", `${module} exports no STUDIES`);
    for (const study of STUDIES as readonly Study<never>[]) {
      if (studies.some(({ name }) => name === study.name)) {
        throw new RunError("fleet/study", `${module} has a study ${study.name}, and there is one of this name already`);
      }
      studies.push(study);
    }
  }
  return studies;
}

/** Throws a `RunError`. */
export function studyOf(studies: readonly Study<never>[], name: string): Study<never> {
  const study = studies.find((one) => one.name === name);
  if (!study) throw new RunError("fleet/study", `there is no study ${name} here`);
  return study;
}
