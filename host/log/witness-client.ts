/** Asks a witness for its cosignature (C2SP tlog-witness, `add-checkpoint`): what comes back is verified and bounded. */
import { type Dispatcher, request } from "undici";
import { formatAddCheckpoint } from "./add-checkpoint.ts";
import { parseCheckpoint, parseSize } from "./checkpoint.ts";
import { openCosignature } from "./cosignature.ts";
import { LogError } from "./errors.ts";
import { formatSignatureLine, type NoteKey, parseSignatureLine } from "./note.ts";
import { isSameKey } from "./note-key.ts";

export interface WitnessClientOptions {
  /** The submission prefix: `https://witness.example`, or with a path. */
  readonly url: string;
  /** Of the witness, type 4: whoever else cosigns in the answer is ignored. */
  readonly key: NoteKey;
  /** Default: undici's own. It says whom to trust where TLS is another's than the system's. */
  readonly dispatcher?: Dispatcher;
  /** Of one request, to the last byte of its answer. */
  readonly timeoutMs?: number;
}

export type WitnessAnswer =
  | {
      readonly kind: "cosigned";
      readonly seconds: number;
      /** 64 bytes over `cosignatureMessage`. */
      readonly signature: Uint8Array;
      /** To put into the note, with its newline. */
      readonly line: string;
    }
  /** The latest head that it cosigned has another size: prove from that one. */
  | { readonly kind: "behind"; readonly size: number }
  /** By a status other than these, or an answer that does not hold. */
  | { readonly kind: "refused"; readonly status: number; readonly detail: string }
  /** No answer: what was sent may be sent again. */
  | { readonly kind: "away"; readonly detail: string };

const TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 65_536;
/** Of what a witness says of itself, in the detail of a refusal. */
const DETAIL_CHARACTERS_MAX = 200;
const SIZE_TYPE = "text/x.tlog.size";

export class WitnessClient {
  readonly #url: string;
  readonly #key: NoteKey;
  readonly #dispatcher: Dispatcher | undefined;
  readonly #timeoutMs: number;

  constructor({ url, key, dispatcher, timeoutMs = TIMEOUT_MS }: WitnessClientOptions) {
    this.#url = `${url.replace(/\/+$/, "")}/add-checkpoint`;
    this.#key = key;
    this.#dispatcher = dispatcher;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * `proof` shows that the checkpoint of the note goes on from the head of `oldSize`. Rejects with `LogError`
   * (`log/note-malformed`, `log/checkpoint-malformed`) for a note that is no checkpoint, and with nothing else.
   */
  async addCheckpoint(oldSize: number, proof: readonly Uint8Array[], note: string): Promise<WitnessAnswer> {
    const { body } = parseCheckpoint(note);
    let answer: Answer;
    try {
      answer = await this.#ask(formatAddCheckpoint({ oldSize, proof, note }));
    } catch (error) {
      return { kind: "away", detail: reasonOf(error) };
    }
    const { status, type, text } = answer;
    if (status === 200) return this.#cosigned(body, text);
    const size = status === 409 && type === SIZE_TYPE ? parseSize(text.replace(/\n$/, "")) : undefined;
    if (size !== undefined) return { kind: "behind", size };
    return { kind: "refused", status, detail: text.slice(0, DETAIL_CHARACTERS_MAX).trim() };
  }

  async #ask(text: string): Promise<Answer> {
    // One clock for all of it: a witness that answers byte by byte is as good as away.
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const { statusCode, headers, body } = await request(this.#url, {
      method: "POST",
      headers: { "content-type": "text/plain; charset=utf-8" },
      body: text,
      signal,
      ...(this.#dispatcher && { dispatcher: this.#dispatcher }),
    });
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of body) {
      length += (piece as Uint8Array).length;
      if (length > ANSWER_BYTES_MAX) throw new Error(`an answer of over ${ANSWER_BYTES_MAX} bytes`);
      pieces.push(piece as Uint8Array);
    }
    const type = String(headers["content-type"] ?? "").split(";", 1)[0]!;
    return { status: statusCode, type: type.trim().toLowerCase(), text: Buffer.concat(pieces).toString("utf8") };
  }

  /** The witness's own line among those of the answer. */
  #cosigned(body: string, text: string): WitnessAnswer {
    try {
      const lines = text.split("\n");
      if (lines.pop() !== "") throw new LogError("log/note-malformed", "the answer ends within a line");
      const own = lines.map(parseSignatureLine).find((line) => isSameKey(this.#key, line));
      if (!own) throw new LogError("log/cosignature", `no cosignature of ${this.#key.name}`);
      return { kind: "cosigned", ...openCosignature(body, this.#key, own.signature), line: formatSignatureLine(own) };
    } catch (error) {
      if (error instanceof LogError) return { kind: "refused", status: 200, detail: `${error.code}: ${error.message}` };
      throw error;
    }
  }
}

type Answer = { readonly status: number; readonly type: string; readonly text: string };

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined || typeof code !== "string" ? message : code;
}
