/** `quiesce board serve`: simulated boards that outlive the process that runs them, as real ones outlive a power cut. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Agent } from "../../../host/agent/agent.ts";
import type { BoardPort } from "../../../host/agent/driver.ts";
import { SocketDriver } from "../../../host/agent/socket-driver.ts";
import { runAsync } from "../../../host/agent/step.ts";
import { MemoryStore } from "../../../host/agent/store.ts";
import { Circle } from "../../../host/client/circle.ts";
import { CircleLink } from "../../../host/client/circle-link.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { decodeEndorsement } from "../../../host/objects/endorsement.ts";
import { parseSign1 } from "../../../host/protocol/cose.ts";
import { hexOf } from "../../../host/verifier/bytes.ts";
import { OK } from "../agent/site.ts";
import { asyncStore } from "../client/circle-site.ts";
import { FakeHttp, send } from "../client/fake-http.ts";
import { FakeVerifier, FakeWorld, MANUFACTURER_SEED } from "../client/fake-service.ts";
import { eventually } from "../eventually.ts";
import { quiesce, temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const QUIESCE = fileURLToPath(new URL("../../../host/cli/quiesce.mjs", import.meta.url));
const folder = temporaryFolder();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

type Served = {
  child: ChildProcess;
  facts: { boards: { name: string; ueid: string }[] };
  ended: Promise<number | null>;
};

let count = 0;
const place = () => {
  const sockets = join(folder, `${++count}`);
  return { sockets, state: join(sockets, "state"), key: join(folder, "manufacturer.key") };
};
writeFileSync(join(folder, "manufacturer.key"), hexOf(MANUFACTURER_SEED), { mode: 0o600 });

/** Starts it, and waits until its boards listen. */
async function serve(at: ReturnType<typeof place>, ...more: string[]): Promise<Served> {
  const args = [
    "board",
    "serve",
    "--socket",
    at.sockets,
    "--state",
    at.state,
    "--manufacturer",
    at.key,
    "--json",
    ...more,
  ];
  const child = spawn(process.execPath, [QUIESCE, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  closing.push(() => child.kill("SIGKILL") && ended);
  let text = "";
  for await (const piece of child.stdout!) {
    text += piece;
    if (text.endsWith("}\n")) break;
  }
  return { child, facts: JSON.parse(text), ended };
}

function portOf(at: ReturnType<typeof place>, name = "board-1"): BoardPort {
  const port = new SocketDriver(at.sockets).open(name);
  closing.push(() => port.close());
  return port;
}

async function verifierOf(world: FakeWorld): Promise<{ verifier: FakeVerifier; http: FakeHttp; link: CircleLink }> {
  const verifier = new FakeVerifier(world, "north");
  const http = await FakeHttp.start(verifier);
  const circle = new Circle([{ name: "north", client: new VerifierClient({ url: http.url }) }]);
  closing.push(
    () => http.close(),
    () => circle.close(),
  );
  return { verifier, http, link: new CircleLink(circle) };
}

function agentOf(port: BoardPort, link: CircleLink): Agent<"async"> {
  return new Agent<"async">(new Mailbox<"async">(port.exchange), link, {
    run: runAsync,
    store: asyncStore(new MemoryStore()),
  });
}

async function openGate(port: BoardPort, link: CircleLink): Promise<Agent<"async">> {
  const agent = agentOf(port, link);
  const endorsement = (await port.endorsement())!;
  for (const step of [
    () => agent.provision(),
    () => agent.enrol(endorsement),
    () => agent.syncTime(),
    () => agent.renew(),
  ]) {
    // At another speed a step that was held up is of long ago, and is made again.
    await eventually(async () => expect(await step()).toEqual(OK));
  }
  return agent;
}

describe("boards in real time", () => {
  it("listen each on its own socket, endorsed by the manufacturer, and end cleanly with a signal", async () => {
    const at = place();
    const { child, facts, ended } = await serve(at, "--boards", "3", "--seed", "5");
    expect(await new SocketDriver(at.sockets).list()).toEqual(["board-1", "board-2", "board-3"]);
    for (const { name, ueid } of facts.boards) {
      const port = portOf(at, name);
      expect(hexOf(decodeEndorsement(parseSign1((await port.endorsement())!).payload).ueid)).toBe(ueid);
      const info = await new Mailbox<"async">(port.exchange).info();
      expect(hexOf(info.ueid)).toBe(ueid);
      expect(info.gateState).toBe(GateState.LOCKED);
    }
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(readdirSync(at.sockets).filter((name) => name.endsWith(".sock"))).toEqual([]);
  });

  it("work under a license, and lose nothing that they reported when the process is killed", async () => {
    const at = place();
    const world = new FakeWorld();
    const { link, verifier } = await verifierOf(world);
    const first = await serve(at, "--workload", "resnet-ddp");
    const agent = await openGate(portOf(at), link);
    expect((await agent.info()).gateState).toBe(GateState.OPEN);
    expect(await agent.report()).toEqual(OK);
    const before = await agent.info();
    first.child.kill("SIGKILL");
    await first.ended;

    await serve(at, "--workload", "resnet-ddp");
    const again = agentOf(portOf(at), link);
    const after = await again.info();
    expect(hexOf(after.ueid)).toBe(hexOf(before.ueid));
    expect(after.bootCount).toBe(before.bootCount + 1);
    expect(after.licenseSequence).toBe(before.licenseSequence);
    expect(after.reportHead.sequence).toBeGreaterThanOrEqual(before.reportHead.sequence);
    expect(after.challenge).not.toEqual(before.challenge);
    expect(await again.syncTime()).toEqual(OK);
    expect(await again.renew()).toEqual(OK);
    expect(verifier.taken.get(hexOf(after.ueid))!.length).toBeGreaterThanOrEqual(2);
  });

  it("at another speed take verifiers along, so that both ends live in one time", async () => {
    const at = place();
    const world = new FakeWorld();
    let nowMs = Date.now();
    world.nowMs = () => nowMs;
    const { http, link } = await verifierOf(world);
    http.fault = ({ method, path, body, headers }, response) => {
      if (`${method} ${path}` !== "PUT /v1/simulation/clock") return false;
      expect(headers.authorization).toBe("Bearer let-me-in");
      ({ nowMs } = JSON.parse(body.toString()));
      send(response, { status: 204 });
      return true;
    };
    const token = join(at.sockets, "..", "token");
    writeFileSync(token, "let-me-in\n", { mode: 0o600 });
    await serve(at, "--speed", "60", "--set-clock", http.url, "--token-file", token, "--workload", "resnet-ddp");
    const fromMs = nowMs;
    const agent = await openGate(portOf(at), link);
    await eventually(async () => {
      expect(nowMs - fromMs).toBeGreaterThan(60_000);
      const { timeBounds } = await agent.info();
      expect(timeBounds!.lowerMs).toBeLessThanOrEqual(nowMs + 1_000);
      expect(timeBounds!.upperMs).toBeGreaterThanOrEqual(nowMs - 60_000);
    });
    // A pause of this process is a minute for each second there: what it carried then was too old.
    await eventually(async () => {
      expect(await agent.deliverBeacon()).toEqual(OK);
      expect(await agent.renew()).toEqual(OK);
    });
  });
});

describe("wrong use of board serve", () => {
  it.each([
    ["no socket", [], /--socket/],
    ["two boards on one socket", ["--socket", "a.sock", "--boards", "2"], /folder of sockets/],
    ["another speed without verifiers", ["--socket", "s", "--speed", "10"], /--set-clock/],
    ["no speed", ["--socket", "s", "--speed", "0"], /number from 0\.1/],
    ["too many boards", ["--socket", "s", "--boards", "1000"], /1 to 256/],
    ["a key that is none", ["--socket", "s", "--manufacturer", "text"], /holds no key/],
    ["a key that others can read", ["--socket", "s", "--manufacturer", "open.key"], /chmod/],
    ["a path that is too long for a socket", ["--socket", "x".repeat(120)], /too long for a socket/],
    ["an agreement", ["--socket", "s", "--agreement", "x"], /takes no --agreement/],
  ])("%s is one line", async (_what, args, line) => {
    writeFileSync(join(folder, "text"), "no key", { mode: 0o600 });
    writeFileSync(join(folder, "open.key"), "00".repeat(32), { mode: 0o644 });
    const { exit, stderr } = await quiesceHere(["board", "serve", ...args], { cwd: folder });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(exit).toBe(2);
  });

  it("a state of other boards, or of none, is refused and left as it is", async () => {
    const at = place();
    const { child, ended } = await serve(at);
    child.kill("SIGTERM");
    await ended;
    const args = ["board", "serve", "--socket", at.sockets, "--state", at.state];
    expect((await quiesceHere([...args, "--seed", "2"])).stderr).toMatch(/of seed 1, not 2/);
    writeFileSync(join(at.state, "board-1.json"), "{");
    const { exit, stderr } = await quiesce(args);
    expect(stderr).toMatch(/board-1\.json is no board's state/);
    expect(exit).toBe(2);
    expect(existsSync(join(at.sockets, "board-1.sock"))).toBe(false);
  });

  it("a socket that another process serves is left alone", async () => {
    const at = place();
    const { child, ended } = await serve(at);
    const { exit, stderr } = await quiesce(["board", "serve", "--socket", at.sockets]);
    expect(stderr).toMatch(/served by another process/);
    expect(exit).toBe(2);
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });
});
