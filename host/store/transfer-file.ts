/** Exports as files: written whole or not at all, with nothing overwritten, and read in pieces. */
import { createReadStream, existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { StoreError } from "./errors.ts";
import { fileError, syncPath, writeDurable } from "./files.ts";
import type { Store } from "./store.ts";
import { exportStore, importStore } from "./transfer.ts";

export interface ExportSize {
  readonly rows: number;
  readonly bytes: number;
}

/** Writes `file`, which is not there yet. `onRows` hears how many rows are out. Throws `StoreError`. */
export async function exportToFile(store: Store, file: string, onRows: (rows: number) => void): Promise<ExportSize> {
  if (existsSync(file)) throw new StoreError("store/not-empty", file);
  const part = `${file}.part`;
  let rows = 0;
  const lines = exportStore(store, (count) => {
    rows = count;
    onRows(count);
  });
  try {
    // Of an export that was killed.
    await rm(part, { force: true });
    const bytes = await writeDurable(part, lines);
    await rename(part, file);
    await syncPath(dirname(file));
    return { rows, bytes };
  } catch (error) {
    // That it failed is told; what cannot be taken away either stays to be seen.
    await rm(part, { force: true }).catch(() => {});
    throw fileError(error);
  }
}

/** Fills a store that is still empty, all of it or nothing. `onBytes` hears how far it has read. Throws `StoreError`. */
export function importFromFile(
  store: Store,
  file: string,
  onBytes: (bytes: number) => void,
): Promise<{ rows: number }> {
  return importStore(store, piecesOf(file, onBytes));
}

async function* piecesOf(file: string, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file)) {
      bytes += (chunk as Buffer).length;
      onBytes(bytes);
      yield chunk as Buffer;
    }
  } catch (error) {
    throw fileError(error);
  }
}
