/** A real verifier that was away while two others licensed a real governor: it is told what it missed, and signs again. */
import { afterAll, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Agent } from "../../../host/agent/agent.ts";
import { runAsync } from "../../../host/agent/step.ts";
import { MemoryStore } from "../../../host/agent/store.ts";
import { Circle } from "../../../host/client/circle.ts";
import { CircleLink } from "../../../host/client/circle-link.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { Board } from "../../../sim-board/board.ts";
import { agreementOf, governorImage, phaseOf } from "../../rig.ts";
import { OK } from "../agent/site.ts";
import { asyncStore, endorsementOf, NAMES } from "./circle-site.ts";
import { openRealVerifier, type RealVerifier } from "./real-verifier.ts";

const board = new Board({ image: governorImage(), seed: 11, tickHz: agreementOf().tickHz });
const verifiers: RealVerifier[] = [];
const clients: VerifierClient[] = [];
afterAll(async () => {
  for (const client of clients) await client.close();
  for (const verifier of verifiers) await verifier.close();
});

it("a verifier that missed licenses, reports and the evidence between them has the same books in the end", async () => {
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

  const [first, , last] = verifiers;
  last!.fault = (_, response) => response.destroy() !== undefined;
  for (let round = 0; round < 3; round++) {
    expect(await agent.renew()).toEqual(OK);
    board.run(phaseOf(60));
  }
  last!.fault = () => false;
  // From here on no quorum is without it.
  first!.fault = (_, response) => response.destroy() !== undefined;
  expect(await agent.renew()).toEqual(OK);
  board.run(phaseOf(60));
  first!.fault = () => false;
  expect(await agent.renew()).toEqual(OK);

  const books = await Promise.all(verifiers.map(({ service }) => service.books(ueid)));
  const { licensed, reported } = books[0]![EngineClass.TENSOR_BF16]!;
  expect(reported).toBeGreaterThan(0n);
  expect(licensed).toBe(reported);
  for (const others of books.slice(1)) expect(others).toEqual(books[0]);
});
