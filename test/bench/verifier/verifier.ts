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
const CONNECTIONS = 512;
const REPORTS_PER_REQUEST = 32;
const DATABASE_URL = process.env.QUIESCE_TEST_DATABASE_URL;

export const verifier: Bench = {
  about: "licenses and reports a second over HTTP, durable, against signatures and store alone",
  async run(progress, effort) {
    const folder = () => ({ folder: mkdtempSync(join(tmpdir(), "quiesce-bench-")) });
    const embedded = resultsOf("SQLite", await onStore("SQLite", folder, 1, effort, progress));
    if (DATABASE_URL === undefined) return embedded;
    const place = () => ({ databaseUrl: DATABASE_URL, schema: `bench_${randomBytes(6).toString("hex")}` });
    const one = await onStore("PostgreSQL", place, 1, effort, progress);
    const two = await onStore("PostgreSQL", place, 2, effort, progress);
    return [
      ...embedded,
      ...resultsOf("PostgreSQL", one),
      result("PostgreSQL: licenses, two processes", "1/s", two.licenses, "one process", one.licenses),
    ];
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

/** Medians of all rounds. */
async function onStore(
  name: string,
  place: () => StorePlace,
  processes: number,
  { rounds: count, batchMs }: Effort,
  progress: (line: string) => void,
): Promise<Round> {
  const places = [place(), place()] as const;
  const servers: ChildProcess[] = [];
  const addresses: string[] = [];
  for (let i = 0; i < processes; i++) {
    const [server, address] = await start(places[0]);
    servers.push(server);
    addresses.push(address);
  }
  const limit = await Limit.open(places[1]);
  const boards = new Boards(addresses, batchMs > 0 ? BOARDS : BOARDS_FEW, CONNECTIONS);
  const title = processes === 1 ? name : `${name}, ${processes} processes`;
  try {
    progress(`${title}: ${boards.all.length} boards enrol`);
    await boards.enrol();
    const rounds: Round[] = [];
    // The first warms both sides up.
    for (let i = 0; i <= count; i++) {
      progress(`${title}: round ${i} of ${count}`);
      const measured = await round(boards, limit);
      if (i > 0) rounds.push(measured);
    }
    const of = (key: keyof Round) => median(rounds.map((one) => one[key]));
    return {
      licenses: of("licenses"),
      medianMs: of("medianMs"),
      p99Ms: of("p99Ms"),
      reports: of("reports"),
      licenseLimit: of("licenseLimit"),
      reportLimit: of("reportLimit"),
    };
  } finally {
    boards.close();
    await limit.close();
    for (const server of servers) {
      server.stdin!.end();
      await once(server, "exit");
    }
    for (const one of places) if ("folder" in one) rmSync(one.folder, { recursive: true, force: true });
  }
}

function resultsOf(name: string, { licenses, licenseLimit, p99Ms, medianMs, reports, reportLimit }: Round): Result[] {
  const many = `${REPORTS_PER_REQUEST} a request`;
  return [
    result(`${name}: licenses, ${CONNECTIONS} connections`, "1/s", licenses, "verify, sign, insert", licenseLimit),
    result(`${name}: a license at saturation, p99`, "ms", p99Ms, "its median", medianMs),
    result(`${name}: reports, ${many}`, "1/s", reports, "verify, insert", reportLimit),
  ];
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
