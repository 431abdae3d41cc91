/** The agent's daemon keeps boards at work against real verifiers, whatever comes and goes. */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OrderAction } from "../../../../firmware/protocol/claims.ts";
import { GateState } from "../../../../firmware/protocol/states.ts";
import { AgentDaemon } from "../../../../host/agent/daemon/daemon.ts";
import { agentLogger } from "../../../../host/agent/daemon/log.ts";
import { parseAgentConfig } from "../../../../host/agent/daemon/read-config.ts";
import { openRealVerifier, type RealVerifier, type RealVerifierOptions } from "../../client/real-verifier.ts";
import { eventually } from "../../eventually.ts";
import { Boards, configText, Daemons } from "./rig.ts";

let boards: Boards;
let daemons: Daemons;
const verifiers: RealVerifier[] = [];
beforeEach(() => {
  boards = new Boards();
  daemons = new Daemons();
});
afterEach(async () => {
  await daemons.close();
  await boards.close();
  for (const verifier of verifiers.splice(0)) await verifier.close();
});

async function verifierOf(options: RealVerifierOptions = {}): Promise<RealVerifier> {
  const verifier = await openRealVerifier(options);
  verifiers.push(verifier);
  return verifier;
}

const named = (...found: readonly RealVerifier[]) =>
  found.map(({ url }, i) => ({ name: ["north", "south", "west"][i]!, url }));

async function order(verifier: RealVerifier, action: OrderAction): Promise<void> {
  const { id, quorum } = await verifier.service.proposeOrder({ action });
  for (let i = 0; i < quorum; i++) await verifier.service.approveOrder(id, `party ${i}`);
}

