/** Keystores of the tests: scrypt at the least cost that is read, so that a test of many openings takes no minutes. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { KeyError, type KeyErrorCode } from "../../../host/keys/errors.ts";
import { KeyFolder } from "../../../host/keys/folder.ts";
import { Keystore } from "../../../host/keys/keystore.ts";

export const LOW_COST = { logN: 10, r: 8, p: 1 };

/** A fresh copy each time: whoever opens keys may wipe it. */
export const passphrase = (words = "correct horse battery") => new TextEncoder().encode(words);

export function temporaryKeys(): string {
  return join(mkdtempSync(join(tmpdir(), "quiesce-keys-")), "keys");
}

export function keystoreAt(path: string): Keystore {
  return new Keystore(KeyFolder.make(path), LOW_COST);
}

/** The code of the `KeyError` that the work ends with; anything else fails the test. */
export async function codeOf(work: () => unknown): Promise<KeyErrorCode> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(KeyError);
    return (error as KeyError).code;
  }
  throw new Error("nothing was refused");
}
