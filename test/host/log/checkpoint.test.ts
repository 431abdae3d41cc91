/** Checkpoints and cosignatures: their examples in the specifications, and everything that is not of their form. */
import { describe, expect, it } from "vitest";
import { checkpointBody, openCheckpoint, parseCheckpoint, parseSize } from "../../../host/log/checkpoint.ts";
import {
  cosignatureMessage,
  cosignaturesOf,
  decodeCosignature,
  encodeCosignature,
  openCosignature,
  signCosignature,
} from "../../../host/log/cosignature.ts";
import { formatNote, type NoteSignature, signNote } from "../../../host/log/note.ts";
import { codeOf, logPair, signedCheckpoint, witnessPair } from "./keys.ts";

/** The example of tlog-cosignature. */
const EXAMPLE = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;
const ROOT = Buffer.from("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "base64");

const log = logPair("log.example/north");
const signed: NoteSignature = { name: "a", id: new Uint8Array(4), signature: new Uint8Array(64) };
const withBody = (body: string) => formatNote(body, [signed]);

describe("a checkpoint", () => {
  it("is read as the specification's example says, and its body is made again", () => {
    const { origin, size, root, extensions, body, signatures, note } = parseCheckpoint(EXAMPLE);
    expect({ origin, size, extensions }).toEqual({
      origin: "example.com/behind-the-sofa",
      size: 20852163,
      extensions: [],
    });
    expect(Buffer.from(root)).toEqual(ROOT);
    expect(signatures.map(({ name }) => name)).toEqual(["example.com/behind-the-sofa", "witness.example.com/w1"]);
    expect(checkpointBody({ origin, size, root })).toBe(body);
    expect(formatNote(body, signatures)).toBe(note);
  });

  it("keeps extension lines as they are, as part of what is signed", async () => {
    const body = `${log.key.name}\n1\n${ROOT.toString("base64")}\nextra 1\n \u00e9\n`;
    const note = formatNote(body, [await signNote(body, log.key, log.signer)]);
    const checkpoint = openCheckpoint(note, log.key);
    expect(checkpoint).toMatchObject({ size: 1, extensions: ["extra 1", " \u00e9"], body });
    const without = note.replace("extra 1\n", "");
    expect(codeOf(() => openCheckpoint(without, log.key))).toBe("log/signature");
  });

  it("takes origins with spaces and sizes from 0 to the largest safe integer", () => {
    const body = checkpointBody({ origin: "my log + more", size: Number.MAX_SAFE_INTEGER, root: ROOT });
    expect(parseCheckpoint(withBody(body))).toMatchObject({ origin: "my log + more", size: Number.MAX_SAFE_INTEGER });
    expect(parseSize("0")).toBe(0);
  });

  const root = ROOT.toString("base64");
  it.each([
    ["no root", "o\n1\n"],
    ["no size", `o\n${root}\n`],
    ["no origin", `\n1\n${root}\n`],
    ["an empty extension line", `o\n1\n${root}\n\nextra\n`],
    ["an empty line at its end", `o\n1\n${root}\n\n`],
    ["a leading zero", `o\n01\n${root}\n`],
    ["two zeros", `o\n00\n${root}\n`],
    ["a sign", `o\n+1\n${root}\n`],
    ["a negative size", `o\n-1\n${root}\n`],
    ["an empty size", `o\n\n${root}\n`],
    ["a space before the size", `o\n 1\n${root}\n`],
    ["a hexadecimal size", `o\n0x1\n${root}\n`],
    ["a size beyond the safe integers", `o\n9007199254740992\n${root}\n`],
    ["a size of 64 bits", `o\n18446744073709551615\n${root}\n`],
    ["digits of another script", `o\n\u0661\n${root}\n`],
    ["a root of 31 bytes", `o\n1\n${Buffer.alloc(31).toString("base64")}\n`],
    ["a root of 33 bytes", `o\n1\n${Buffer.alloc(33).toString("base64")}\n`],
    ["a root without padding", `o\n1\n${root.replace("=", "")}\n`],
    ["a root with bits to spare", `o\n1\n${root.replace("I=", "J=")}\n`],
    ["a root in hex", `o\n1\n${ROOT.toString("hex")}\n`],
  ])("is none with %s", (_what, body) => {
    expect(codeOf(() => parseCheckpoint(withBody(body)))).toBe("log/checkpoint-malformed");
  });

  it("is not written of what is none", () => {
    expect(codeOf(() => checkpointBody({ origin: "a\nb", size: 1, root: ROOT }))).toBe("log/checkpoint-malformed");
    expect(codeOf(() => checkpointBody({ origin: "a", size: 1.5, root: ROOT }))).toBe("log/checkpoint-malformed");
    expect(codeOf(() => checkpointBody({ origin: "a", size: 2 ** 53, root: ROOT }))).toBe("log/checkpoint-malformed");
    expect(codeOf(() => checkpointBody({ origin: "a", size: 1, root: ROOT.subarray(1) }))).toBe(
      "log/checkpoint-malformed",
    );
  });

  it("is a log's by its origin and its key's signature", async () => {
    const note = await signedCheckpoint(log, { size: 3, root: ROOT }, [signed]);
    expect(openCheckpoint(note, log.key).signature).toHaveLength(64);
    expect(codeOf(() => openCheckpoint(note, logPair("log.example/south").key))).toBe("log/origin");
    expect(codeOf(() => openCheckpoint(note, log.key, "another"))).toBe("log/origin");
    // Of another key under the same name: it signed nothing.
    expect(codeOf(() => openCheckpoint(note, logPair(log.key.name, 9).key))).toBe("log/signature");
    expect(codeOf(() => openCheckpoint(note.replace("\n3\n", "\n4\n"), log.key))).toBe("log/signature");
  });
});

describe("a cosignature", () => {
  const body = checkpointBody({ origin: log.key.name, size: 3, root: ROOT });
  const one = witnessPair("witness.example/1", 101);
  const two = witnessPair("witness.example/2", 102);
  const cosign = ({ key, signer }: typeof one, seconds: number) => signCosignature(body, key, signer, seconds);

  it("is over the lines that the specification shows", () => {
    const checkpoint = parseCheckpoint(EXAMPLE);
    const { seconds } = decodeCosignature(checkpoint.signatures[1]!.signature);
    expect(seconds).toBe(1679315147);
    expect(Buffer.from(cosignatureMessage(checkpoint.body, seconds)).toString()).toBe(
      `cosignature/v1\ntime 1679315147\n${checkpoint.body}`,
    );
    expect(encodeCosignature(decodeCosignature(checkpoint.signatures[1]!.signature))).toEqual(
      checkpoint.signatures[1]!.signature,
    );
  });

  it("is found with its witness's place in the list, whatever the order of the lines", async () => {
    const note = await signedCheckpoint(log, { size: 3, root: ROOT }, [await cosign(two, 20), await cosign(one, 10)]);
    const read = parseCheckpoint(note);
    expect(cosignaturesOf(read, [one.key, witnessPair("w3").key, two.key])).toMatchObject([
      { witness: 0, seconds: 10 },
      { witness: 2, seconds: 20 },
    ]);
    expect(cosignaturesOf(read, [])).toEqual([]);
  });

  it("counts once for each witness, the newest", async () => {
    const signatures = [await cosign(one, 10), await cosign(one, 30), await cosign(one, 20)];
    expect(cosignaturesOf({ body, signatures }, [one.key])).toMatchObject([{ witness: 0, seconds: 30 }]);
  });

  it("that is a known witness's by name and id and does not hold makes the note bad", async () => {
    const good = await cosign(one, 10);
    const later = good.signature.slice();
    later[7]! += 1;
    const untimed = good.signature.slice();
    untimed[7] = 0;
    for (const signature of [later, untimed, good.signature.slice(1), good.signature.slice(8), new Uint8Array(72)]) {
      const forged = { ...good, signature };
      expect(codeOf(() => cosignaturesOf({ body, signatures: [good, forged] }, [one.key]))).toBe("log/cosignature");
      expect(cosignaturesOf({ body, signatures: [forged] }, [two.key])).toEqual([]);
    }
  });

  it("holds for no other body, and is no log's signature", async () => {
    const good = await cosign(one, 10);
    const other = checkpointBody({ origin: log.key.name, size: 4, root: ROOT });
    expect(codeOf(() => openCosignature(other, one.key, good.signature))).toBe("log/cosignature");
    const plain = await signNote(body, one.key, one.signer);
    const timed = encodeCosignature({ seconds: 10, signature: plain.signature });
    expect(codeOf(() => openCosignature(body, one.key, timed))).toBe("log/cosignature");
  });

  it("has a time that is neither absent nor beyond the safe integers", () => {
    const signature = new Uint8Array(64);
    const most = encodeCosignature({ seconds: Number.MAX_SAFE_INTEGER, signature });
    expect(decodeCosignature(most)).toEqual({ seconds: Number.MAX_SAFE_INTEGER, signature });
    expect(codeOf(() => decodeCosignature(encodeCosignature({ seconds: 0, signature })))).toBe("log/cosignature");
    expect(codeOf(() => decodeCosignature(encodeCosignature({ seconds: 2 ** 53, signature })))).toBe("log/cosignature");
    expect(codeOf(() => decodeCosignature(most.slice(1)))).toBe("log/cosignature");
  });
});
