/** What the system refuses, as one coded line. */
import { OutputError } from "./errors.ts";

export function withIo<T>(folder: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (cause instanceof OutputError || code === undefined) throw cause;
    throw new OutputError("output/io", `${folder} (${code})`, { cause });
  }
}
