/** Takes a signed object apart for people: what kind it is, what it says, who signed it, and whether that holds. */
import { CoseTag } from "../../../firmware/protocol/cose-labels.ts";
import type { Agreement } from "../../objects/agreement.ts";
import { diagnose } from "../../protocol/cbor-diagnose.ts";
import {
  ed25519Verify,
  parseSign,
  parseSign1,
  sign1Structure,
  signStructure,
  type VerificationKey,
  verifySign1,
} from "../../protocol/cose.ts";
import { errorPhrase } from "../../protocol/error-phrases.ts";
import { errorCodeText, Refusal } from "../../protocol/refusal.ts";
import { sha256 } from "../../protocol/sha256.ts";
import { refusalText, wrongUse } from "../exit.ts";
import { KINDS, type Kind } from "./kinds.ts";
import type { Row } from "./row.ts";

/** A key that may have signed, with the name it goes by. */
export type NamedKey = VerificationKey & { name: string };

export type SignatureRow = {
  kid: Uint8Array;
  /** Undefined if no key that was given has this kid. */
  signer: string | undefined;
  /** Undefined if it could not be checked. */
  valid: boolean | undefined;
};

export type Verdict =
  | { judged: false; why: string }
  | { judged: true; ok: true }
  | { judged: true; ok: false; code: string; name: string; message: string };

export type Inspection = {
  object: string;
  bytes: number;
  /** Of the whole message. */
  sha256: Uint8Array;
  payloadSha256: Uint8Array;
  claims: Row[];
  signatures: SignatureRow[];
  verdict: Verdict;
  diagnostic: string;
};

/** Reads `bytes` as what `quiesce COMMAND inspect` is for. Throws a `CliError` for another kind, a `Refusal` for none. */
export function inspect(
  bytes: Uint8Array,
  command: string,
  agreement: Agreement | undefined,
  keys: readonly NamedKey[],
): Inspection {
  const isQuorum = bytes[0] !== (0xc0 | CoseTag.SIGN1);
  const parsed = isQuorum ? parseSign(bytes) : parseSign1(bytes);
  const { kind, claims } = recognize(parsed.payload, command, agreement);
  const known = [...(agreement ? kind.members(agreement) : []), ...keys];
  return {
    object: kind.name,
    bytes: bytes.length,
    sha256: sha256(bytes),
    payloadSha256: sha256(parsed.payload),
    claims,
    signatures: signaturesOf(bytes, isQuorum, kind, known),
    verdict: verdictOn(bytes, isQuorum, kind, agreement, known),
    diagnostic: diagnose(bytes),
  };
}

/** Tries the command's own kinds first, then all others, so that a wrong command is told the right one. */
function recognize(
  payload: Uint8Array,
  command: string,
  agreement: Agreement | undefined,
): { kind: Kind; claims: Row[] } {
  let refusal: unknown;
  for (const kind of KINDS.filter((candidate) => candidate.command === command)) {
    try {
      return { kind, claims: kind.explain(payload, agreement) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusal ??= error;
    }
  }
  const other = KINDS.find((kind) => kind.command !== command && canExplain(kind, payload));
  if (other) throw wrongUse(`this is no ${command} but: ${other.name}; use \`quiesce ${other.command} inspect\``);
  throw refusal;
}

function canExplain(kind: Kind, payload: Uint8Array): boolean {
  try {
    kind.explain(payload, undefined);
    return true;
  } catch {
    return false;
  }
}

function signaturesOf(bytes: Uint8Array, isQuorum: boolean, kind: Kind, known: readonly NamedKey[]): SignatureRow[] {
  const body = isQuorum ? parseSign(bytes) : undefined;
  const single = isQuorum ? undefined : parseSign1(bytes);
  const signatures = body?.signatures ?? [single!];
  return signatures.map(({ kid, protectedBytes, signature }) => {
    const key = known.find((candidate) => Buffer.compare(candidate.kid, kid!) === 0);
    const signed = body
      ? signStructure(body.bodyProtected, protectedBytes, kind.aad, body.payload)
      : sign1Structure(protectedBytes, kind.aad, single!.payload);
    return { kid: kid!, signer: key?.name, valid: key && ed25519Verify(signature, signed, key.publicKey) };
  });
}

function verdictOn(
  bytes: Uint8Array,
  isQuorum: boolean,
  kind: Kind,
  agreement: Agreement | undefined,
  known: readonly NamedKey[],
): Verdict {
  try {
    if (kind.judge && agreement) kind.judge(bytes, agreement);
    else if (!isQuorum && known.length > 0) verifySign1(bytes, (kid) => keyOf(known, kid), kind.aad);
    else
      return {
        judged: false,
        why: kind.judge ? "give the --agreement it stands under" : "give the signer's key with --keys",
      };
    return { judged: true, ok: true };
  } catch (error) {
    if (error instanceof Refusal) return refusedVerdict(error);
    throw error;
  }
}

/** A refusal with its code, its name, its phrase, and what was found. */
export function refusedVerdict(error: Refusal): Verdict {
  const { name } = errorPhrase(error.code);
  return { judged: true, ok: false, code: errorCodeText(error.code), name, message: refusalText(error) };
}

function keyOf(known: readonly NamedKey[], kid: Uint8Array | undefined): NamedKey | undefined {
  return kid && known.find((key) => Buffer.compare(key.kid, kid) === 0);
}
