/** What a log, its proofs, notes and witnesses are refused for. */
export type LogErrorCode =
  | "log/note-malformed"
  | "log/key-malformed"
  | "log/request-malformed"
  | "log/checkpoint-malformed"
  | "log/origin"
  | "log/signature"
  | "log/cosignature"
  | "log/witness-quorum"
  | "log/inclusion"
  | "log/consistency"
  | "log/split-view"
  | "log/rolled-back"
  | "log/tile"
  | "log/entry-malformed"
  | "log/index-proof"
  | "log/index-root"
  | "log/index-entry"
  | "log/issued"
  | "log/range"
  | "log/source"
  | "log/mirror"
  | "log/proof-malformed";

/** Thrown by everything in `host/log`; the code is stable, the message is for people. */
export class LogError extends Error {
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LogError";
    this.code = code;
  }
}
