/** What is counted: each an operation with inputs that never change, so that its count changes with the firmware alone. */
import type { Counts } from "../instrument/count.ts";
import { governorOperations } from "./governor.ts";
import { primitiveOperations } from "./primitives.ts";

export type Operation = {
  name: string;
  /** Runs it once, and returns what was executed in it. @throws Error if it does not do what it should. */
  count(): Counts;
};

export type Counted = { module: string; name: string; counts: Counts };

/** By the module that executes it, as it is built now. */
export function countAll(): Counted[] {
  const modules = { primitives: primitiveOperations(), governor: governorOperations() };
  return Object.entries(modules).flatMap(([module, operations]) =>
    operations.map(({ name, count }) => ({ module, name, counts: count() })),
  );
}
