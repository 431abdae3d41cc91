import { EventEmitter } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readPassphrase, type Terminal } from "../../../host/keys/passphrase.ts";
import { codeOf } from "./folder.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-pass-"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

function fileOf(content: string | Uint8Array): string {
  const path = join(folder, "secret");
  writeFileSync(path, content);
  return path;
}

/** A person who types each of `lines` when asked. */
function typist(...lines: Buffer[][]) {
  const shown: string[] = [];
  const modes: boolean[] = [];
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    setRawMode: (mode: boolean) => modes.push(mode),
    resume: () =>
      queueMicrotask(() => {
        for (const chunk of lines.shift() ?? []) input.emit("data", chunk);
      }),
    pause: () => input,
  });
  const output = { write: (line: string) => shown.push(line) };
  return { terminal: { input, output } as unknown as Terminal, shown, modes };
}

const noTerminal = { input: { isTTY: false }, output: { write: () => true } } as unknown as Terminal;

afterEach(() => {
  delete process.env.QUIESCE_PASSPHRASE;
});

describe("a passphrase", () => {
  it("comes from a file, without the end of its line", async () => {
    for (const end of ["", "\n", "\r\n"]) {
      expect(text(await readPassphrase({ file: fileOf(`correct horse${end}`) }))).toBe("correct horse");
    }
  });

  it("comes from the environment, and is gone from there", async () => {
    process.env.QUIESCE_PASSPHRASE = "correct horse";
    expect(text(await readPassphrase({ terminal: noTerminal }))).toBe("correct horse");
    expect(process.env.QUIESCE_PASSPHRASE).toBeUndefined();
  });

  it("is typed without being shown, with mistakes taken back", async () => {
    const { terminal, shown, modes } = typist([Buffer.from("correctt\u007f hor"), Buffer.from("se\r")]);
    expect(text(await readPassphrase({ terminal }))).toBe("correct horse");
    expect(shown).toEqual(["Passphrase: ", "\n"]);
    expect(modes).toEqual([true, false]);
  });

  it("may hold characters that arrive in pieces", async () => {
    const bytes = Buffer.from("pässwörter genug\r");
    const { terminal } = typist([bytes.subarray(0, 2), bytes.subarray(2)]);
    expect(text(await readPassphrase({ terminal }))).toBe("pässwörter genug");
  });

  it("is the same from a keyboard that composes its accents in another way", async () => {
    const composed = await readPassphrase({ file: fileOf("\u00fcber den bergen") });
    expect(await readPassphrase({ file: fileOf("u\u0308ber den bergen") })).toEqual(composed);
  });

  it("is typed twice for a new key, the same both times", async () => {
    const line = [Buffer.from("correct horse\r")];
    expect(text(await readPassphrase({ isNew: true, terminal: typist(line, line).terminal }))).toBe("correct horse");
    const { terminal } = typist(line, [Buffer.from("another horse\r")]);
    expect(await codeOf(() => readPassphrase({ isNew: true, terminal }))).toBe("keys/passphrase");
  });

  it("is refused for a new key when it is short", async () => {
    const file = fileOf("elevenbytes");
    expect(await codeOf(() => readPassphrase({ file, isNew: true }))).toBe("keys/passphrase-weak");
    expect(text(await readPassphrase({ file }))).toBe("elevenbytes");
  });

  it("is missing where there is none, or none that can be read", async () => {
    const { terminal, modes } = typist([Buffer.from("abc\u0003")]);
    expect(await codeOf(() => readPassphrase({ terminal }))).toBe("keys/passphrase-missing");
    expect(modes).toEqual([true, false]);
    expect(await codeOf(() => readPassphrase({ terminal: noTerminal }))).toBe("keys/passphrase-missing");
    for (const file of [folder, join(folder, "none"), fileOf("x".repeat(1025)), join(folder, "secret")]) {
      expect(await codeOf(() => readPassphrase({ file }))).toBe("keys/passphrase-missing");
    }
    expect(await codeOf(() => readPassphrase({ file: fileOf("\n") }))).toBe("keys/passphrase-missing");
  });
});
