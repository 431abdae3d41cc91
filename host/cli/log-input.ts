/** What the `quiesce log` commands read: keys, mirrors, and the entry that a message makes. */
import { existsSync } from "node:fs";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { commitmentOf, encodeEntry, type LoggedType, subjectKey, subjectsOf } from "../log/entry.ts";
import { LogError } from "../log/errors.ts";
import { keysOfTerms, type LogKeys, logKeys } from "../log/log-keys.ts";
import { Mirror } from "../log/mirror.ts";
import { parseVkey } from "../log/note.ts";
import type { Agreement } from "../objects/agreement.ts";
import type { KeyOptions } from "./commands/log-options.ts";
import { wrongUse } from "./exit.ts";
import { readAgreement } from "./explain/keys.ts";
import { readObject } from "./input.ts";

export interface Trusted {
  readonly keys: LogKeys;
  readonly agreement?: Agreement;
}

/** Throws `CliError` for keys that are none, or not enough. */
export function trustedOf(options: KeyOptions): Trusted {
  const { agreement: file, logKey, witness = [], witnessQuorum = witness.length } = options;
  if (file !== undefined) {
    const agreement = readAgreement(file);
    if (!agreement.log) throw wrongUse(`${file} has no log terms: give --log-key and --witness`);
    return { keys: keysOfTerms(agreement.log), agreement };
  }
  if (logKey === undefined) throw wrongUse("whose log is it? Give --agreement, or --log-key with --witness");
  try {
    return { keys: logKeys(parseVkey(logKey), witness.map(parseVkey), witnessQuorum) };
  } catch (error) {
    if (error instanceof LogError) throw wrongUse(`${error.code}: ${error.message}`, error);
    throw error;
  }
}

/** Throws `CliError` where there is no mirror. */
export async function mirrorOf(folder: string, keys: LogKeys): Promise<Mirror> {
  if (!existsSync(folder)) throw wrongUse(`there is no folder ${folder}`);
  const mirror = await Mirror.open(folder, keys);
  if (!mirror.head) throw wrongUse(`${folder} is no mirror: it has no checkpoint`);
  return mirror;
}

const LOGGED = [ObjectType.LICENSE, ObjectType.ORDER, ObjectType.RECOVERY, ObjectType.AGREEMENT] as const;

/** The entry that a message makes: in the plain, or with a salt as a commitment. Throws `CliError` for another message. */
export function entryOfMessage(file: string, salt: Uint8Array | undefined): Uint8Array {
  const message = readObject(file);
  for (const type of LOGGED) {
    const ueids = subjectsIn(type, message);
    if (!ueids) continue;
    if (!salt) return encodeEntry({ kind: "plain", type, message });
    const subjects = ueids.map(subjectKey);
    return encodeEntry({ kind: "commitment", type, commitment: commitmentOf(salt, message), subjects });
  }
  throw wrongUse(`${file} is no license, order, recovery or agreement: nothing else is logged`);
}

function subjectsIn(type: LoggedType, message: Uint8Array): Uint8Array[] | undefined {
  try {
    return subjectsOf(type, message);
  } catch (error) {
    if (error instanceof LogError) return undefined;
    throw error;
  }
}