describe("the agent's daemon", () => {
  it("brings every board that it finds from the factory to work, and says that all is well", async () => {
    const verifier = await verifierOf();
    const [first, second] = [await boards.add("a", 1), await boards.add("b", 2)];
    const daemon = await daemons.start(boards, named(verifier));
    await eventually(() => expect(daemon.status().boards.map(({ isWell }) => isWell)).toEqual([true, true]));
    expect([first.board.gateState, second.board.gateState]).toEqual([GateState.OPEN, GateState.OPEN]);
    const later = await boards.add("c", 3);
    await eventually(() => expect(later.board.gateState).toBe(GateState.OPEN));
    expect(daemon.status().verifiers).toMatchObject([{ name: "north", isListening: true, error: null }]);
  });

  it("says whose the boards are where it signs its requests, and nobody believes it elsewhere", async () => {
    const verifier = await verifierOf();
    const token = await verifier.token("agent");
    const tokenFile = join(daemons.state, "token");
    writeFileSync(tokenFile, token, { mode: 0o600 });
    const { ueid } = await boards.add("a");
    const registration = { owner: "Acme", site: "hall 7" };
    const [north] = named(verifier);
    await daemons.start(boards, [{ ...north, tokenFile }], { registration, logLevel: "trace" });
    await eventually(async () => expect(await verifier.service.device(ueid)).toMatchObject(registration));
    await eventually(() => expect(daemons.board("a").isWell).toBe(true));
    expect(daemons.log.join("")).not.toContain(token);
  });

  it("delivers a pause at once when a verifier tells it, and a resume, after which work goes on", async () => {
    const verifier = await verifierOf();
    const { board } = await boards.add("a");
    const daemon = await daemons.start(boards, named(verifier), { pollSeconds: 3600 });
    await eventually(() => expect(daemon.status().verifiers[0]!.isListening && daemons.board("a").isWell).toBe(true));
    const asked = performance.now();
    await order(verifier, OrderAction.PAUSE);
    await eventually(() => expect(board.gateState).not.toBe(GateState.OPEN));
    expect(performance.now() - asked).toBeLessThan(20_000);
    await eventually(() => expect(board.gateState).toBe(GateState.PAUSED));
    await eventually(() => expect(daemons.board("a")).toMatchObject({ isWell: true, epoch: 1 }));
    // Though it asks for no license: that it obeys is known, and all that was done is in the books.
    await eventually(async () =>
      expect(await verifier.service.delivery(1)).toMatchObject({ delivered: 1, missing: 0 }),
    );
    const [row] = await verifier.service.usage("fleet");
    expect(row!.rows.map(({ licensed }) => licensed)).toEqual(row!.rows.map(({ reported }) => reported));
    await order(verifier, OrderAction.RESUME);
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
  });

  it("delivers orders by asking now and then where a verifier pushes nothing", async () => {
    const verifier = await verifierOf();
    verifier.fault = ({ url }, response) => url === "/v1/events" && response.writeHead(404).end() !== undefined;
    const { board } = await boards.add("a");
    const daemon = await daemons.start(boards, named(verifier));
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
    await order(verifier, OrderAction.PAUSE);
    await eventually(() => expect(board.gateState).toBe(GateState.PAUSED));
    expect(daemon.status().verifiers).toMatchObject([{ isListening: false, error: { code: "client/status" } }]);
  });

  it("listens again after the stream broke off, and misses nothing of what happened meanwhile", async () => {
    const verifier = await verifierOf();
    const { board } = await boards.add("a");
    const daemon = await daemons.start(boards, named(verifier), { pollSeconds: 3600 });
    await eventually(() => expect(daemon.status().verifiers[0]!.isListening && daemons.board("a").isWell).toBe(true));
    verifier.fault = (_request, response) => response.destroy() !== undefined;
    verifier.cut();
    await eventually(() => expect(daemon.status().verifiers[0]!.isListening).toBe(false));
    await order(verifier, OrderAction.PAUSE);
    verifier.fault = () => false;
    await eventually(() => expect(board.gateState).toBe(GateState.PAUSED));
  });

  it("keeps a lease alive that is shorter than anybody would choose", async () => {
    const verifier = await verifierOf({ agreement: { leaseSeconds: 6 }, beaconMs: 500 });
    const { board } = await boards.add("a");
    await daemons.start(boards, named(verifier));
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
    const states: number[] = [];
    board.subscribe({ observe: (event) => void (event.kind === "gate" && states.push(event.to)) });
    const fromMs = board.agreementMs;
    await eventually(() => expect(board.agreementMs - fromMs).toBeGreaterThan(13_000n));
    expect(states).toEqual([]);
  });

  it("renews licenses before they end, so that work never waits", async () => {
    const verifier = await verifierOf();
    const { board } = await boards.add("a");
    const license = {
      budget: { tensor_bf16: "1e15FLOP", copy: "1e12B" },
      ticksMax: "20000",
      windowSeconds: 60,
      renewAt: 0.9,
    };
    await daemons.start(boards, named(verifier), { license });
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
    const closings: number[] = [];
    board.subscribe({ observe: (event) => void (event.kind === "gate" && closings.push(event.code)) });
    await eventually(() => expect(Number(daemons.board("a").licenseSequence)).toBeGreaterThanOrEqual(4));
    expect(closings).toEqual([]);
  });

  it("goes on after a restart where it left off: no new enrolment, and no new license while the old one lasts", async () => {
    const verifier = await verifierOf();
    const { board } = await boards.add("a");
    await daemons.start(boards, named(verifier));
    await eventually(() => expect(daemons.board("a").isWell).toBe(true));
    await daemons.stop();
    const asked: string[] = [];
    verifier.fault = ({ method, url }) => asked.push(`${method} ${url}`) < 0;
    await daemons.start(boards, named(verifier));
    await eventually(() => expect(daemons.board("a")).toMatchObject({ isWell: true, licenseSequence: "1" }));
    await eventually(() => expect(asked.filter((one) => one === "GET /v1").length).toBeGreaterThan(3));
    expect(asked.filter((one) => one.startsWith("POST"))).toEqual([]);
    expect(board.gateState).toBe(GateState.OPEN);
  });

  it("sets the clock of a board again that lost its power, and has one recovered that lost its journal", async () => {
    const verifier = await verifierOf();
    const { board } = await boards.add("a");
    await daemons.start(boards, named(verifier), { reports: { everySeconds: 1 } });
    await eventually(() => expect(daemons.board("a").isWell).toBe(true));
    const before = board.flash.image();
    board.cutPower();
    await eventually(() =>
      expect(daemons.board("a")).toMatchObject({ isWell: false, error: { code: "driver/silent" } }),
    );
    board.powerOn();
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
    board.cutPower();
    board.flash.replace(before);
    board.powerOn();
    expect(board.gateState).toBe(GateState.LOCKED);
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
  });

  it("has a second agent turned away while it runs, and not when it is gone", async () => {
    const verifier = await verifierOf();
    await daemons.start(boards, named(verifier));
    const config = parseAgentConfig(configText(boards.folder, daemons.state, named(verifier)), "agent.json", "/");
    const second = () => AgentDaemon.open(config, { log: agentLogger("silent"), file: "agent.json" });
    await expect(second()).rejects.toMatchObject({ code: "agent/locked" });
    await daemons.stop();
    const daemon = await second();
    daemon.start();
    await daemon.stop();
  });

  it("leaves a second board with the same identity alone, and says so", async () => {
    const verifier = await verifierOf();
    await boards.add("a", 1);
    await daemons.start(boards, named(verifier));
    await eventually(() => expect(daemons.board("a").isWell).toBe(true));
    symlinkSync(join(boards.folder, "a.sock"), join(boards.folder, "copy.sock"));
    await eventually(() =>
      expect(daemons.board("copy")).toMatchObject({ isWell: false, error: { code: "agent/duplicate" } }),
    );
    expect(daemons.board("a").isWell).toBe(true);
  });
});

describe("two verifiers with a party each", () => {
  it("license boards together; with one of them away the license runs out and it is said why; and back again", async () => {
    const [north, south] = [await verifierOf({ here: [0] }), await verifierOf({ here: [1] })];
    const { board, ueid } = await boards.add("a");
    const license = {
      budget: { tensor_bf16: "1e15FLOP", copy: "1e12B" },
      ticksMax: "6000",
      windowSeconds: 60,
      renewAt: 0.5,
    };
    await daemons.start(boards, named(north, south), { license, requests: { timeoutSeconds: 2, triesMax: 1 } });
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
    const views = () => Promise.all([north, south].map(({ service }) => service.device(ueid)));
    for (const view of await views()) expect(view.licenseSequence).toBeGreaterThanOrEqual(1n);
    south.fault = (_request, response) => response.destroy() !== undefined;
    south.cut();
    await eventually(() => expect(board.gateState).toBe(GateState.IDLE));
    await eventually(() => expect(daemons.board("a").error?.code).toMatch(/^client\/(?:quorum|connect)$/));
    south.fault = () => false;
    await eventually(() => expect(board.gateState).toBe(GateState.OPEN));
    await eventually(async () => {
      const [first, second] = await views();
      expect(second!.reportSequence).toBe(first!.reportSequence);
    });
  });
});
