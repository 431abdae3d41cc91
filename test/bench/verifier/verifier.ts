/**
 * `npm run bench -- verifier`: licenses and reports a second, end to end over HTTP with durable commits, against the limit
 * that signatures and the store set in the same run. The boards' side runs in this process, on the same machine.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { StorePlace } from "../../../host/store/store.ts";
import { type Bench, type Effort, median, type Result } from "../frame.ts";
import { Limit } from "./limit.ts";
import { Boards, mustAll } from "./world.ts";

const SERVER = fileURLToPath(new URL("./server.ts", import.meta.url));
const BOARDS = 2000;
/** Where figures mean nothing. */
const BOARDS_FEW = 40;
const CONNECTIONS = 128;
const REPORTS_PER_REQUEST = 32;
const DATABASE_URL = process.env.QUIESCE_TEST_DATABASE_URL;

export const verifier: Bench = {
  about: "licenses and reports a second over HTTP, durable, against signatures and store alone",
  async run(progress, effort) {
    const folder = () => ({ folder: mkdtempSync(join(tmpdir(), "quiesce-bench-")) });
    const results = await onStore("SQLite", folder, effort, progress);
    if (DATABASE_URL === undefined) return results;
    const place = () => ({ databaseUrl: DATABASE_URL, schema: `bench_${randomBytes(6).toString("hex")}` });
    return [...results, ...(await onStore("PostgreSQL", place, effort, progress))];
  },
};

interface Round {
  readonly licenses: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly reports: number;
  readonly licenseLimit: number;
  readonly reportLimit: number;
}

async function onStore(
  name: string,
  place: () => StorePlace,
  { rounds: count, batchMs }: Effort,
  progress: (line: string) => void,
): Promise<Result[]> {
  const places = [place(), place()] as const;
  const [server, address] = await start(places[0]);
  const limit = await Limit.open(places[1]);
  const boards = new Boards(address, batchMs > 0 ? BOARDS : BOARDS_FEW, CONNECTIONS);
  try {
    progress(`${name}: ${boards.all.length} boards enrol`);
    await boards.enrol();
    const rounds: Round[] = [];
    // The first warms both sides up.
    for (let i = 0; i <= count; i++) {
      progress(`${name}: round ${i} of ${count}`);
      const measured = await round(boards, limit);
      if (i > 0) rounds.push(measured);
    }
    const of = (key: keyof Round) => median(rounds.map((one) => one[key]));
    return [
      result(
        `${name}: licenses, ${CONNECTIONS} connections`,
        "1/s",
        of("licenses"),
        "verify, sign, insert",
        of("licenseLimit"),
      ),
      result(`${name}: a license at saturation, p99`, "ms", of("p99Ms"), "its median", of("medianMs")),
      result(
        `${name}: reports, ${REPORTS_PER_REQUEST} a request`,
        "1/s",
        of("reports"),
        "verify, insert",
        of("reportLimit"),
      ),
    ];
  } finally {
    boards.close();
    await limit.close();
    server.stdin!.end();
    await once(server, "exit");
    for (const one of places) if ("folder" in one) rmSync(one.folder, { recursive: true, force: true });
  }
}

async function round(boards: Boards, limit: Limit): Promise<Round> {
  const requests = await boards.licenseRequests();
  const licensing = await timed(() => boards.send(requests));
  const licenses = mustAll(licensing.value);
  const times = licenses.map(({ ms }) => ms).sort((a, b) => a - b);
  const sizes = { evidenceBytes: requests[0]!.body.length, answerBytes: licenses[0]!.body.length };
  const licenseLimit = await limit.measure(boards.all.length, sizes, 1);
  const posts = boards.reports(licenses, REPORTS_PER_REQUEST);
  const reporting = await timed(() => boards.send(posts));
  for (const { body } of mustAll(reporting.value)) mustTake(body);
  const reportBytes = Math.round(posts[0]!.body.length / REPORTS_PER_REQUEST);
  return {
    licenses: licenses.length / licensing.seconds,
    medianMs: median(times),
    p99Ms: times[Math.floor(times.length * 0.99)]!,
    reports: boards.all.length / reporting.seconds,
    licenseLimit,
    reportLimit: await limit.measure(boards.all.length, { evidenceBytes: reportBytes, answerBytes: reportBytes }, 0),
  };
}

function mustTake(body: Uint8Array): void {
  const { results } = JSON.parse(Buffer.from(body).toString()) as { results: { status: string }[] };
  const bad = results.find(({ status }) => status !== "taken");
  if (bad) throw new Error(JSON.stringify(bad));
}

async function timed<T>(act: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const begun = performance.now();
  return { value: await act(), seconds: (performance.now() - begun) / 1000 };
}

function result(name: string, unit: Result["unit"], ours: number, against: string, theirs: number): Result {
  return { name, unit, ours, against, theirs, ratio: ours / theirs };
}

async function start(place: StorePlace): Promise<[ChildProcess, string]> {
  const server = spawn(process.execPath, ["--import", "tsx", SERVER, JSON.stringify(place)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: server.stdout! }), "line")) as [string];
  return [server, line];
}
