/** What is wrong with a configuration: one line for each key, all of them at once. */

export class ConfigError extends Error {
  /** Each with the path of its key, and what would be right. */
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.name = "ConfigError";
    this.lines = lines;
  }
}
