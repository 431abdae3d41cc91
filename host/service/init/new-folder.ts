/** A new folder that a service is started from: nobody but its owner looks in, and nothing that is there is touched. */
import { randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../make-folder.ts";
import { ConfigError } from "../config/errors.ts";

const SECRET_BYTES = 32;
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Of its own: what it holds is secret. Throws `ConfigError` where it is not empty. */
export function makeNewFolder(folder: string): void {
  try {
    makeFolder(folder, PRIVATE_FOLDER);
    if (readdirSync(folder).length > 0) throw new ConfigError([`${folder} is not empty, and nothing is overwritten`]);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`${folder} cannot be made: ${(error as NodeJS.ErrnoException).code}`]);
  }
}

/** Makes one, and gives the path of its file. Throws `ConfigError`. */
export function newPassphrase(folder: string): string {
  const path = join(folder, "passphrase");
  writeNew(path, `${randomBytes(SECRET_BYTES).toString("base64url")}\n`);
  return path;
}

/** Throws `ConfigError` where it is there already. */
export function writeNew(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: "wx", mode: PRIVATE_FILE });
  } catch (error) {
    throw new ConfigError([`${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`]);
  }
}
