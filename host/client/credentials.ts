/** What a client shows to say who it is: its own key, which signs requests, and files with secrets. */
import { readFileSync, statSync } from "node:fs";
import { KeyError } from "../keys/errors.ts";
import { KeyFolder } from "../keys/folder.ts";
import { Keystore, OpenKeystore } from "../keys/keystore.ts";
import { readPassphrase } from "../keys/passphrase.ts";
import { kidText } from "../keys/signer.ts";
import type { SignRequest } from "./options.ts";
import { signWith } from "./signing.ts";

export interface SigningKey {
  /** A folder of keys. */
  readonly keys: string;
  /** In hex; without it the only active one. */
  readonly kid?: string;
  readonly passphraseFile?: string;
}

const FILE_BYTES_MAX = 262_144;

/** A file that cannot be used. The message goes on after the name of what names it: "--key names ...". */
export class CredentialError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CredentialError";
  }
}

/** Throws `KeyError`. */
export async function signingWith({ keys, kid, passphraseFile }: SigningKey): Promise<SignRequest> {
  const store = new Keystore(new KeyFolder(keys));
  const passphrase = await readPassphrase({ file: passphraseFile });
  const source = new OpenKeystore(store, passphrase);
  const usable = (await source.list()).filter((key) =>
    kid === undefined ? key.status === "active" : kidText(key.kid) === kid,
  );
  if (usable.length === 0) throw new KeyError("keys/unknown", kid);
  if (usable.length > 1) throw new KeyError("keys/ambiguous");
  return signWith(await source.signer(usable[0]!.kid));
}

/** Throws `CredentialError`, for a file that others may read too. */
export function readSecret(path: string): string {
  return read(path, () => {
    if (process.platform === "win32" || (statSync(path).mode & 0o077) === 0) return;
    throw new CredentialError(
      `names ${path}, to which others than the owner have access: take it from them with chmod`,
    );
  });
}

/** Throws `CredentialError`. */
export function readPlain(path: string): string {
  return read(path, () => {});
}

function read(path: string, check: () => void): string {
  try {
    check();
    if (statSync(path).size > FILE_BYTES_MAX) {
      throw new CredentialError(`names ${path}, which has over ${FILE_BYTES_MAX} bytes`);
    }
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof CredentialError) throw cause;
    throw new CredentialError(`names ${path}, which cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      cause,
    });
  }
}
