/** Verifiers over HTTP for a caller that cannot wait: answers come at once, typed, and nothing hangs. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Agent } from "../../../host/agent/agent.ts";
import { ClientError } from "../../../host/client/errors.ts";
import { SyncVerifiers } from "../../../host/client/sync.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import { Board } from "../../../sim-board/board.ts";
import { governorImage, phaseOf } from "../../rig.ts";
import { OK } from "../agent/site.ts";
import { endorsementOf, NAMES } from "./circle-site.ts";

/** The fake verifiers run in a thread of their own: this one stands still while it asks. */
let thread: Worker;
let urls: readonly string[];
const opened: SyncVerifiers[] = [];
beforeAll(async () => {
  thread = new Worker(new URL("./fake-thread.mjs", import.meta.url), { workerData: { names: NAMES } });
  [urls] = (await once(thread, "message")) as [readonly string[]];
});
afterEach(async () => {
  for (const verifiers of opened.splice(0)) await verifiers.close();
});
afterAll(() => thread.terminate());

function open(options: { timeoutMs?: number; answerBytesMax?: number } = {}, at = urls): SyncVerifiers {
  const verifiers = at.map((url, i) => ({ name: NAMES[i]!, options: { url, triesMax: 1 } }));
  const sync = new SyncVerifiers({ verifiers, ...options });
  opened.push(sync);
  return sync;
}

const thrownBy = (call: () => unknown) => {
  try {
    return call();
  } catch (error) {
    return error;
  }
};

describe("verifiers for a caller that cannot wait", () => {
  it("bring a board to work without a promise, and its simulated time stands still while they answer", () => {
    const board = new Board({ image: governorImage(), seed: 3, startSeconds: Math.floor(Date.now() / 1000) });
    const { devicePublicKey, ueid } = board.manufacture();
    board.powerOn();
    const agent = new Agent(new Mailbox((request) => board.request(request)), open().link);
    const before = board.nowNs;
    const steps = [
      agent.provision(),
      agent.enrol(endorsementOf(devicePublicKey, ueid)),
      agent.syncTime(),
      agent.renew(),
    ];
    expect(steps).toEqual(new Array(4).fill(OK));
    expect(board.gateState).toBe(GateState.OPEN);
    expect(board.nowNs).toBe(before);
    board.run(phaseOf(1));
    expect(agent.report()).toEqual(OK);
  });

  it("are asked one by one too, with maps and wide integers as they are", () => {
    const north = open().verifier("north");
    const about = north.about();
    expect(about.parties.filter(({ here }) => here)).toHaveLength(1);
    expect(about.agreementDigest).toBeInstanceOf(Uint8Array);
    expect(north.agreementsAfter(0)).toHaveLength(1);
  });

  it("are met by others too, who are no part of the circle", () => {
    const [first, ...rest] = urls.map((url, i) => ({ name: NAMES[i]!, options: { url, triesMax: 1 } }));
    const sync = new SyncVerifiers({ verifiers: [first!], others: rest });
    opened.push(sync);
    sync.start();
    const board = new Board({ image: governorImage(), seed: 4 });
    const { devicePublicKey, ueid } = board.manufacture();
    board.powerOn();
    const agent = new Agent(new Mailbox((request) => board.request(request)), sync.link);
    expect(agent.provision()).toEqual(OK);
    expect(agent.enrol(endorsementOf(devicePublicKey, ueid))).toEqual(OK);
    expect(sync.verifier(NAMES[0]!).nonce(ueid).nonce).toHaveLength(32);
    expect(thrownBy(() => sync.verifier(NAMES[1]!).nonce(ueid))).toMatchObject({ code: "device/unknown" });
  });

  it("refuse with the same errors as ever", () => {
    const sync = open();
    const unknown = thrownBy(() => sync.link.challenge(new Uint8Array(33)));
    expect(unknown).toBeInstanceOf(VerifierError);
    expect(unknown).toMatchObject({ code: "device/unknown", class: "unknown" });
    const nobody = thrownBy(() => open({}, ["http://127.0.0.1:1"]).link.beacon());
    expect(nobody).toBeInstanceOf(ClientError);
    expect(nobody).toMatchObject({ code: "client/connect" });
    const missing = thrownBy(() => sync.verifier("nobody").about());
    expect(missing).toMatchObject({ code: "client/options" });
  });

  it("that do not answer hold nobody up for longer than is allowed, and are asked anew after that", () => {
    const sync = open({ timeoutMs: 2_500 });
    expect(sync.verifier("north").agreementsAfter(0)).toHaveLength(1);
    const late = thrownBy(() => sync.verifier("north").order(999_999));
    expect(late).toMatchObject({ code: "client/timeout" });
    expect(sync.verifier("north").agreementsAfter(0)).toHaveLength(1);
  });

  it("whose answer is longer than there is room for are refused", () => {
    const sync = open({ answerBytesMax: 512 });
    expect(thrownBy(() => sync.verifier("north").agreementsAfter(0))).toMatchObject({ code: "client/too-large" });
    expect(sync.verifier("north").agreementsAfter(1)).toEqual([]);
  });

  it("that were closed are not asked", async () => {
    const sync = open();
    await sync.close();
    expect(thrownBy(() => sync.link.beacon())).toMatchObject({ code: "client/closed" });
  });
});
