/** Files beside a store, its backups and exports: secrets are in them, and what is said to be written is on the disk. */
import { open } from "node:fs/promises";
import { StoreError } from "./errors.ts";

const FILE_MODE = 0o600;

/** A file that is not there yet, of one text after the other. Gives its length. */
export async function writeDurable(path: string, texts: AsyncIterable<string> | Iterable<string>): Promise<number> {
  const file = await open(path, "wx", FILE_MODE);
  let bytes = 0;
  try {
    for await (const text of texts) {
      const encoded = Buffer.from(text, "utf8");
      await file.writeFile(encoded);
      bytes += encoded.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return bytes;
}

export async function syncPath(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What the file system throws, as a refusal of the store. */
export function fileError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return new StoreError(code === "ENOSPC" ? "store/full" : "store/folder", (error as Error).message, { cause: error });
}
