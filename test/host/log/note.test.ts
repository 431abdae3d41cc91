/** Signed notes and vkeys: the vectors of C2SP, and everything that is not of their form. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatNote,
  formatSignatureLine,
  formatVkey,
  NOTE_BYTES_MAX,
  NoteType,
  noteKey,
  parseNote,
  parseVkey,
  signaturesBy,
  signNote,
  utf8Text,
} from "../../../host/log/note.ts";
import { sharedIsHere, sharedJson } from "../../shared.ts";
import { codeOf, logPair, witnessPair } from "./keys.ts";

type Vectors = { signed_note_with_key: { vkey: string; note: string }; other_notes_without_keys: string[] };

describe.runIf(sharedIsHere)("the notes of C2SP", () => {
  const vectors = sharedIsHere ? sharedJson<Vectors>("vectors/tlog/c2sp_notes.json") : undefined;

  it("are read, verified and written as they were", () => {
    const { vkey, note } = vectors!.signed_note_with_key;
    const key = parseVkey(vkey);
    expect(key).toMatchObject({ name: "example.com/foo", type: NoteType.ED25519 });
    expect(formatVkey(key)).toBe(vkey);
    const parsed = parseNote(note);
    expect(parsed.body).toBe("This is an example message.\n");
    expect(signaturesBy(key, parsed)).toHaveLength(1);
    expect(formatNote(parsed.body, parsed.signatures)).toBe(note);
  });

  it("keep empty lines in the text and letters of every alphabet", () => {
    const [poem] = vectors!.other_notes_without_keys;
    const { body, signatures } = parseNote(poem!);
    expect(body).toBe("Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n");
    expect(signatures).toMatchObject([{ name: "quasimodo.example/salvatore" }]);
    expect(signatures[0]!.signature).toHaveLength(64);
    expect(formatNote(body, signatures)).toBe(poem);
  });

  it("fail once a bit of text or signature is another", () => {
    const { vkey, note } = vectors!.signed_note_with_key;
    const { body, signatures } = parseNote(note);
    const altered = signatures[0]!.signature.slice();
    altered[63]! ^= 1;
    const key = parseVkey(vkey);
    expect(codeOf(() => signaturesBy(key, { body: body.replace("T", "t"), signatures }))).toBe("log/signature");
    const forged = { body, signatures: [{ ...signatures[0]!, signature: altered }] };
    expect(codeOf(() => signaturesBy(key, forged))).toBe("log/signature");
  });
});

const log = logPair("log.example/north");
const other = logPair("log.example/other", 2);

/** A signature line with any bytes behind the key's id. */
function line(name: string, bytes: Uint8Array): string {
  return `\u2014 ${name} ${Buffer.from(bytes).toString("base64")}\n`;
}

const SOME = new Uint8Array(68).fill(7);
const GOOD_LINE = line("a", SOME);

