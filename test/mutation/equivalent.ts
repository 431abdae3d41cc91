/** Mutants that no test can kill, and why: what they change makes no difference that anybody could see. */

export const EQUIVALENT: readonly { because: string; ids: readonly string[] }[] = [];
