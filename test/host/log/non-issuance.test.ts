/** Proofs that nothing was logged for a device: true, false, out of range, short of witnesses, and changed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeEntry, type LogEntry, subjectKey } from "../../../host/log/entry.ts";
import { Mirror } from "../../../host/log/mirror.ts";
import { Monitor } from "../../../host/log/monitor.ts";
import {
  type HeadProof,
  type NonIssuanceProof,
  proveNonIssuance,
  verifyNonIssuance,
} from "../../../host/log/non-issuance.ts";
import {
  decodeNonIssuance,
  encodeNonIssuance,
  isNonIssuance,
  NON_ISSUANCE_BYTES_MAX,
} from "../../../host/log/non-issuance-file.ts";
import { FolderSource } from "../../../host/log/source.ts";
import { consistencyProof, inclusionProof } from "../../../host/log/tiles.ts";
import { commitmentEntry, KEYS, licenseEntry, T0, TestLog, ueidOf, WITNESSES } from "./log.ts";
import { flipped, logCodeOf } from "./tree.ts";

const HOUR = 3600;
let log: TestLog;
let folder: string;
let mirror: Mirror;
const folders: string[] = [];

/** Follows a log through rounds, each an hour after the one before; gives the mirror. */
async function followed(rounds: readonly ((log: TestLog) => Promise<unknown>)[]): Promise<[TestLog, string]> {
  const followedLog = new TestLog();
  const [served, into] = [0, 1].map(() => mkdtempSync(join(tmpdir(), "quiesce-non-issuance-")));
  folders.push(served!, into!);
  for (const round of rounds) {
    await round(followedLog);
    await followedLog.writeTo(served!);
    await (await Monitor.open({ source: new FolderSource(served!), folder: into!, keys: KEYS })).follow();
  }
  return [followedLog, into!];
}

beforeAll(async () => {
  // Device 1 gets something in the first and the fourth hour, 2 always, 3 never.
  [log, folder] = await followed(
    [[1, 2], [2], [2], [1, 2], [2], []].map((devices, hour) => async (one: TestLog) => {
      if (devices.length > 0) await one.append(...devices.map((device) => licenseEntry(device, BigInt(hour + 1))));
      await one.sign(T0 + hour * HOUR);
    }),
  );
  mirror = await Mirror.open(folder, KEYS);
});

afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true });
});

/** The key of a device, whose number may have two bytes. */
function keyOf(device: number): Uint8Array {
  const ueid = ueidOf(device & 255);
  ueid[1] = device > 255 ? device >> 8 : ueid[1]!;
  return subjectKey(ueid);
}

const range = (from: number, to: number) => ({ fromSeconds: T0 + from * HOUR, toSeconds: T0 + to * HOUR });
const prove = (device: number, from: number, to: number) =>
  proveNonIssuance(mirror, KEYS, ueidOf(device), range(from, to));

