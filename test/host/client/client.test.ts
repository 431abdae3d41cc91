/** The client and the verifier's HTTP app, each as it is: every call means at one end what it says at the other. */
import { sha256 } from "@noble/hashes/sha2.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Agent } from "../../../host/agent/agent.ts";
import { runAsync } from "../../../host/agent/step.ts";
import { MemoryStore } from "../../../host/agent/store.ts";
import { Circle } from "../../../host/client/circle.ts";
import { CircleLink } from "../../../host/client/circle-link.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { signWith } from "../../../host/client/signing.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { decodeEvidence } from "../../../host/objects/evidence.ts";
import { decodeIntervals } from "../../../host/objects/intervals.ts";
import { encodeOpening, openInterval } from "../../../host/objects/opening.ts";
import { decodeUsageReport } from "../../../host/objects/usage-report.ts";
import { parseSign, parseSign1 } from "../../../host/protocol/cose.ts";
import type { ServiceEvent } from "../../../host/service/service.ts";
import { Board } from "../../../sim-board/board.ts";
import { agreementOf, governorImage, phaseOf } from "../../rig.ts";
import { OK } from "../agent/site.ts";
import { asyncSigner } from "../service/world.ts";
import { asyncStore, endorsementOf } from "./circle-site.ts";
import { TERMS } from "./fake-service.ts";
import { openRealVerifier, type RealVerifier } from "./real-verifier.ts";

const board = new Board({ image: governorImage(), seed: 21, tickHz: agreementOf().tickHz });
const { devicePublicKey, ueid } = board.manufacture();
const endorsement = endorsementOf(devicePublicKey, ueid);
const mailbox = new Mailbox((request) => board.request(request));
const closing: (() => Promise<void>)[] = [];
let verifier: RealVerifier;
/** Who is nobody in particular; who may do what people may; and the agent, which signs. */
let anyone: VerifierClient;
let people: VerifierClient;
let agent: VerifierClient;

beforeAll(async () => {
  board.powerOn();
  verifier = await openRealVerifier({ clock: () => Number(board.agreementMs) });
  const { url } = verifier;
  const token = await verifier.token("admin", "approver", "registrar", "auditor");
  const signer = asyncSigner(await verifier.client("agent"));
  const open = (options: object) => new VerifierClient({ url, triesMax: 1, ...options });
  [anyone, people, agent] = [open({}), open({ token }), open({ sign: signWith(signer) })];
  for (const client of [anyone, people, agent]) closing.push(() => client.close());
  closing.push(() => verifier.close());
});
afterAll(async () => {
  for (const close of closing) await close();
});

async function evidence(): Promise<Uint8Array> {
  return mailbox.evidence((await anyone.nonce(ueid)).nonce);
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "done",
    (error) => error.code,
  );

