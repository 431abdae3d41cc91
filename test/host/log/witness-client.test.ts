/** Asking a witness: a real one, and servers that answer what no witness may. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { parseCheckpoint } from "../../../host/log/checkpoint.ts";
import { cosignaturesOf, signCosignature } from "../../../host/log/cosignature.ts";
import { formatSignatureLine } from "../../../host/log/note.ts";
import { type WitnessAnswer, WitnessClient } from "../../../host/log/witness-client.ts";
import { logOf, NOW_SECONDS, TestLog, WITNESS, withWitness } from "../witness/rig.ts";
import { logPair, witnessPair } from "./keys.ts";

const PAIR = logPair("log.example/north");
const LOG = new TestLog(PAIR).grow(9);

describe("a witness that serves", () => {
  it("gives a cosignature that the note takes as its own", () =>
    withWitness([logOf(PAIR)], async (served) => {
      const client = new WitnessClient({ url: `${served.url}/`, key: WITNESS.key });
      const note = await LOG.note(5);
      const answer = await client.addCheckpoint(0, [], note);
      if (answer.kind !== "cosigned") throw new Error(JSON.stringify(answer));
      expect(answer.seconds).toBe(NOW_SECONDS);
      const read = cosignaturesOf(parseCheckpoint(note + answer.line), [WITNESS.key]);
      expect(read).toEqual([{ witness: 0, seconds: NOW_SECONDS, signature: answer.signature }]);
    }));

  it("says which head it knows, and takes the next one by a proof from there", () =>
    withWitness([logOf(PAIR)], async (served) => {
      const client = new WitnessClient({ url: served.url, key: WITNESS.key });
      await client.addCheckpoint(0, [], await LOG.note(5));
      const note = await LOG.note();
      expect(await client.addCheckpoint(0, [], note)).toEqual({ kind: "behind", size: 5 });
      expect(await client.addCheckpoint(5, LOG.proof(5), note)).toMatchObject({ kind: "cosigned" });
    }));

  it("refuses with a status and its reason", () =>
    withWitness([logOf(PAIR)], async (served) => {
      const client = new WitnessClient({ url: served.url, key: WITNESS.key });
      const note = await new TestLog(logPair("log.example/south")).grow(1).note();
      const refused = await client.addCheckpoint(0, [], note);
      expect(refused).toMatchObject({ kind: "refused", status: 404, detail: expect.stringContaining("log/origin") });
    }));

  it("is not asked about what is no checkpoint", async () => {
    const client = new WitnessClient({ url: "http://127.0.0.1:1", key: WITNESS.key });
    await expect(client.addCheckpoint(0, [], "text")).rejects.toMatchObject({ code: "log/note-malformed" });
  });
});

/** What the client makes of a server that answers this. */
async function askAt(listener: RequestListener, timeoutMs?: number): Promise<WitnessAnswer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const client = new WitnessClient({ url, key: WITNESS.key, ...(timeoutMs !== undefined && { timeoutMs }) });
    return await client.addCheckpoint(0, [], await LOG.note());
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const answerWith =
  (status: number, body: string, type = "text/plain"): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": type }).end(body);
  };

async function lineOf(pair: typeof WITNESS, log = LOG): Promise<string> {
  const { body } = parseCheckpoint(await log.note());
  return formatSignatureLine(await signCosignature(body, pair.key, pair.signer, NOW_SECONDS));
}

describe("a server that is no good witness", () => {
  it.each([
    ["another witness's line", () => lineOf(witnessPair("witness.example/w1", 7))],
    ["a cosignature of another head", () => lineOf(WITNESS, LOG.fork(2).grow(7, "fork"))],
    ["no line", async () => ""],
    ["an HTML page", async () => "<html></html>\n"],
    ["a line without its end", async () => (await lineOf(WITNESS)).slice(0, -1)],
  ])("is refused for %s", async (_what, body) => {
    expect(await askAt(answerWith(200, await body()))).toMatchObject({ kind: "refused", status: 200 });
  });

  it("may answer for other witnesses besides: they are ignored", async () => {
    const body = (await lineOf(witnessPair("another", 8))) + (await lineOf(WITNESS));
    expect(await askAt(answerWith(200, body))).toMatchObject({ kind: "cosigned", line: await lineOf(WITNESS) });
  });

  it("has said no size unless the type and the number are right", async () => {
    expect(await askAt(answerWith(409, "7\n", "text/x.tlog.size"))).toEqual({ kind: "behind", size: 7 });
    for (const [body, type] of [
      ["7\n", "text/plain"],
      ["07\n", "text/x.tlog.size"],
      ["-1\n", "text/x.tlog.size"],
      ["", "text/x.tlog.size"],
    ]) {
      expect(await askAt(answerWith(409, body!, type))).toMatchObject({ kind: "refused", status: 409 });
    }
  });

  it("is not read beyond a bound, and its words are cut", async () => {
    expect(await askAt(answerWith(200, "x".repeat(65_537)))).toMatchObject({ kind: "away" });
    const refused = await askAt(answerWith(500, "x".repeat(60_000)));
    expect(refused).toMatchObject({ kind: "refused", status: 500, detail: "x".repeat(200) });
  });

  it("is away if it does not answer in time, not in whole, or not at all", async () => {
    expect(await askAt(() => {}, 50)).toMatchObject({ kind: "away" });
    const half: RequestListener = (_request, response) => {
      response.writeHead(200).write("half");
    };
    expect(await askAt(half, 50)).toMatchObject({ kind: "away" });
    expect(await askAt((request) => request.socket.destroy())).toMatchObject({ kind: "away" });
    const client = new WitnessClient({ url: "http://127.0.0.1:1", key: WITNESS.key });
    expect(await client.addCheckpoint(0, [], await LOG.note())).toEqual({ kind: "away", detail: "ECONNREFUSED" });
  });

  it("is not followed elsewhere", async () => {
    const listener: RequestListener = (request, response) => {
      request.resume();
      response.writeHead(307, { location: "http://127.0.0.1:1/add-checkpoint" }).end();
    };
    expect(await askAt(listener)).toMatchObject({ kind: "refused", status: 307 });
  });
});
