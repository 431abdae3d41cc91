/** Every status of `add-checkpoint` (C2SP tlog-witness), by HTTP. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ADD_CHECKPOINT_BYTES_MAX, formatAddCheckpoint } from "../../../host/log/add-checkpoint.ts";
import { openCheckpoint, parseCheckpoint } from "../../../host/log/checkpoint.ts";
import { cosignaturesOf, openCosignature } from "../../../host/log/cosignature.ts";
import { EMPTY_ROOT } from "../../../host/log/merkle.ts";
import { formatNote, parseNote, parseSignatureLine, signNote } from "../../../host/log/note.ts";
import { logPair, signedCheckpoint } from "../log/keys.ts";
import { logOf, NOW_SECONDS, type ServedWitness, TestLog, WITNESS, withWitness } from "./rig.ts";

const PAIR = logPair("log.example/north");
const EMPTY = EMPTY_ROOT;
const HASH = createHash("sha256").update(PAIR.key.name).digest("hex");

/** A witness of the log, and the log with so many entries. */
function witnessed<T>(size: number, work: (served: ServedWitness, log: TestLog) => Promise<T>): Promise<T> {
  return withWitness([logOf(PAIR)], (served) => work(served, new TestLog(PAIR).grow(size)));
}

/** The time of the cosignature that the answer is, over this head. */
async function secondsOf(text: string, log: TestLog, size = log.size): Promise<number> {
  expect(text.endsWith("\n") && text.split("\n").length === 2).toBe(true);
  const { body } = parseCheckpoint(await log.note(size));
  const line = parseSignatureLine(text.slice(0, -1));
  expect(line).toMatchObject({ name: WITNESS.key.name, id: WITNESS.key.id });
  return openCosignature(body, WITNESS.key, line.signature).seconds;
}

describe("200", () => {
  it("answers the first head and every next one that goes on from it, each with the time of its cosignature", () =>
    witnessed(40, async (served, log) => {
      let oldSize = 0;
      for (const size of [1, 2, 3, 8, 13, 32, 40]) {
        served.nowSeconds += 10;
        const { status, text } = await served.post(await log.request(oldSize, size));
        expect(status).toBe(200);
        expect(await secondsOf(text, log, size)).toBe(served.nowSeconds);
        oldSize = size;
      }
      expect(served.store.newestHead(log.origin)).toMatchObject({ size: 40, root: log.root() });
    }));

  it("answers the same head again, with the new time", () =>
    witnessed(5, async (served, log) => {
      await served.post(await log.request(0));
      served.nowSeconds = NOW_SECONDS + 60;
      const again = await served.post(await log.request(5));
      expect(again.status).toBe(200);
      expect(await secondsOf(again.text, log)).toBe(NOW_SECONDS + 60);
    }));

  it("answers an empty log, again, and what it becomes", () =>
    witnessed(3, async (served, log) => {
      expect((await served.post(await log.request(0, 0))).status).toBe(200);
      expect((await served.post(await log.request(0, 0))).status).toBe(200);
      expect((await served.post(await log.request(0, 3))).status).toBe(200);
    }));

  it("cosigns extension lines, and ignores whoever else signed", () =>
    witnessed(4, async (served, log) => {
      const body = `${log.origin}\n4\n${Buffer.from(log.root()).toString("base64")}\nextension\n`;
      const strangers = [
        { name: "stranger", id: new Uint8Array(4), signature: new Uint8Array(2420) },
        { name: log.origin, id: new Uint8Array(4), signature: new Uint8Array(64) },
      ];
      const note = formatNote(body, [...strangers, await signNote(body, PAIR.key, PAIR.signer)]);
      const { status, text } = await served.post(formatAddCheckpoint({ oldSize: 0, proof: [], note }));
      expect(status).toBe(200);
      openCosignature(body, WITNESS.key, parseSignatureLine(text.trim()).signature);
      // What strangers wrote is not handed on.
      const kept = parseNote((await served.get(`/${HASH}/checkpoint`)).text);
      expect(kept.signatures.map(({ name }) => name)).toEqual([log.origin, WITNESS.key.name]);
    }));

  it("takes a head by any of the log's keys, under an origin that is no key's name", async () => {
    const [one, two] = [logPair("key-one", 1), logPair("key-two", 2)];
    const origin = "a log + of the world";
    await withWitness([{ origin, keys: [one.key, two.key] }], async (served) => {
      const body = `${origin}\n1\n${Buffer.from(new TestLog(PAIR).grow(1).root()).toString("base64")}\n`;
      const note = formatNote(body, [await signNote(body, two.key, two.signer)]);
      expect((await served.post(formatAddCheckpoint({ oldSize: 0, proof: [], note }))).status).toBe(200);
    });
  });
});

