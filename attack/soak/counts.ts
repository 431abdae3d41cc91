/** What happened in a run, counted: where no fault came about, nothing was tried. */
export const HAPPENINGS = [
  "events",
  "simulated seconds",
  "messages",
  "messages lost",
  "messages that came twice",
  "messages that overtook others",
  "answers too late",
  "partitions",
  "power cuts",
  "power cuts in an operation",
  "torn writes to flash",
  "flash put back",
  "verifier crashes",
  "verifier crashes in a commit",
  "agent crashes",
  "files undone by a crash",
  "clocks that drift",
  "orders",
  "pauses that held",
  "licenses",
  "recoveries",
  "slices of work",
  "reports taken",
  "checks of S1 to S9",
] as const;

export type Happening = (typeof HAPPENINGS)[number];

export class Counts {
  readonly #counts = new Map<Happening, number>();

  add(happening: Happening, amount = 1): void {
    this.#counts.set(happening, this.of(happening) + amount);
  }

  addAll(other: Counts): void {
    for (const [happening, amount] of other.#counts) this.add(happening, amount);
  }

  of(happening: Happening): number {
    return this.#counts.get(happening) ?? 0;
  }

  /** With those that did not happen. */
  all(): Record<Happening, number> {
    return Object.fromEntries(HAPPENINGS.map((one) => [one, this.of(one)])) as Record<Happening, number>;
  }
}
