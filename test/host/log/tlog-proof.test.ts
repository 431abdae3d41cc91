/** Inclusion proofs as files: C2SP tlog-proof, to and fro and in no other form. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { logKeys } from "../../../host/log/log-keys.ts";
import { leafHash } from "../../../host/log/merkle.ts";
import { inclusionProof } from "../../../host/log/tiles.ts";
import {
  formatTlogProof,
  isTlogProof,
  parseTlogProof,
  type TlogProof,
  verifyTlogProof,
} from "../../../host/log/tlog-proof.ts";
import { logPair } from "./keys.ts";
import { commitmentEntry, KEYS, LOG, T0, TestLog } from "./log.ts";
import { flipped, logCodeOf } from "./tree.ts";

let log: TestLog;
let proof: TlogProof;
const LEAF = 123;

beforeAll(async () => {
  log = new TestLog();
  await log.append(...Array.from({ length: 300 }, (_, i) => commitmentEntry(i % 250, i)));
  const checkpoint = await log.sign(T0, 2);
  proof = { index: LEAF, path: await inclusionProof(log.tree, LEAF, log.size), checkpoint };
});

describe("a proof", () => {
  it("has the lines of the specification", () => {
    const lines = formatTlogProof({ ...proof, extra: new Uint8Array([1, 2, 3]) }).split("\n");
    expect(lines.slice(0, 3)).toEqual(["c2sp.org/tlog-proof@v1", "extra AQID", "index 123"]);
    expect(lines.slice(3, 12)).toEqual(proof.path.map((hash) => Buffer.from(hash).toString("base64")));
    expect(lines[12]).toBe("");
    expect(lines.slice(13).join("\n")).toBe(log.note);
  });

  it("is read back as it was written", () => {
    const any = fc.record(
      {
        index: fc.maxSafeNat(),
        path: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 53 }),
        checkpoint: fc.constant(proof.checkpoint),
        extra: fc.uint8Array({ minLength: 1, maxLength: 200 }),
      },
      { requiredKeys: ["index", "path", "checkpoint"] },
    );
    fc.assert(
      fc.property(any, (one) => {
        const text = formatTlogProof(one);
        expect(isTlogProof(text)).toBe(true);
        expect(parseTlogProof(text)).toEqual(one);
      }),
    );
  });

  it("of another form is refused", async () => {
    const text = formatTlogProof(proof);
    const strays = [
      "",
      text.replace("@v1", "@v2"),
      text.replace("index 123", "index 0123"),
      text.replace("index 123", "index -1"),
      text.replace("index 123", "index 9007199254740992"),
      text.replace("index 123\n", ""),
      text.replace("index 123", "extra \nindex 123"),
      text.replace("index 123", "extra AQ\nindex 123"),
      text.replace("index 123", "index 123\nextra AQID"),
      text.replace("index 123", "index 123\nAQID"),
      text.replace("index 123", `index 123\n${"A".repeat(43)}=\r`),
      text.replace("index 123", `index 123\n${`${"A".repeat(43)}=\n`.repeat(60)}`.trimEnd()),
      text.replace("index 123", `extra ${Buffer.alloc(16_385).toString("base64")}\nindex 123`),
      text.slice(0, text.indexOf("\n\n")),
      `${text}${" ".repeat(200_000)}`,
    ];
    for (const stray of strays) expect(await logCodeOf(() => parseTlogProof(stray))).toBe("log/proof-malformed");
    expect(await logCodeOf(() => parseTlogProof(text.slice(0, -1)))).toBe("log/note-malformed");
  });
});

describe("verifying", () => {
  const leaf = () => leafHash(log.entries[LEAF]!);

  it("gives the checkpoint with its cosignatures", () => {
    const opened = verifyTlogProof(proof, leaf(), KEYS);
    expect([opened.size, opened.cosignatures.map(({ seconds }) => seconds)]).toEqual([log.size, [T0, T0]]);
  });

  it("refuses another entry, another place, a changed path, another log, and one witness less than the quorum", async () => {
    const code = (change: Partial<TlogProof>, of = leaf(), keys = KEYS) =>
      logCodeOf(() => verifyTlogProof({ ...proof, ...change }, of, keys));
    expect(await code({}, leafHash(log.entries[LEAF + 1]!))).toBe("log/inclusion");
    expect(await code({ index: LEAF + 1 })).toBe("log/inclusion");
    expect(await code({ index: log.size })).toBe("log/inclusion");
    expect(await code({ path: proof.path.with(2, flipped(proof.path[2]!, 3)) })).toBe("log/inclusion");
    expect(await code({ path: [] })).toBe("log/inclusion");
    expect(await code({}, leaf(), { ...KEYS, witnessQuorum: 3 })).toBe("log/witness-quorum");
    expect(await code({ checkpoint: await log.sign(T0, 1) })).toBe("log/witness-quorum");
    expect(await code({}, leaf(), logKeys(logPair("log.example/two").key, [], 0))).toBe("log/origin");
    expect(await code({}, leaf(), logKeys(logPair(LOG.key.name, 9).key, [], 0))).toBe("log/signature");
  });
});

it("grows with the logarithm of the log", async () => {
  const sizes: number[] = [];
  const grown = new TestLog();
  for (const power of [4, 6, 8, 10]) {
    const missing = 2 ** power - 1 - grown.size;
    await grown.append(...Array.from({ length: missing }, (_, i) => commitmentEntry(i % 250, i)));
    expect(grown.size).toBe(2 ** power);
    const checkpoint = await grown.sign(T0);
    const path = await inclusionProof(grown.tree, 3, grown.size);
    expect(path).toHaveLength(power);
    sizes.push(formatTlogProof({ index: 3, path, checkpoint }).length);
  }
  // 45 characters a level, and a digit more of the size.
  for (let i = 1; i < sizes.length; i++) expect(sizes[i]! - sizes[i - 1]!).toBeLessThanOrEqual(2 * 45 + 1);
});
