/** A real verifier that was away while two others licensed or recovered a real governor: it is told what it missed, and signs again. */
import { afterEach, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Agent } from "../../../host/agent/agent.ts";
import { runAsync } from "../../../host/agent/step.ts";
import { MemoryStore } from "../../../host/agent/store.ts";
import { Circle } from "../../../host/client/circle.ts";
import { CircleLink } from "../../../host/client/circle-link.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { Board } from "../../../sim-board/board.ts";
import type { FlashImage } from "../../../sim-board/parts/flash.ts";
import { agreementOf, governorImage, phaseOf } from "../../rig.ts";
import { OK } from "../agent/site.ts";
import { asyncStore, endorsementOf, NAMES } from "./circle-site.ts";
import { openRealVerifier, type RealVerifier } from "./real-verifier.ts";

const verifiers: RealVerifier[] = [];
const clients: VerifierClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const verifier of verifiers.splice(0)) await verifier.close();
});

/** A board that is known to three verifiers, with its agent; two of three make a quorum. */
async function commissioned() {
  const board = new Board({ image: governorImage(), seed: 11, tickHz: agreementOf().tickHz });
  const { devicePublicKey, ueid } = board.manufacture();
  board.powerOn();
  for (const here of [[0], [1], [2]]) {
    verifiers.push(await openRealVerifier({ here, clock: () => Number(board.agreementMs) }));
  }
  for (const { url } of verifiers) clients.push(new VerifierClient({ url, triesMax: 1, timeoutMs: 60_000 }));
  const circle = new Circle(clients.map((client, i) => ({ name: NAMES[i]!, client })));
  const mailbox = new Mailbox<"async">(async (request) => board.request(request));
  const parts = { run: runAsync, store: asyncStore(new MemoryStore()) };
  const agent = new Agent<"async">(mailbox, new CircleLink(circle), parts);
  await circle.learn();
  expect(await agent.provision()).toEqual(OK);
  expect(await agent.enrol(endorsementOf(devicePublicKey, ueid))).toEqual(OK);
  expect(await agent.syncTime()).toEqual(OK);
  return { board, agent, ueid };
}

function setAway(verifier: RealVerifier, isAway: boolean): void {
  verifier.fault = (_, response) => isAway && response.destroy() !== undefined;
}

/** All have the same, and nothing is licensed that was not done. */
async function expectSameBooks(ueid: Uint8Array): Promise<bigint> {
  const books = await Promise.all(verifiers.map(({ service }) => service.books(ueid)));
  const { licensed, reported } = books[0]![EngineClass.TENSOR_BF16]!;
  expect(reported).toBeGreaterThan(0n);
  expect(licensed).toBe(reported);
  for (const others of books.slice(1)) expect(others).toEqual(books[0]);
  return reported;
}

it("a verifier that missed licenses, reports and the evidence between them has the same books in the end", async () => {
  const { board, agent, ueid } = await commissioned();
  const [first, , last] = verifiers;
  setAway(last!, true);
  for (let round = 0; round < 3; round++) {
    expect(await agent.renew()).toEqual(OK);
    board.run(phaseOf(60));
  }
  setAway(last!, false);
  // From here on no quorum is without it.
  setAway(first!, true);
  expect(await agent.renew()).toEqual(OK);
  board.run(phaseOf(60));
  setAway(first!, false);
  expect(await agent.renew()).toEqual(OK);
  await expectSameBooks(ueid);
});

/** An older flash is put in while the power is off. */
function locksWith(board: Board, old: FlashImage): void {
  board.cutPower();
  board.flash.replace(old);
  board.powerOn();
  expect(board.gateState).toBe(GateState.LOCKED);
}

it("a board is recovered though the first verifier knows less than the others", async () => {
  const { board, agent } = await commissioned();
  const [first] = verifiers;
  const old = board.flash.image();
  setAway(first!, true);
  expect(await agent.renew()).toEqual(OK);
  board.run(phaseOf(60));
  setAway(first!, false);
  locksWith(board, old);
  expect(await agent.recover()).toEqual(OK);
  expect(board.gateState).not.toBe(GateState.LOCKED);
});

it("a verifier that had no part in a recovery takes what comes after it, and no quorum is without it then", async () => {
  const { board, agent, ueid } = await commissioned();
  const [first, , last] = verifiers;
  const old = board.flash.image();
  expect(await agent.renew()).toEqual(OK);
  board.run(phaseOf(60));
  expect(await agent.report()).toEqual(OK);
  setAway(last!, true);
  expect(await agent.renew()).toEqual(OK);
  board.run(phaseOf(60));
  expect(await agent.report()).toEqual(OK);
  locksWith(board, old);
  expect(await agent.recover()).toEqual(OK);
  expect(await agent.syncTime()).toEqual(OK);
  expect(await agent.renew()).toEqual(OK);
  board.run(phaseOf(60));
  setAway(last!, false);
  setAway(first!, true);
  expect(await agent.renew()).toEqual(OK);
  board.run(phaseOf(60));
  setAway(first!, false);
  expect(await agent.renew()).toEqual(OK);
  // What was lost counts as done: the board says so too, and none of them has more or less.
  const { totals } = await agent.info();
  expect(await expectSameBooks(ueid)).toBe(totals[EngineClass.TENSOR_BF16]!);
  expect(totals[EngineClass.TENSOR_BF16]!).toBeGreaterThan(board.accelerator.lifetimeOf(EngineClass.TENSOR_BF16));
});