describe("400", () => {
  it.each([
    ["nothing", ""],
    ["no size line", "\n\n"],
    ["a leading zero", (text: string) => text.replace("old 0", "old 00")],
    ["a carriage return", (text: string) => text.replace("old 0\n", "old 0\r\n")],
    ["a digest that is none", (text: string) => text.replace("old 0\n", "old 0\nAAAA\n")],
    ["64 digests", (text: string) => text.replace("old 0\n", `old 0\n${`${"A".repeat(43)}=\n`.repeat(64)}`)],
    ["no signature", (text: string) => `${text.split("\n\n").slice(0, 2).join("\n\n")}\n\n`],
    ["a size that is none", (text: string) => text.replace("\n3\n", "\n03\n")],
    ["a note without its last newline", (text: string) => text.slice(0, -1)],
  ])("answers %s", (_what, text) =>
    witnessed(3, async (served, log) => {
      const body = typeof text === "string" ? text : text(await log.request(0));
      const answer = await served.post(body);
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(/^log\/[a-z-]+: .+\n$/);
    }),
  );

  it("answers bytes that are no UTF-8", () =>
    witnessed(3, async (served, log) => {
      const body = Buffer.concat([Buffer.from(await log.request(0)), Uint8Array.of(0xff)]);
      expect((await served.post(body)).status).toBe(400);
    }));

  it("answers an old size beyond the checkpoint's, before it looks at its own", () =>
    witnessed(3, async (served, log) => {
      const note = await log.note(3);
      expect((await served.post(formatAddCheckpoint({ oldSize: 4, proof: [], note }))).status).toBe(400);
    }));

  it("is 413 for what is longer than any request", () =>
    witnessed(1, async (served) => {
      expect((await served.post(Buffer.alloc(ADD_CHECKPOINT_BYTES_MAX, 0x61))).status).toBe(400);
      expect((await served.post(Buffer.alloc(ADD_CHECKPOINT_BYTES_MAX + 1, 0x61))).status).toBe(413);
    }));
});

describe("403", () => {
  it("answers a head that no key of the log signed, and one whose signature does not hold", () =>
    witnessed(3, async (served, log) => {
      const stranger = await signedCheckpoint(logPair(log.origin, 7), { size: 3, root: log.root() });
      const altered = (await log.note()).replace("\n3\n", "\n2\n");
      const { body, signatures } = parseNote(await log.note());
      const doubled = formatNote(body, [...signatures, { ...signatures[0]!, signature: new Uint8Array(64) }]);
      for (const note of [stranger, altered, doubled]) {
        const answer = await served.post(formatAddCheckpoint({ oldSize: 0, proof: [], note }));
        expect(answer).toMatchObject({ status: 403, text: expect.stringContaining("log/signature") });
      }
      expect(served.store.heads()).toEqual([]);
      expect(served.store.conflicts()).toEqual([]);
    }));
});

describe("404", () => {
  it("answers an origin that is not known, whoever signed", () =>
    witnessed(1, async (served) => {
      const log = new TestLog(logPair("log.example/south", 1)).grow(1);
      const answer = await served.post(await log.request(0));
      expect(answer).toMatchObject({ status: 404, text: expect.stringContaining("log/origin") });
    }));

  it("answers other addresses, and logs of which nothing was cosigned", () =>
    witnessed(1, async (served) => {
      for (const path of [`/${HASH}/checkpoint`, "/checkpoint", `/${"0".repeat(64)}/checkpoint`, "/add-checkpoint"]) {
        expect((await served.get(path)).status, path).toBe(404);
      }
    }));
});

describe("409", () => {
  it("says the size of the newest head, as the specification has it", () =>
    witnessed(8, async (served, log) => {
      const first = await served.post(await log.request(4, 6));
      expect(first).toEqual({ status: 409, type: "text/x.tlog.size", text: "0\n" });
      await served.post(await log.request(0, 6));
      for (const [oldSize, size] of [
        [0, 8],
        [4, 8],
        [7, 8],
        [0, 4],
        [4, 4],
      ] as const) {
        const answer = await served.post(await log.request(oldSize, size));
        expect(answer).toEqual({ status: 409, type: "text/x.tlog.size", text: "6\n" });
      }
      expect(served.store.newestHead(log.origin)?.size).toBe(6);
    }));
});