describe("a note", () => {
  it("holds by the key that signed it, with whoever else signed ignored", async () => {
    const body = "text\n";
    const mine = await signNote(body, log.key, log.signer);
    const strangers = [
      // A signature of nothing, and names or ids (not both) of a known key.
      { name: "stranger", id: new Uint8Array(4), signature: new Uint8Array(2420) },
      { name: log.key.name, id: new Uint8Array(4), signature: new Uint8Array(64) },
      { name: "stranger", id: log.key.id, signature: new Uint8Array(64) },
    ];
    const note = parseNote(formatNote(body, [...strangers, mine]));
    expect(signaturesBy(log.key, note)).toEqual([mine.signature]);
    expect(signaturesBy(other.key, note)).toEqual([]);
  });

  it("is bad as a whole if one signature of a known key is, be another of its good", async () => {
    const body = "text\n";
    const mine = await signNote(body, log.key, log.signer);
    for (const signature of [new Uint8Array(64), new Uint8Array(63), new Uint8Array(1), mine.signature.slice(1)]) {
      const note = parseNote(formatNote(body, [mine, { ...mine, signature }]));
      expect(codeOf(() => signaturesBy(log.key, note))).toBe("log/signature");
    }
  });

  it("holds by no key of the same bytes under another name or of another type", async () => {
    const body = "text\n";
    const note = parseNote(formatNote(body, [await signNote(body, log.key, log.signer)]));
    const { publicKey } = log.key;
    expect(signaturesBy(noteKey("log.example/south", NoteType.ED25519, publicKey), note)).toEqual([]);
    expect(signaturesBy(noteKey(log.key.name, NoteType.COSIGNATURE, publicKey), note)).toEqual([]);
  });

  it("is not signed by a signer of another key, nor with a signature that does not hold", async () => {
    await expect(signNote("text\n", log.key, other.signer)).rejects.toMatchObject({ code: "log/key-malformed" });
    const broken = { publicKey: log.key.publicKey, sign: async () => new Uint8Array(64) };
    await expect(signNote("text\n", log.key, broken)).rejects.toMatchObject({ code: "log/signature" });
  });

  it("takes its text up to the last empty line", () => {
    expect(parseNote(`\n\n${GOOD_LINE}`).body).toBe("\n");
    expect(parseNote(`a\n\n\n${GOOD_LINE}`).body).toBe("a\n\n");
    expect(parseNote(`${GOOD_LINE}\n${GOOD_LINE}`)).toMatchObject({ body: GOOD_LINE, signatures: [{ name: "a" }] });
    expect(parseNote(`\ufefftext\n\n${GOOD_LINE}`).body).toBe("\ufefftext\n");
  });

  it("takes 32 signatures, as long as those that resist quantum computers", () => {
    const long = line("a", new Uint8Array(2_424).fill(1));
    expect(parseNote(`text\n\n${long.repeat(32)}`).signatures).toHaveLength(32);
    expect(parseNote(`text\n\n${line("a", new Uint8Array(4_900)).repeat(16)}`).signatures).toHaveLength(16);
    expect(codeOf(() => parseNote(`text\n\n${GOOD_LINE.repeat(33)}`))).toBe("log/note-malformed");
  });

  it("is as long as is stated and no byte longer", () => {
    const rest = `\n\n${GOOD_LINE}`;
    const most = NOTE_BYTES_MAX - Buffer.byteLength(rest);
    expect(parseNote(`${"x".repeat(most)}${rest}`).body).toHaveLength(most + 1);
    expect(codeOf(() => parseNote(`${"x".repeat(most + 1)}${rest}`))).toBe("log/note-malformed");
  });

  it.each([
    ["no empty line", `text\n${GOOD_LINE}`],
    ["nothing", ""],
    ["only newlines", "\n\n"],
    ["no signature", "text\n\n"],
    ["no newline at the end", `text\n\n${GOOD_LINE.slice(0, -1)}`],
    ["something behind the signatures", `text\n\n${GOOD_LINE}x`],
    ["an empty line at the end", `text\n\n${GOOD_LINE}\n`],
    ["a hyphen for the dash", `text\n\n${GOOD_LINE.replace("\u2014", "-")}`],
    ["no space behind the dash", `text\n\n${GOOD_LINE.replace("\u2014 ", "\u2014")}`],
    ["two spaces", `text\n\n${GOOD_LINE.replace("a ", "a  ")}`],
    ["a space at the end", `text\n\n${GOOD_LINE.replace("\n", " \n")}`],
    ["no name", `text\n\n${line("", SOME)}`],
    ["a plus in the name", `text\n\n${line("a+b", SOME)}`],
    ["a no-break space in the name", `text\n\n${line("a\u00a0b", SOME)}`],
    ["a next-line character in the name", `text\n\n${line("a\u0085b", SOME)}`],
    ["an ideographic space in the name", `text\n\n${line("a\u3000b", SOME)}`],
    ["no signature in the line", "text\n\n\u2014 a\n"],
    ["an empty signature", "text\n\n\u2014 a \n"],
    ["a key's id alone", `text\n\n${line("a", new Uint8Array(4))}`],
    ["no base64", "text\n\n\u2014 a AAAA!AAA\n"],
    ["base64 without its padding", "text\n\n\u2014 a AAAAAAA\n"],
    ["base64 with bits to spare", "text\n\n\u2014 a AAAAAAB=\n"],
    ["base64 of the URL's alphabet", "text\n\n\u2014 a AAAAAA_-\n"],
    ["a tab", `te\txt\n\n${GOOD_LINE}`],
    ["a carriage return", `text\r\n\n${GOOD_LINE}`],
    ["a zero", `text\u0000\n\n${GOOD_LINE}`],
    ["half a surrogate pair", `text\ud800\n\n${GOOD_LINE}`],
  ])("is none with %s", (_what, text) => {
    expect(codeOf(() => parseNote(text))).toBe("log/note-malformed");
  });

  it("is no bytes but UTF-8, and keeps a byte order mark", () => {
    expect(codeOf(() => utf8Text(Uint8Array.of(0x61, 0xff)))).toBe("log/note-malformed");
    expect(utf8Text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
  });

  it("is never written as something that would be read as another", () => {
    const signature = { name: "a", id: new Uint8Array(4), signature: new Uint8Array(64) };
    expect(codeOf(() => formatNote("text", [signature]))).toBe("log/note-malformed");
    expect(codeOf(() => formatNote("text\n", []))).toBe("log/note-malformed");
    expect(codeOf(() => formatNote("text\n", [{ ...signature, name: "a b" }]))).toBe("log/note-malformed");
    expect(codeOf(() => formatNote("te\rxt\n", [signature]))).toBe("log/note-malformed");
  });

  it("is read as it was written, whatever text and bytes", () => {
    const names = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => !/[\p{White_Space}+]/u.test(name));
    const signatures = fc.record({
      name: names,
      id: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      signature: fc.uint8Array({ minLength: 1, maxLength: 100 }),
    });
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(signatures, { minLength: 1, maxLength: 32 }), (lines, signed) => {
        const body = `${lines.join("\n")}\n`;
        expect(parseNote(formatNote(body, signed))).toEqual({ body, signatures: signed });
        expect(formatSignatureLine(signed[0]!).endsWith("\n")).toBe(true);
      }),
    );
  });

  it("is refused with its code or read, whatever was altered of it", () => {
    const text = `text\n\n${GOOD_LINE}`;
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 3 }), (at, removed, added) => {
        const altered = text.slice(0, at) + added + text.slice(at + removed);
        expect(["log/note-malformed", "taken"]).toContain(codeOf(() => parseNote(altered)));
      }),
    );
  });
});

