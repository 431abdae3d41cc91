/**
 * Where a passphrase comes from: a file, the environment, or a person at a terminal. Never an argument, which every
 * user of the machine can read in the list of processes.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import type { ReadStream } from "node:tty";
import { KeyError } from "./errors.ts";

const BYTES_MAX = 1024;
/** Of a new one. Guessing costs a third of a second each, so length does the rest. */
const BYTES_MIN = 12;
const VARIABLE = "QUIESCE_PASSPHRASE";

/** Where to ask: the input echoes nothing while it is raw. */
export type Terminal = {
  input: Pick<ReadStream, "isTTY" | "setRawMode" | "on" | "off" | "resume" | "pause">;
  output: { write(text: string): unknown };
};

export type PassphraseOptions = {
  file?: string | undefined;
  /** It will protect a new key: it must have some length, and at a terminal be typed twice. */
  isNew?: boolean;
  terminal?: Terminal;
};

/** UTF-8 in Unicode's composed form, so that every keyboard gives the same bytes. Throws `KeyError`. */
export async function readPassphrase(options: PassphraseOptions): Promise<Uint8Array> {
  const { isNew = false, terminal = { input: process.stdin, output: process.stderr } } = options;
  const passphrase = Buffer.from((await source(options.file, isNew, terminal)).normalize("NFC"));
  if (passphrase.length === 0) throw new KeyError("keys/passphrase-missing", "it is empty");
  if (isNew && (passphrase.length < BYTES_MIN || passphrase.length > BYTES_MAX)) {
    throw new KeyError("keys/passphrase-weak", `${passphrase.length} bytes`);
  }
  return passphrase;
}

async function source(file: string | undefined, isNew: boolean, terminal: Terminal): Promise<string> {
  if (file !== undefined) return readFile(file);
  const variable = process.env[VARIABLE];
  if (variable !== undefined) {
    // Processes that are started from here have no business with it.
    delete process.env[VARIABLE];
    return variable;
  }
  if (!terminal.input.isTTY) throw new KeyError("keys/passphrase-missing");
  const first = await ask(terminal, "Passphrase: ");
  if (isNew && (await ask(terminal, "The same again: ")) !== first) {
    throw new KeyError("keys/passphrase", "the two differ");
  }
  return first;
}

/** Without the end of its last line, which editors add. */
function readFile(path: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    if (fstatSync(descriptor).isDirectory()) throw new KeyError("keys/passphrase-missing", `${path} is a folder`);
    const buffer = Buffer.alloc(BYTES_MAX + 3);
    const length = readSync(descriptor, buffer, 0, buffer.length, null);
    const text = buffer.toString("utf8", 0, length).replace(/\r?\n$/, "");
    buffer.fill(0);
    if (Buffer.byteLength(text) > BYTES_MAX) throw new KeyError("keys/passphrase-missing", `${path} is too long`);
    return text;
  } catch (cause) {
    if (cause instanceof KeyError) throw cause;
    throw new KeyError("keys/passphrase-missing", `${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const ENTER = /[\r\n]/;
/** Control-C and control-D, which a raw terminal passes on as they are. */
const INTERRUPT = new Set(["\u0003", "\u0004"]);
const ERASE = new Set(["\u0008", "\u007f"]);

function ask({ input, output }: Terminal, prompt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    // A character of several bytes may come in two pieces.
    const text = new StringDecoder("utf8");
    const finish = (end: () => void) => {
      input.off("data", take);
      input.setRawMode(false);
      input.pause();
      output.write("\n");
      end();
    };
    const take = (chunk: Buffer) => {
      for (const character of text.write(chunk)) {
        if (ENTER.test(character)) return finish(() => resolve(typed.join("")));
        if (INTERRUPT.has(character)) return finish(() => reject(new KeyError("keys/passphrase-missing", "given up")));
        if (ERASE.has(character)) typed = typed.slice(0, -1);
        else if (typed.length < BYTES_MAX) typed.push(character);
      }
    };
    output.write(prompt);
    input.setRawMode(true);
    input.on("data", take);
    input.resume();
  });
}
