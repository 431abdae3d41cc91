/** The request of `add-checkpoint`: the specification's example, and everything that is not of its form. */
import { describe, expect, it } from "vitest";
import { ADD_CHECKPOINT_BYTES_MAX, formatAddCheckpoint, parseAddCheckpoint } from "../../../host/log/add-checkpoint.ts";
import { NOTE_BYTES_MAX } from "../../../host/log/note.ts";
import { codeOf } from "./keys.ts";

/** The example of tlog-witness. */
const EXAMPLE = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;
const NOTE = EXAMPLE.slice(EXAMPLE.indexOf("\n\n") + 2);
const LINE = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";

describe("a request to cosign", () => {
  it("is read and written as the specification's example", () => {
    const request = parseAddCheckpoint(EXAMPLE);
    expect(request).toMatchObject({ oldSize: 20852014, note: NOTE, checkpoint: { size: 20852163 } });
    expect(request.proof).toHaveLength(4);
    expect(formatAddCheckpoint(request)).toBe(EXAMPLE);
    expect(parseAddCheckpoint(`old 0\n\n${NOTE}`)).toMatchObject({ oldSize: 0, proof: [] });
  });

  it("has 63 digests at most, and the longest fits its bound", () => {
    expect(parseAddCheckpoint(`old 1\n${LINE.repeat(63)}\n${NOTE}`).proof).toHaveLength(63);
    expect(codeOf(() => parseAddCheckpoint(`old 1\n${LINE.repeat(64)}\n${NOTE}`))).toBe("log/request-malformed");
    const longest = `old ${Number.MAX_SAFE_INTEGER}\n${LINE.repeat(63)}\n`;
    expect(longest.length + NOTE_BYTES_MAX).toBe(ADD_CHECKPOINT_BYTES_MAX);
  });

  it.each([
    ["nothing", ""],
    ["no size line", `${LINE}\n${NOTE}`],
    ["no size", `old\n\n${NOTE}`],
    ["an empty size", `old \n\n${NOTE}`],
    ["a leading zero", `old 01\n\n${NOTE}`],
    ["two spaces", `old  1\n\n${NOTE}`],
    ["a tab", `old\t1\n\n${NOTE}`],
    ["another word", `new 1\n\n${NOTE}`],
    ["a carriage return", `old 1\r\n\r\n${NOTE}`],
    ["a size of 64 bits", `old 18446744073709551615\n\n${NOTE}`],
    ["a digest of 31 bytes", `old 1\n${Buffer.alloc(31).toString("base64")}\n\n${NOTE}`],
    ["a digest without padding", `old 1\n${LINE.replace("=", "")}\n${NOTE}`],
    ["a digest with bits to spare", `old 1\n${LINE.replace("w=", "x=")}\n${NOTE}`],
    ["a space behind a digest", `old 1\n${LINE.replace("\n", " \n")}\n${NOTE}`],
    ["no empty line", "old 1\n"],
  ])("is none with %s", (_what, text) => {
    expect(codeOf(() => parseAddCheckpoint(text))).toBe("log/request-malformed");
  });

  it("holds a checkpoint, or is none", () => {
    expect(codeOf(() => parseAddCheckpoint("old 1\n\n"))).toBe("log/note-malformed");
    expect(codeOf(() => parseAddCheckpoint(`old 1\n\n${NOTE.slice(0, -1)}`))).toBe("log/note-malformed");
    expect(codeOf(() => parseAddCheckpoint(`old 1\n\n${NOTE.replace("20852163", "x")}`))).toBe(
      "log/checkpoint-malformed",
    );
    // Its first empty line ends the proof: a second one is the checkpoint's.
    expect(codeOf(() => parseAddCheckpoint(`old 1\n\n\n${NOTE}`))).toBe("log/checkpoint-malformed");
  });
});