describe("a vkey", () => {
  it("is read as it was written, with names of 1 to 255 bytes", () => {
    for (const { key } of [log, witnessPair("w"), logPair("x".repeat(255)), logPair("é".repeat(127))]) {
      expect(parseVkey(formatVkey(key))).toEqual(key);
    }
    expect(codeOf(() => logPair("x".repeat(256)))).toBe("log/key-malformed");
    expect(codeOf(() => logPair(""))).toBe("log/key-malformed");
    expect(codeOf(() => noteKey("a", NoteType.ED25519, new Uint8Array(31)))).toBe("log/key-malformed");
  });

  const good = formatVkey(log.key);
  const [name, id, material] = good.split(/\+(.{8})\+/) as [string, string, string];
  it.each([
    ["nothing", ""],
    ["no key", `${name}+${id}`],
    ["the id of another key", `${name}+00000000+${material}`],
    ["uppercase digits", `${name}+${id.toUpperCase()}+${material}`.replace(id, "ABCDEF01")],
    ["another name", `x${good}`],
    ["no name", `+${id}+${material}`],
    ["base64 with a padding that is not needed", `${good}=`],
    ["a space", `${good} `],
    ["a key too short", `${name}+${id}+${Buffer.from([1, 2, 3]).toString("base64")}`],
    ["a type that is not known here", `${name}+${id}+${Buffer.alloc(33, 6).toString("base64")}`],
  ])("is none with %s", (_what, text) => {
    expect(codeOf(() => parseVkey(text))).toBe("log/key-malformed");
  });
});