describe("422", () => {
  it("answers a proof that does not hold: of another size, of another tree, too short, too long, or none", () =>
    witnessed(13, async (served, log) => {
      await served.post(await log.request(0, 6));
      const note = await log.note();
      const proof = log.proof(6);
      const other = new TestLog(PAIR).grow(13, "other");
      const bad = [[], proof.slice(1), [...proof, proof[0]!], log.proof(7), other.proof(6), proof.toReversed()];
      for (const one of bad) {
        const answer = await served.post(formatAddCheckpoint({ oldSize: 6, proof: one, note }));
        expect(answer).toMatchObject({ status: 422, text: expect.stringContaining("log/consistency") });
      }
      expect(served.store.newestHead(log.origin)?.size).toBe(6);
      expect((await served.post(await log.request(6))).status).toBe(200);
    }));

  it("answers a proof from the empty tree that is not empty", () =>
    witnessed(2, async (served, log) => {
      const request = { oldSize: 0, proof: [log.root()], note: await log.note() };
      expect((await served.post(formatAddCheckpoint(request))).status).toBe(422);
      const again = { oldSize: 2, proof: [log.root()], note: await log.note() };
      await served.post(await log.request(0));
      expect((await served.post(formatAddCheckpoint(again))).status).toBe(422);
    }));

  it("answers a head without leaves that has a root, and keeps it", () =>
    witnessed(0, async (served, log) => {
      const note = await signedCheckpoint(PAIR, { size: 0, root: new Uint8Array(32) });
      expect((await served.post(formatAddCheckpoint({ oldSize: 0, proof: [], note }))).status).toBe(422);
      expect(log.root()).toEqual(EMPTY);
      expect(served.conflicts).toMatchObject([{ kind: "empty-root", size: 0, note, knownNote: undefined }]);
    }));

  it("answers another head of the size that was cosigned, and keeps both", () =>
    witnessed(6, async (served, log) => {
      await served.post(await log.request(0));
      const fork = log.fork(3).grow(3, "fork");
      const note = await fork.note();
      expect((await served.post(formatAddCheckpoint({ oldSize: 6, proof: [], note }))).status).toBe(422);
      const [conflict] = served.store.conflicts();
      expect(conflict).toMatchObject({ kind: "split-view", size: 6, root: fork.root(), note, seconds: NOW_SECONDS });
      // What was kept is enough to convince others: both heads, signed.
      expect(openCheckpoint(conflict!.knownNote!, PAIR.key).root).toEqual(log.root());
      expect(openCheckpoint(conflict!.note, PAIR.key).root).toEqual(fork.root());
    }));
});

describe("evidence", () => {
  it("is kept of a fork of any size that was cosigned, whatever the request is refused for, and each once", () =>
    witnessed(9, async (served, log) => {
      await served.post(await log.request(0, 5));
      await served.post(await log.request(5, 9));
      const fork = log.fork(2).grow(3, "fork");
      for (let i = 0; i < 3; i++) expect((await served.post(await fork.request(0))).status).toBe(409);
      expect(served.store.conflicts()).toMatchObject([{ kind: "split-view", size: 5, root: fork.root() }]);
      expect(served.conflicts).toHaveLength(1);
    }));

  it("is kept of a head without proof, until it has one", () =>
    witnessed(9, async (served, log) => {
      await served.post(await log.request(0, 5));
      await served.post(formatAddCheckpoint({ oldSize: 5, proof: [], note: await log.note() }));
      expect(served.store.conflicts()).toMatchObject([{ kind: "unproven", size: 9 }]);
      await served.post(await log.request(5));
      expect(served.store.conflicts()).toEqual([]);
    }));

  it("is bounded by kind, and the first is what stays", () =>
    witnessed(4, async (served, log) => {
      await served.post(await log.request(0));
      for (let i = 0; i < 70; i++) {
        const note = await log.fork(0).grow(4, `fork ${i}`).note();
        expect((await served.post(formatAddCheckpoint({ oldSize: 4, proof: [], note }))).status).toBe(422);
      }
      const conflicts = served.store.conflicts();
      expect(conflicts).toHaveLength(64);
      expect(conflicts[0]!.root).toEqual(log.fork(0).grow(4, "fork 0").root());
      for (let i = 0; i < 20; i++) {
        const note = await log.fork(4).grow(1, `loose ${i}`).note();
        await served.post(formatAddCheckpoint({ oldSize: 4, proof: [log.root()], note }));
      }
      expect(served.store.conflicts().filter(({ kind }) => kind === "unproven")).toHaveLength(16);
    }));
});

describe("what monitors read", () => {
  it("is the newest checkpoint, with the log's signature and the cosignature that was answered", () =>
    witnessed(7, async (served, log) => {
      for (const [oldSize, size] of [
        [0, 4],
        [4, 7],
      ] as const) {
        const { text } = await served.post(await log.request(oldSize, size));
        const answer = await served.get(`/${HASH}/checkpoint`);
        expect(answer).toMatchObject({ status: 200, type: "text/plain; charset=utf-8" });
        expect(answer.text).toBe((await log.note(size)) + text);
        expect(cosignaturesOf(openCheckpoint(answer.text, PAIR.key), [WITNESS.key])).toHaveLength(1);
      }
    }));

  it("is the state for operators: alive, ready, metrics by log", () =>
    witnessed(7, async (served, log) => {
      await served.post(await log.request(0));
      await served.post(formatAddCheckpoint({ oldSize: 7, proof: [], note: await log.fork(0).grow(7, "x").note() }));
      expect((await served.get("/healthz")).status).toBe(200);
      expect((await served.get("/readyz")).status).toBe(200);
      const { text } = await served.get("/metrics");
      expect(text).toContain(`quiesce_witness_head_size{origin="${log.origin}"} 7`);
      expect(text).toContain(`quiesce_witness_conflicts{origin="${log.origin}",kind="split-view"} 1`);
      expect(text).toContain('quiesce_witness_requests_total{status="200"} 1');
      expect(text).toContain('quiesce_witness_requests_total{status="422"} 1');
    }));
});
