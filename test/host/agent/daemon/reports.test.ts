/** No report is lost or told twice: not while verifiers are away, and not when the agent is killed at any moment. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GateState } from "../../../../firmware/protocol/states.ts";
import { SocketDriver } from "../../../../host/agent/socket-driver.ts";
import { Mailbox } from "../../../../host/mailbox.ts";
import { decodeReportBatch } from "../../../../host/objects/report-batch.ts";
import { hexOf } from "../../../../host/verifier/bytes.ts";
import { FakeHttp } from "../../client/fake-http.ts";
import { FakeVerifier, FakeWorld } from "../../client/fake-service.ts";
import { eventually } from "../../eventually.ts";
import { Boards, configText, Daemons } from "./rig.ts";

const QUIESCE = fileURLToPath(new URL("../../../../host/cli/quiesce.mjs", import.meta.url));
/** There is work all the time, so a report is never the same as the one before. */
const REPORTS = { everySeconds: 0.3, waitingMax: 3, keep: 50 };
const KILLS = 4;

let boards: Boards;
let world: FakeWorld;
let verifier: FakeVerifier;
let http: FakeHttp;
beforeEach(async () => {
  boards = new Boards();
  world = new FakeWorld();
  verifier = new FakeVerifier(world, "north");
  http = await FakeHttp.start(verifier);
});
afterEach(async () => {
  await boards.close();
  await http.close();
});

const verifiers = () => [{ name: "north", url: http.url }];
const takenOf = (ueid: Uint8Array) => verifier.taken.get(hexOf(ueid)) ?? [];

/** 1, 2, 3, ... up to the newest: each once, in order. */
function expectWholeChain(taken: readonly bigint[]): void {
  expect(taken).toEqual(Array.from({ length: taken.length }, (_, i) => BigInt(i + 1)));
}

async function infoOf(name: string) {
  const port = new SocketDriver(boards.folder).open(name);
  try {
    return await new Mailbox<"async">(port.exchange).info();
  } finally {
    port.close();
  }
}

describe("reports of a board", () => {
  const daemons: Daemons[] = [];
  afterEach(async () => {
    for (const one of daemons.splice(0)) await one.close();
  });
  const start = async (change = {}) => {
    const made = new Daemons();
    daemons.push(made);
    await made.start(boards, verifiers(), { reports: REPORTS, ...change });
    return made;
  };

  it("wait on disk while the verifier is away, no more are made than may wait, and all arrive when it is back", async () => {
    const { board, ueid } = await boards.add("a");
    const made = await start();
    await eventually(() => expect(made.board("a").isWell).toBe(true));
    http.fault = ({ path }, response) => path !== "/v1/beacon" && response.destroy() !== undefined;
    await eventually(() => expect(made.board("a").reportsWaiting).toBe(3));
    const { reportHead } = await infoOf("a");
    // Long enough for several more, if there were room.
    const fromMs = board.agreementMs;
    await eventually(() => expect(board.agreementMs - fromMs).toBeGreaterThan(2_000n));
    expect((await infoOf("a")).reportHead).toEqual(reportHead);
    expect(board.gateState).toBe(GateState.OPEN);
    expect(made.board("a").error?.code).toBe("client/connect");

    http.fault = () => false;
    await eventually(() => expect(made.board("a").isWell).toBe(true));
    await eventually(() => expect(takenOf(ueid).length).toBeGreaterThan(Number(reportHead.sequence)));
    expectWholeChain(takenOf(ueid));
  });

  it("are uploaded many at a time after a restart too, the oldest first", async () => {
    const { ueid } = await boards.add("a");
    const first = await start();
    await eventually(() => expect(first.board("a").isWell).toBe(true));
    http.fault = ({ path }, response) => path === "/v1/reports" && response.destroy() !== undefined;
    await eventually(() => expect(first.board("a").reportsWaiting).toBe(3));
    await first.stop();
    http.fault = () => false;
    const before = http.count("/v1/reports");
    await first.start(boards, verifiers(), { reports: { ...REPORTS, everySeconds: 3600 } });
    await eventually(() => expect(first.board("a")).toMatchObject({ reportsWaiting: 0, isWell: true }));
    expect(http.count("/v1/reports")).toBe(before + 1);
    expectWholeChain(takenOf(ueid));
  });

  it("are opened where the verifier asks for an interval, and one that is not kept any more is named", async () => {
    const { ueid } = await boards.add("a");
    const made = await start({ pollSeconds: 0.2 });
    await eventually(() => expect(takenOf(ueid).length).toBeGreaterThan(2));
    const [reportSequence] = takenOf(ueid).filter((sequence) => (reportOf(sequence)?.intervalCount ?? 0) > 0);
    verifier.wanted = [{ ueid, reportSequence: reportSequence!, index: 0 }];
    await eventually(() => expect(verifier.wanted).toEqual([]));
    verifier.wanted = [{ ueid, reportSequence: 9_999n, index: 0 }];
    await eventually(() => expect(made.board("a").error?.code).toBe("agent/report-lost"));
    function reportOf(sequence: bigint) {
      return verifier.storage.report(hexOf(ueid), sequence)?.report;
    }
  });
});

describe("an agent that is killed", () => {
  let state: string;
  let agent: ChildProcess | undefined;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "quiesce-killed-"));
    const change = { reports: { ...REPORTS, waitingMax: 16 }, requests: { timeoutSeconds: 2, triesMax: 1 } };
    writeFileSync(join(state, "agent.json"), configText(boards.folder, state, verifiers(), change));
  });
  afterEach(async () => {
    await kill();
    rmSync(state, { recursive: true });
  });

  function start(): void {
    const args = [QUIESCE, "agent", "run", "--config", join(state, "agent.json")];
    agent = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  }

  async function kill(): Promise<void> {
    if (!agent || agent.exitCode !== null || agent.signalCode !== null) return;
    const gone = new Promise((resolve) => agent!.once("close", resolve));
    agent.kill("SIGKILL");
    await gone;
  }

  it("with reports waiting or in the middle of an upload, again and again, loses none and has none taken twice", async () => {
    const { ueid, board } = await boards.add("a");
    start();
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
    let mode: "up" | "down" | "mute" = "up";
    http.fault = ({ path, body }, response) => {
      if (path !== "/v1/reports" || mode === "up") return false;
      // Mute: the upload arrives, and the agent never hears of it.
      if (mode === "mute") verifier.reports(decodeReportBatch(body));
      else response.destroy();
      return true;
    };
    for (let kills = 0; kills < KILLS; kills++) {
      mode = "down";
      const taken = BigInt(takenOf(ueid).length);
      // The board keeps a copy of its newest report: of two that wait, one is with the agent alone.
      await eventually(async () => expect((await infoOf("a")).reportHead.sequence).toBeGreaterThanOrEqual(taken + 2n));
      const isUploading = kills % 2 === 0;
      if (isUploading) {
        const uploaded = http.next(({ path }) => path === "/v1/reports");
        mode = "mute";
        await uploaded;
      }
      await kill();
      start();
    }
    mode = "up";
    await eventually(async () => {
      const { reportHead } = await infoOf("a");
      expect(takenOf(ueid).length).toBeGreaterThan(KILLS);
      expect(takenOf(ueid).at(-1)).toBe(reportHead.sequence);
    });
    expectWholeChain(takenOf(ueid));
    expect(verifier.repeated.length).toBeGreaterThan(0);
    expect(board.gateState).toBe(GateState.OPEN);
    // A process starts five times.
  }, 300_000);
});
