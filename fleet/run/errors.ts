/** What stops a run: docs/fleet.md. */
export type RunErrorCode =
  /** A cell threw; `cell` reruns it alone. */
  | "fleet/cell"
  /** A thread ended in the middle of its cells: for want of memory, for instance. */
  | "fleet/thread"
  /** A study broke its own promises: a count, a metric, a result that is no JSON. */
  | "fleet/study"
  | "fleet/unknown-cell"
  | "fleet/checkpoint"
  /** A job in the database that cannot go on here. */
  | "fleet/job";

export class RunError extends Error {
  readonly code: RunErrorCode;
  /** The id of the cell that failed. */
  readonly cell: string | undefined;
  /** The name of the error that the cell threw. */
  readonly causeName: string | undefined;

  constructor(
    code: RunErrorCode,
    message: string,
    options: ErrorOptions & { readonly cell?: string; readonly causeName?: string } = {},
  ) {
    super(message, options);
    this.name = "RunError";
    this.code = code;
    this.cell = options.cell;
    this.causeName = options.causeName;
  }
}
