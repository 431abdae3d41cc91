/**
 * Cosignatures of type 4 (C2SP tlog-cosignature): a witness says that at this time the largest consistent head that it
 * has seen of the log is this one.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { ed25519Verify } from "../protocol/ed25519.ts";
import type { CheckpointNote } from "./checkpoint.ts";
import { LogError } from "./errors.ts";
import type { NoteKey, NoteSignature, NoteSigner } from "./note.ts";
import { isSameKey, signBy } from "./note-key.ts";

export interface Cosignature {
  /** POSIX time; whoever trusts it bounds it: it may lie in the future. */
  readonly seconds: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** A cosignature that holds. */
export interface WitnessCosignature extends Cosignature {
  /** Place in the list of witnesses that was asked about. */
  readonly witness: number;
}

const SECONDS_BYTES = 8;

/** What a witness signs of a checkpoint's body. */
export function cosignatureMessage(body: string, seconds: number): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${body}`);
}

/** `timestamped_signature`: the time as 64 bits, big-endian, and the signature. */
export function encodeCosignature({ seconds, signature }: Cosignature): Uint8Array {
  const bytes = Buffer.alloc(SECONDS_BYTES + signature.length);
  bytes.writeBigUInt64BE(BigInt(seconds));
  bytes.set(signature, SECONDS_BYTES);
  return new Uint8Array(bytes);
}

/**
 * Throws `LogError` (`log/cosignature`): no checkpoint's cosignature is without a time, and none of a time that is no safe
 * integer is taken.
 */
export function decodeCosignature(bytes: Uint8Array): Cosignature {
  if (bytes.length !== SECONDS_BYTES + Limit.SIGNATURE_BYTES) throw bad("a cosignature has 72 bytes");
  const seconds = Number(Buffer.from(bytes.subarray(0, SECONDS_BYTES)).readBigUInt64BE());
  if (seconds === 0 || !Number.isSafeInteger(seconds)) throw bad("a cosignature has a time");
  return { seconds, signature: bytes.slice(SECONDS_BYTES) };
}

/**
 * Cosigns a checkpoint's body: whoever calls it has checked all that a cosignature states. Throws `LogError`
 * (`log/key-malformed`, `log/signature`).
 */
export async function signCosignature(
  body: string,
  key: NoteKey,
  signer: NoteSigner,
  seconds: number,
): Promise<NoteSignature> {
  const signature = await signBy(key, signer, cosignatureMessage(body, seconds));
  return { name: key.name, id: key.id, signature: encodeCosignature({ seconds, signature }) };
}

/** Throws `LogError` (`log/cosignature`) for one that is not this witness's over this body. */
export function openCosignature(body: string, key: NoteKey, bytes: Uint8Array): Cosignature {
  const cosignature = decodeCosignature(bytes);
  const message = cosignatureMessage(body, cosignature.seconds);
  if (ed25519Verify(cosignature.signature, message, key.publicKey)) return cosignature;
  throw bad(`the cosignature of ${key.name} does not hold`);
}

/**
 * The newest cosignature of each of the witnesses, in their order: those that are missing are left out, and whoever else
 * signed is ignored. One that claims to be a witness's and is not makes the whole note bad. Throws `LogError`
 * (`log/cosignature`).
 */
export function cosignaturesOf(
  { body, signatures }: Pick<CheckpointNote, "body" | "signatures">,
  witnesses: readonly NoteKey[],
): WitnessCosignature[] {
  return witnesses.flatMap((key, witness) => {
    const [newest] = signatures
      .filter((one) => isSameKey(key, one))
      .map(({ signature }) => openCosignature(body, key, signature))
      .sort((a, b) => b.seconds - a.seconds);
    return newest ? [{ witness, ...newest }] : [];
  });
}

function bad(what: string): LogError {
  return new LogError("log/cosignature", what);
}
