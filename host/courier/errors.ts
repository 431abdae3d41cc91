/** What can be wrong with a stick, or with what a site keeps, in one table. */

// biome-ignore format: a table, one row a code
export const COURIER_ERRORS = {
  "stick/missing": "there is no such folder",
  "stick/unfinished": "there is no manifest: the stick was never packed, or packing was cut short; pack it again",
  "stick/manifest": "the manifest is not one that this version reads",
  "stick/direction": "the stick goes the other way",
  "stick/unknown-file": "there is something that the manifest does not list",
  "stick/missing-file": "a file that the manifest lists is not there",
  "stick/damaged": "a file is not what the manifest says",
  "stick/content": "a file is whole, and not what belongs there",
  "stick/too-much": "there is more on it than a stick may hold",
  "stick/io": "the stick cannot be read or written",
  "kept/io": "what the site keeps cannot be read or written",
  "kept/lost": "a report that a verifier asks about is not kept any more",
  "kept/full": "as many reports wait for a verifier as are kept: bring them there first",
} as const satisfies Record<string, string>;

export type CourierErrorCode = keyof typeof COURIER_ERRORS;

export class CourierError extends Error {
  readonly code: CourierErrorCode;

  /** `detail` says with what; the phrase of the code says what was wrong. */
  constructor(code: CourierErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}: ${COURIER_ERRORS[code]}`, options);
    this.name = "CourierError";
    this.code = code;
  }
}
