/** Refusals of the workload readers. Every one is a single line that says what was wrong and with which file. */

export type WorkloadErrorCode =
  /** The file cannot be opened or read. */
  | "trace/unreadable"
  /** The file has no bytes, or none after decompression. */
  | "trace/empty"
  /** The file, or what it decompresses to, is over the bound. */
  | "trace/too-large"
  /** gzip that ends early or fails its checksum. */
  | "trace/broken-gzip"
  /** None of the formats the readers know. */
  | "trace/unknown-format"
  | "trace/other-file"
  /** A known format that is not a workload, e.g. a power log. */
  | "trace/not-a-workload"
  /** A known format, broken: bad JSON, a missing column or key. */
  | "trace/malformed"
  /** A number that is not finite, is negative, or is over its bound. */
  | "trace/bad-number"
  /** More lines, events or phases than the bound. */
  | "trace/too-many"
  /** The recording lacks what the work is computed from. */
  | "trace/incomplete"
  /** A model, a platform or a built-in name that is not in the tables. */
  | "workload/unknown-name"
  /** An option outside its range. */
  | "workload/bad-option";

export class WorkloadError extends Error {
  readonly code: WorkloadErrorCode;

  constructor(code: WorkloadErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "WorkloadError";
    this.code = code;
  }
}
