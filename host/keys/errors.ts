/**
 * Every refusal of the keystore and the signers, in one table; docs/keys.md lists them. The class says where to look:
 * `use`, at what was asked; `key`, at the file or the passphrase; `signer`, at the process that signs.
 */
export type KeyErrorClass = "use" | "key" | "signer";

// biome-ignore format: a table, one row a code
export const KEY_ERRORS = {
  "keys/folder": ["use", "this is no folder of keys"],
  "keys/permissions": ["use", "others than the owner have access: take it from them with chmod"],
  "keys/locked": ["use", "another process is changing the folder"],
  "keys/full": ["use", "the folder holds as many keys as it may: move retired ones away"],
  "keys/io": ["use", "the file system refused"],
  "keys/exists": ["use", "it is there already, and nothing is overwritten"],
  "keys/unknown": ["use", "there is no such key"],
  "keys/ambiguous": ["use", "several keys could be meant: name one by its kid"],
  "keys/label": ["use", "a label has 1 to 64 bytes of printable text"],
  "keys/retired": ["use", "the key is retired: it signs no more"],
  "keys/active": ["use", "nothing replaces the key yet: rotate it first"],
  "keys/rotated": ["use", "another key replaces the key already"],
  "keys/passphrase-missing": ["use", "no passphrase: give a file, QUIESCE_PASSPHRASE, or a terminal to ask on"],
  "keys/passphrase-weak": ["use", "a new passphrase has 12 to 1,024 bytes"],

  "keys/passphrase": ["key", "the passphrase is wrong"],
  "keys/symlink": ["key", "a key file is a plain file, not a link or anything else"],
  "keys/too-long": ["key", "no key file is that long"],
  "keys/version": ["key", "the key file is of a version that is not known here"],
  "keys/corrupt": ["key", "the key file was altered or damaged"],

  "keys/signer-start": ["signer", "the signer cannot be started"],
  "keys/signer-lost": ["signer", "the signer ended before it answered"],
  "keys/signer-timeout": ["signer", "the signer did not answer in time"],
  "keys/signer-protocol": ["signer", "what was said is not of the signer protocol"],
  "keys/signer-busy": ["signer", "too many requests wait for the signer"],
  "keys/signer-refused": ["signer", "the signer refused"],
  "keys/signer-type": ["signer", "the signer signs no objects of this type"],
  "keys/signature": ["signer", "the signature does not hold"],

  "keys/frost-group": ["use", "a group has 2 to 8 holders, and it takes 2 of them or more"],
  "keys/frost-step": ["use", "the steps of a key's making come in order, each once"],
  "keys/frost-nonce": ["use", "no nonce is left for this commitment: it was used, or is another holder's"],
  "keys/frost-commitments": ["use", "the commitments are not those of enough holders of the group, each once"],
  "keys/frost-share": ["key", "what a holder sent does not hold"],
  "keys/frost-members": ["signer", "too few holders gave a share"],
} as const satisfies Record<string, readonly [KeyErrorClass, string]>;

export type KeyErrorCode = keyof typeof KEY_ERRORS;

export class KeyError extends Error {
  readonly code: KeyErrorCode;
  readonly class: KeyErrorClass;
  readonly detail: string | undefined;

  /** `detail` says with what; the phrase of the code says what was wrong. */
  constructor(code: KeyErrorCode, detail?: string, options?: ErrorOptions) {
    const [errorClass, phrase] = KEY_ERRORS[code];
    super(detail === undefined ? phrase : `${phrase} (${detail})`, options);
    this.name = "KeyError";
    this.code = code;
    this.class = errorClass;
    this.detail = detail;
  }
}
