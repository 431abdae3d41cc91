/**
 * Keys behind another process, as PKCS #11 modules and smart cards are reached: it is asked for signatures and never
 * believed. Every signature is verified before anyone gets it. A process that ends is started again when it is needed.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import { ed25519Verify, keyId } from "../protocol/cose-key.ts";
import { KeyError } from "./errors.ts";
import { isLabel } from "./label.ts";
import { type AsyncSigner, type KeyInfo, type KeySource, kidText } from "./signer.ts";
import { SignerConnection } from "./signer-connection.ts";
import { base64Bytes, hexBytes, type Line, SIGNED_BYTES_MAX } from "./signer-lines.ts";

/** A person may have to touch a token. */
const TIMEOUT_MS = 30_000;
const KEYS_MAX = 64;
/** A signature can be asked for twice without harm: with Ed25519 it is the same one. */
const TRIES = 2;

export class SignerProcess implements KeySource {
  readonly #command: readonly string[];
  readonly #timeoutMs: number;
  #connection: SignerConnection | undefined;
  #isClosed = false;

  /** Starts nothing yet. `timeoutMs` is for each request. */
  constructor(command: readonly string[], { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {}) {
    if (command.length === 0 || command[0] === "") throw new KeyError("keys/signer-start", "no program is named");
    this.#command = command;
    this.#timeoutMs = timeoutMs;
  }

  async list(): Promise<readonly KeyInfo[]> {
    const { keys } = await this.#ask({ method: "list" });
    if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new KeyError("keys/signer-protocol", "no list of keys");
    return keys.map(readKey);
  }

  async signer(kid: Uint8Array): Promise<AsyncSigner> {
    const key = (await this.list()).find((candidate) => Buffer.compare(candidate.kid, kid) === 0);
    if (!key) throw new KeyError("keys/unknown", kidText(kid));
    const { publicKey } = key;
    return { kid: key.kid, publicKey, sign: (message) => this.#sign(key, message) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connection?.close();
  }

  async #sign({ kid, publicKey }: KeyInfo, message: Uint8Array): Promise<Uint8Array> {
    if (message.length > SIGNED_BYTES_MAX) throw new KeyError("keys/signer-protocol", "the message is too long");
    const text = Buffer.from(message).toString("base64");
    const answer = await this.#ask({ method: "sign", kid: kidText(kid), message: text });
    const signature = base64Bytes(answer.signature, Limit.SIGNATURE_BYTES);
    if (signature?.length !== Limit.SIGNATURE_BYTES) throw new KeyError("keys/signer-protocol", "no signature");
    if (!ed25519Verify(signature, message, publicKey)) throw new KeyError("keys/signature", `key ${kidText(kid)}`);
    return signature;
  }

  async #ask(request: Line): Promise<Line> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#connect().ask(request);
      } catch (error) {
        const isLost = error instanceof KeyError && error.code === "keys/signer-lost";
        if (!isLost || this.#isClosed || tries === TRIES) throw error;
      }
    }
  }

  #connect(): SignerConnection {
    if (this.#isClosed) throw new KeyError("keys/signer-lost", "it was closed");
    if (!this.#connection || this.#connection.hasEnded) {
      this.#connection = new SignerConnection(this.#command, this.#timeoutMs);
    }
    return this.#connection;
  }
}

function readKey(value: unknown): KeyInfo {
  const fields = (value ?? {}) as Line;
  const kid = hexBytes(fields.kid, Limit.KID_BYTES);
  const publicKey = hexBytes(fields.publicKey, Limit.PUBLIC_KEY_BYTES);
  const { label, status } = fields;
  const isForm = kid && publicKey && typeof label === "string" && isLabel(label);
  if (!isForm || (status !== "active" && status !== "retiring")) {
    throw new KeyError("keys/signer-protocol", "a key without kid, publicKey, label or status");
  }
  if (Buffer.compare(kid, keyId(publicKey)) !== 0) throw new KeyError("keys/signer-protocol", "a kid of another key");
  return { kid, publicKey, label, status };
}
