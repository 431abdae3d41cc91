/** The other end of the signer protocol: `quiesce key serve`, the reference external signer. */
import type { Readable, Writable } from "node:stream";
import { Limit } from "../../firmware/protocol/limits.ts";
import { KeyError } from "./errors.ts";
import type { SignType } from "./sign-names.ts";
import { signTypeOf } from "./sign-type.ts";
import { type KeySource, kidText } from "./signer.ts";
import { base64Bytes, hexBytes, type Line, lineOf, readLines, SIGNED_BYTES_MAX } from "./signer-lines.ts";

/**
 * Answers until the input ends. With `types` it signs objects of these types and nothing else. After a line that is not
 * of the protocol it answers with id 0 and throws `KeyError` (`keys/signer-protocol`): where the next line begins is
 * not known.
 */
export async function serveSigner(
  source: KeySource,
  input: Readable,
  output: Writable,
  types?: readonly SignType[],
): Promise<void> {
  try {
    for await (const request of readLines(input)) await send(output, await answer(source, request, types));
  } catch (error) {
    if (error instanceof KeyError) await send(output, { id: 0, error: errorOf(error) });
    throw error;
  }
}

async function answer(source: KeySource, request: Line, types: readonly SignType[] | undefined): Promise<Line> {
  const { id, method } = request;
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1) {
    throw new KeyError("keys/signer-protocol", "a request without an id");
  }
  try {
    if (method === "list") return { id, keys: await listed(source) };
    if (method === "sign") return { id, signature: await signed(source, request, types) };
    throw new KeyError("keys/signer-protocol", "there are the methods list and sign");
  } catch (error) {
    if (error instanceof KeyError) return { id, error: errorOf(error) };
    throw error;
  }
}

async function listed(source: KeySource): Promise<Line[]> {
  return (await source.list()).map(({ kid, publicKey, label, status }) => ({
    kid: kidText(kid),
    publicKey: Buffer.from(publicKey).toString("hex"),
    label,
    status,
  }));
}

async function signed(source: KeySource, request: Line, types: readonly SignType[] | undefined): Promise<string> {
  const kid = hexBytes(request.kid, Limit.KID_BYTES);
  const message = base64Bytes(request.message, SIGNED_BYTES_MAX);
  if (!kid || !message) throw new KeyError("keys/signer-protocol", "sign takes a kid in hex, a message in base64");
  if (types) {
    const type = signTypeOf(message);
    if (type === undefined || !types.includes(type)) throw new KeyError("keys/signer-type", type ?? "unknown");
  }
  const signer = await source.signer(kid);
  return Buffer.from(await signer.sign(message)).toString("base64");
}

function errorOf({ code, message }: KeyError): Line {
  return { code, message };
}

/** A reader that does not read stops the signer instead of filling its memory. */
function send(output: Writable, line: Line): Promise<void> {
  return new Promise((resolve, reject) => output.write(lineOf(line), (error) => (error ? reject(error) : resolve())));
}
