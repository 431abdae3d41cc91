/** What can be wrong with a folder of results, or with what should go into one, in one table. docs/fleet.md */

// biome-ignore format: a table, one row a code
export const OUTPUT_ERRORS = {
  "output/not-empty": "results go into a new or an empty folder",
  "output/io": "the folder cannot be read or written",
  "output/missing": "there is no folder of results",
  "output/unfinished": "there is no manifest: the run was not written to its end",
  "output/manifest": "the manifest is not one that this version reads",
  "output/missing-file": "a file that the manifest lists is not there",
  "output/damaged": "a file is not what the manifest says",
  "output/content": "the results are whole, and not what results are",
  "output/too-large": "there is more than results may be",
  "output/metric": "a figure that the study does not define",
} as const satisfies Record<string, string>;

export type OutputErrorCode = keyof typeof OUTPUT_ERRORS;

export class OutputError extends Error {
  readonly code: OutputErrorCode;

  /** `detail` says with what; the phrase of the code says what was wrong. */
  constructor(code: OutputErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}: ${OUTPUT_ERRORS[code]}`, options);
    this.name = "OutputError";
    this.code = code;
  }
}
