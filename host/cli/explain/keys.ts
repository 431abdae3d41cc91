/** Keys and agreements that `inspect` verifies with, as they come from the command line. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { type Agreement, decodeAgreement } from "../../objects/agreement.ts";
import { decodeCertificate, decodeEndorsement } from "../../objects/endorsement.ts";
import { parseSign, parseSign1, verificationKey } from "../../protocol/cose.ts";
import { wrongUse } from "../exit.ts";
import { readInput, readObject, unwrapText } from "../input.ts";
import type { NamedKey } from "./inspect.ts";

/** The agreement of a file. Its own signatures are the business of `quiesce agreement inspect`. */
export function readAgreement(path: string): Agreement {
  try {
    return decodeAgreement(parseSign(readObject(path)).payload);
  } catch (cause) {
    if (cause instanceof Error && cause.name === "CliError") throw cause;
    throw wrongUse(`${path} is no agreement: ${(cause as Error).message}`, cause);
  }
}

/** A public key: 64 hex digits, a file that holds 32 bytes, or an endorsement or certificate that names the key. */
export function readKey(text: string): NamedKey {
  if (/^[0-9a-f]{64}$/i.test(text) && !existsSync(text)) {
    return { ...verificationKey(new Uint8Array(Buffer.from(text, "hex"))), name: "the given key" };
  }
  const bytes = readInput(text);
  const raw = bytes.length === Limit.PUBLIC_KEY_BYTES ? bytes : unwrapText(bytes);
  const publicKey = raw?.length === Limit.PUBLIC_KEY_BYTES ? raw : raw && vouchedKey(raw);
  if (!publicKey) {
    throw wrongUse(`${text} is no public key: give 64 hex digits, a file of 32 bytes, an endorsement or a certificate`);
  }
  return { ...verificationKey(publicKey), name: `the key in ${basename(text)}` };
}

function vouchedKey(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const { payload } = parseSign1(bytes);
    try {
      return decodeCertificate(payload).attestationPublicKey;
    } catch {
      return decodeEndorsement(payload).devicePublicKey;
    }
  } catch {
    return undefined;
  }
}