describe("a device that got nothing in the range", () => {
  it.each([
    ["between two licenses", 1, 0, 2, 1],
    ["in part of an hour", 1, 0.5, 1.5, 1],
    ["after the last one", 1, 3, 4, 2],
    ["at all", 3, 0, 5, 0],
    ["in hours in which the log did not grow", 2, 4, 5, 5],
    ["in a moment", 2, 1, 1, 2],
  ])("%s", async (_, device, from, to, count) => {
    const proof = await prove(device, from, to);
    const bytes = encodeNonIssuance(proof);
    expect(isNonIssuance(bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(4096);
    const read = decodeNonIssuance(bytes);
    expect(read).toEqual(proof);
    const verified = verifyNonIssuance(read, KEYS);
    expect(verified).toMatchObject({ ueid: ueidOf(device), count, ...range(from, to) });
    for (const { seconds } of verified.first.cosignatures) expect(seconds).toBeLessThanOrEqual(T0 + from * HOUR);
    for (const { seconds } of verified.last.cosignatures) expect(seconds).toBeGreaterThanOrEqual(T0 + to * HOUR);
  });
});

describe("what can't be proved", () => {
  it.each([
    ["a license in the range", 1, 2, 4, "log/issued"],
    ["a device that is licensed all the time", 2, 0, 1, "log/issued"],
    ["a range that begins before the log", 3, -1, 1, "log/range"],
    ["a range that ends in the future", 3, 1, 6, "log/range"],
    ["a range that ends before it begins", 3, 3, 1, "log/range"],
  ])("%s", async (_, device, from, to, code) => {
    expect(await logCodeOf(() => prove(device, from, to))).toBe(code);
  });

  it("anything without witnesses", async () => {
    const alone = { ...KEYS, witnessQuorum: 0 };
    expect(await logCodeOf(() => proveNonIssuance(mirror, alone, ueidOf(3), range(0, 1)))).toBe("log/witness-quorum");
    const proof = await prove(3, 0, 1);
    expect(await logCodeOf(() => verifyNonIssuance(proof, alone))).toBe("log/witness-quorum");
  });

  it("a range that the quorum saw on one side only", async () => {
    const late = [T0 + HOUR, T0 + HOUR, T0 - HOUR];
    const [, into] = await followed([
      (one) => one.append(licenseEntry(2)).then(() => one.sign(T0, 3, late)),
      (one) => one.append(licenseEntry(2)).then(() => one.sign(T0 + 2 * HOUR)),
    ]);
    const other = await Mirror.open(into, KEYS);
    const code = (from: number, to: number) =>
      logCodeOf(() => proveNonIssuance(other, KEYS, ueidOf(3), range(from, to)));
    // One of three had seen the first head at T0: a quorum of two only an hour later.
    expect(await code(0, 2)).toBe("log/range");
    expect(await code(1, 2)).toBeUndefined();
    expect(await code(1, 2.1)).toBe("log/range");
  });
});

describe("a proof that was made to deceive", () => {
  const code = (proof: NonIssuanceProof, keys = KEYS) => logCodeOf(() => verifyNonIssuance(proof, keys));
  const head = (one: TestLog, checkpoint: string, device: number): Promise<HeadProof> =>
    inclusionProof(one.tree, one.size - 1, one.size).then((inclusion) => ({
      checkpoint,
      entry: { subjects: one.index.count, root: one.index.root },
      inclusion,
      index: one.index.prove(keyOf(device)),
    }));

  it("stretches the range, names another device, or claims another range", async () => {
    const proof = await prove(1, 0, 2);
    expect(await code({ ...proof, fromSeconds: T0 - 1 })).toBe("log/range");
    expect(await code({ ...proof, toSeconds: T0 + 3 * HOUR })).toBe("log/range");
    expect(await code({ ...proof, fromSeconds: T0 + 2 * HOUR, toSeconds: T0 })).toBe("log/range");
    expect(await code({ ...proof, ueid: ueidOf(2) })).toBe("log/index-proof");
    // An absence proof of 3 shows nothing of 1: its bits lead elsewhere, or to a leaf that is counted.
    const absent = await prove(3, 0, 2);
    expect(await code({ ...absent, ueid: ueidOf(1) })).toMatch(/^log\/(?:index-proof|issued)$/);
  });

  it("has its heads exchanged, or two that do not follow one another", async () => {
    const proof = await prove(3, 0, 4);
    expect(await code({ ...proof, first: proof.last, last: proof.first })).toBe("log/consistency");
    expect(await code({ ...proof, consistency: [] })).toBe("log/consistency");
    const fork = new TestLog();
    await fork.append(...Array.from({ length: 12 }, () => commitmentEntry(77)));
    const forked = await head(fork, await fork.sign(T0 + 5 * HOUR), 3);
    const consistency = await consistencyProof(fork.tree, 3, fork.size);
    expect(await code({ ...proof, last: forked, consistency })).toBe("log/consistency");
  });

  it("takes the last leaf for an index entry that it is not, or an entry from further back", async () => {
    const one = new TestLog();
    await one.append(licenseEntry(2));
    const first = await head(one, await one.sign(T0), 1);
    const before = one.index;
    await one.append(licenseEntry(1));
    await one.appendRaw([encodeEntry(licenseEntry(2))]);
    const checkpoint = await one.sign(T0 + HOUR);
    const consistency = await consistencyProof(one.tree, 2, one.size);
    const proof = { ueid: ueidOf(1), ...range(0, 1), first, consistency };
    const old = { subjects: before.count, root: before.root };
    const index = before.prove(keyOf(1));
    for (const place of [1, 3, 4]) {
      const inclusion = await inclusionProof(one.tree, place, one.size);
      expect(await code({ ...proof, last: { checkpoint, entry: old, inclusion, index } })).toMatch(
        /^log\/(?:index-entry|inclusion)$/,
      );
    }
  });

  it("is cosigned by one witness less than the quorum", async () => {
    const proof = await prove(3, 0, 2);
    expect(await code(proof, { ...KEYS, witnessQuorum: 3 })).toBeUndefined();
    const fewer = proof.last.checkpoint.split("\n").filter((line) => !/witness.example\/10[23]/.test(line));
    expect(await code({ ...proof, last: { ...proof.last, checkpoint: fewer.join("\n") } })).toBe("log/witness-quorum");
    const others = { ...KEYS, witnesses: WITNESSES.slice(0, 2).map(({ key }) => key) };
    expect(await code(proof, others)).toBeUndefined();
  });

  it("has any bit of it changed", async () => {
    const proof = await prove(1, 0, 2);
    const bytes = encodeNonIssuance(proof);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 8 * bytes.length - 1 }), async (bit) => {
        let verified: ReturnType<typeof verifyNonIssuance> | undefined;
        const refused = await logCodeOf(() => {
          verified = verifyNonIssuance(decodeNonIssuance(flipped(bytes, bit)), KEYS);
        });
        if (refused !== undefined) return;
        // What is left is true: a narrower range, a line that is no known witness's any more, a device that is not there.
        const isSame = Buffer.compare(verified!.ueid, proof.ueid) === 0;
        expect(verified!.count).toBe(isSame ? 1 : 0);
        if (!isSame) expect(log.index.get(subjectKey(verified!.ueid))).toBeUndefined();
        expect(verified!.fromSeconds).toBeGreaterThanOrEqual(T0);
        expect(verified!.toSeconds).toBeLessThanOrEqual(T0 + 2 * HOUR);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the file", () => {
  it("is refused in any other form", async () => {
    const bytes = encodeNonIssuance(await prove(3, 0, 1));
    const code = (some: Uint8Array) => logCodeOf(() => decodeNonIssuance(some));
    for (let length = 0; length < bytes.length; length += 7) {
      expect(await code(bytes.slice(0, length))).toBe("log/proof-malformed");
    }
    expect(await code(new Uint8Array([...bytes, 0]))).toBe("log/proof-malformed");
    expect(await code(new Uint8Array(NON_ISSUANCE_BYTES_MAX + 1))).toBe("log/proof-malformed");
    const proof = await prove(3, 0, 1);
    const strays: NonIssuanceProof[] = [
      { ...proof, ueid: new Uint8Array(32) },
      { ...proof, fromSeconds: -1 },
      { ...proof, consistency: [new Uint8Array(31)] },
      { ...proof, consistency: Array<Uint8Array>(55).fill(new Uint8Array(32)) },
      { ...proof, first: { ...proof.first, inclusion: Array<Uint8Array>(54).fill(new Uint8Array(32)) } },
      { ...proof, last: { ...proof.last, entry: { subjects: 1, root: new Uint8Array(5) } } },
    ];
    for (const stray of strays) expect(await logCodeOf(() => encodeNonIssuance(stray))).toBe("log/proof-malformed");
  });
});

it("grows with the logarithm of log and subjects", async () => {
  const sizes: number[] = [];
  for (const power of [4, 7, 10]) {
    const [one, into] = await followed([
      async (grown) => {
        await grown.append(
          ...Array.from(
            { length: 2 ** power - 1 },
            (_, i) => ({ ...commitmentEntry(0), subjects: [keyOf(i)] }) as LogEntry,
          ),
        );
        await grown.sign(T0);
      },
      (grown) => grown.sign(T0 + HOUR),
    ]);
    expect(one.size).toBe(2 ** power);
    const proof = await proveNonIssuance(await Mirror.open(into, KEYS), KEYS, ueidOf(250), range(0, 1));
    sizes.push(encodeNonIssuance(proof).length);
  }
  // Three levels more in each of two heads: 34 bytes of path a level, and a step of 37 bytes, more or less, since where
  // the keys part is chance: twice as many steps would be too many.
  for (let i = 1; i < sizes.length; i++) expect(sizes[i]! - sizes[i - 1]!).toBeLessThan(2 * 3 * (34 + 2 * 37));
});