describe("a client of a verifier", () => {
  it("learns what it is, and takes its agreements", async () => {
    const about = await anyone.about();
    const [bytes] = await anyone.agreementsAfter(0);
    expect(about).toMatchObject({ agreementVersion: 1, epoch: 0, nowMs: Number(board.agreementMs) });
    expect(about.agreementDigest).toEqual(sha256(parseSign(bytes!).payload));
    expect(about.parties.every(({ here }) => here)).toBe(true);
    expect(await anyone.agreementsAfter(1)).toEqual([]);
    mailbox.agreement(bytes!);
    // What is in force already is a retry, and anything else must be signed.
    expect(await codeOf(people.amend(bytes!))).toBe("done");
    expect(await codeOf(people.amend(Uint8Array.of(1)))).toBe("agreement/malformed");
  });

  it("enrols a device, whose owner is believed of those who say who they are", async () => {
    const certificate = mailbox.identity();
    expect(await codeOf(anyone.nonce(ueid))).toBe("device/unknown");
    expect(await codeOf(anyone.enrol(endorsement, certificate, { owner: "Acme" }))).toBe("client/forbidden");
    expect(await anyone.enrol(endorsement, certificate)).toMatchObject({ ueid, owner: "operator", status: "active" });
    const view = await agent.enrol(endorsement, certificate, { owner: "Acme", site: "hall 2" });
    expect(view).toMatchObject({ owner: "Acme", site: "hall 2", reportSequence: 0n, licenseSequence: 0n });
    expect(await agent.device(ueid)).toEqual(view);
    expect((await people.devices({ owner: "Acme", limit: 10 })).items).toEqual([view]);
    expect((await people.devices({ owner: "nobody" })).items).toEqual([]);
    const profile = await people.changeDevice(ueid, { profile: "training" });
    expect(profile.profile).toBe("training");
    expect(await codeOf(anyone.devices())).toBe("client/unauthorized");
    expect(await codeOf(agent.changeDevice(ueid, { site: "x" }))).toBe("client/forbidden");
  });

  it("sets the clock of a board, keeps its lease, and is not sent a beacon twice", async () => {
    mailbox.timeProof(await anyone.timeProof(mailbox.timeChallenge()));
    const beacon = await anyone.beacon();
    mailbox.beacon(beacon);
    expect(await anyone.beacon()).toEqual(beacon);
  });

  it("gets a license for evidence, and the same one for the same evidence", async () => {
    const bytes = await evidence();
    const first = await anyone.license({ evidence: bytes, terms: TERMS });
    expect(first).toMatchObject({ complete: true, repeated: false });
    expect(await anyone.license({ evidence: bytes, terms: TERMS })).toEqual({ ...first, repeated: true });
    expect((await people.verdict(sha256(bytes))).length).toBeGreaterThan(0);
    if (first.complete) mailbox.license(first.bytes);
    expect(board.gateState).toBe(GateState.OPEN);
    expect(await codeOf(anyone.recovery({ evidence: await evidence() }))).toBe("recovery/not-needed");
    const over = { ...TERMS, ticksMax: 2n ** 50n };
    expect(await codeOf(anyone.license({ evidence: await evidence(), terms: over }))).toBe("license/over-cap");
    const ueids = [ueid];
    expect(await people.offlineLicense({ ueids, terms: TERMS })).toMatchObject({ complete: true });
  });

  it("uploads reports, opens the interval that is asked for, and reads the verdict and the books", async () => {
    board.run(phaseOf(60));
    const { report, intervals } = mailbox.report();
    const { sequence } = decodeUsageReport(parseSign1(report).payload);
    expect(await anyone.reports([{ report }])).toEqual([{ status: "taken", sequence }]);
    expect(await anyone.reports([{ report, intervals }])).toEqual([{ status: "repeated", sequence }]);
    const [wanted] = await anyone.openingsWanted(ueid);
    if (wanted) {
      expect(wanted).toMatchObject({ ueid, reportSequence: sequence });
      const opening = openInterval({ ueid, sequence }, decodeIntervals(intervals), wanted.index);
      await anyone.open(encodeOpening(opening));
      expect(await anyone.openingsWanted(ueid)).toEqual([]);
    }
    const gap = { report: report.with(report.length - 1, report.at(-1)! ^ 1) };
    const [refused] = await anyone.reports([gap]);
    expect(refused).toMatchObject({ status: "refused", error: { code: "report/signature" } });

    const bytes = await evidence();
    expect(await anyone.appraise(bytes)).toEqual(sha256(bytes));
    const books = await people.books(ueid);
    const { totals } = decodeEvidence(parseSign1(bytes).payload);
    for (const { engineClass, reported } of books) expect(reported).toBe(totals[engineClass]);
    const [fleet] = await people.usage("fleet");
    expect(fleet).toMatchObject({ devices: 1 });
  });

  it("drafts an order, approves it, hears of it at once, and follows its delivery", async () => {
    const events = anyone.events();
    expect((await events.next()).value).toBeUndefined();
    const draft = await people.proposeOrder({ action: OrderAction.PAUSE });
    expect(draft).toMatchObject({ epoch: 1, action: OrderAction.PAUSE, quorum: 1, active: false, approvals: [] });
    expect(await people.drafts()).toEqual([draft]);
    expect(await people.draft(draft.id)).toEqual(draft);
    expect((await people.approveOrder(draft.id, "party 0")).active).toBe(true);
    expect(await codeOf(people.approveOrder(draft.id, "party 1"))).toBe("order/active");
    const [order] = await anyone.ordersAfter(0);
    expect(await anyone.order(1)).toEqual(order!.bytes);
    let event: ServiceEvent | undefined;
    while (event?.type !== "order") event = (await events.next()).value as ServiceEvent | undefined;
    expect(event.order).toEqual(order);
    await events.return(undefined);
    mailbox.order(order!.bytes);
    expect(await people.delivery(1)).toMatchObject({ epoch: 1, delivered: 0, missing: 1, behind: [ueid] });
    expect(await people.importOrder(order!.bytes)).toMatchObject({ epoch: 1, active: true });
  });

  it("reads what auditors read, and sets a simulated clock", async () => {
    expect(await people.leak()).toMatchObject({ policy: expect.any(String), devices: expect.any(Number) });
    expect(await people.policy()).toMatchObject({ format: "quiesce-policy/1" });
    const { items } = await people.audit({ limit: 5 });
    expect(items.length).toBeGreaterThan(0);
    expect(items[0]).toMatchObject({ action: expect.any(String), outcome: expect.any(String) });
    await people.setClock(123);
    expect(verifier.clockMs()).toBe(123);
  });
});

describe("two real verifiers with a party each", () => {
  it("license a board together, over one evidence, again and again", async () => {
    const other = new Board({ image: governorImage(), seed: 22, tickHz: agreementOf().tickHz });
    const made = other.manufacture();
    other.powerOn();
    const clock = () => Number(other.agreementMs);
    const verifiers = await Promise.all([0, 1].map((index) => openRealVerifier({ here: [index], clock })));
    const circle = new Circle(verifiers.map(({ url }, i) => ({ name: `${i}`, client: new VerifierClient({ url }) })));
    try {
      await circle.learn();
      const parts = { run: runAsync, store: asyncStore(new MemoryStore()) };
      const carrier = new Agent<"async">(
        new Mailbox<"async">(async (request) => other.request(request)),
        new CircleLink(circle),
        parts,
      );
      expect(await carrier.provision()).toEqual(OK);
      expect(await carrier.enrol(endorsementOf(made.devicePublicKey, made.ueid))).toEqual(OK);
      expect(await carrier.syncTime()).toEqual(OK);
      for (let round = 0; round < 3; round++) {
        expect(await carrier.renew()).toEqual(OK);
        expect(other.gateState).toBe(GateState.OPEN);
        other.run(phaseOf(60));
      }
      expect(await carrier.report()).toEqual(OK);
      const views = await Promise.all(verifiers.map(({ service }) => service.device(made.ueid)));
      expect(views[0]).toMatchObject({ licenseSequence: 3n, reportSequence: views[1]!.reportSequence });
    } finally {
      await circle.close();
      for (const one of verifiers) await one.close();
    }
  });
});
