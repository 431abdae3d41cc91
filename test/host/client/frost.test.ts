/** Three verifiers over HTTP hold the shares of one party's key: an agent's circle, and a real governor, see one signature. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Circle } from "../../../host/client/circle.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { signWith } from "../../../host/client/signing.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { verifyLicense } from "../../../host/objects/license.ts";
import { parseSign, signingRound } from "../../../host/protocol/cose.ts";
import type { FrostPeer, FrostSeat } from "../../../host/service/frost-gathering.ts";
import { agreementOf, PARTIES, Rig } from "../../rig.ts";
import { groupAgreement } from "../service/frost-site.ts";
import { asyncSigner, codeOf } from "../service/world.ts";
import { endorsementOf } from "./circle-site.ts";
import { TERMS } from "./fake-service.ts";
import { openRealVerifier, type RealVerifier } from "./real-verifier.ts";

type Verifier = FrostPeer["verifier"];

const HOLDERS = [1, 2, 3];
const verifiers: RealVerifier[] = [];
const clients: VerifierClient[] = [];
/** Of each verifier, as the other holders reach it. */
const peers = new Map<number, VerifierClient>();
let made: Awaited<ReturnType<typeof groupAgreement>>;
let rig: Rig;
let circle: Circle;

const open = (options: ConstructorParameters<typeof VerifierClient>[0]) => {
  const client = new VerifierClient({ timeoutMs: 60_000, ...options });
  clients.push(client);
  return client;
};

/** Known by its address only when all of them listen. */
function peer(holder: number): FrostPeer {
  const verifier: Verifier = {
    frostCommitment: (group) => peers.get(holder)!.frostCommitment(group),
    frostShare: (request) => peers.get(holder)!.frostShare(request),
  };
  return { holder, verifier };
}

beforeAll(async () => {
  made = await groupAgreement(agreementOf(), PARTIES.slice(1));
  rig = new Rig(made.change);
  rig.board.powerOn();
  rig.must(rig.send(Command.AGREEMENT, made.bytes));
  rig.must(rig.syncTime());
  for (const holder of HOLDERS) {
    const others = HOLDERS.filter((one) => one !== holder).map(peer);
    const seat: FrostSeat = { group: made.group, own: made.holders[holder - 1]!, peers: others };
    const clock = () => Number(rig.board.agreementMs);
    const verifier = await openRealVerifier({ here: [], agreementBytes: made.bytes, frost: [seat], clock });
    verifiers.push(verifier);
    const sign = signWith(asyncSigner(await verifier.client("peer")));
    peers.set(holder, open({ url: verifier.url, sign }));
  }
  const members = verifiers.map(({ url }, i) => ({ name: `holder ${i + 1}`, client: open({ url }) }));
  circle = new Circle(members, 60_000);
  const endorsement = endorsementOf(rig.deviceKey.publicKey, rig.ueid);
  await circle.learn();
  await circle.enrol(endorsement, rig.ask(Command.IDENTITY)[1] as Uint8Array);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const verifier of verifiers) await verifier.close();
});

it("a license of two holders opens a real governor's gate, by the group's one signature", async () => {
  const nonce = await circle.challenge(rig.ueid);
  const evidence = rig.ask(Command.EVIDENCE, nonce)[1] as Uint8Array;
  const license = await circle.license(evidence, TERMS);
  expect(parseSign(license).signatures.map(({ kid }) => kid)).toEqual([made.group.kid]);
  verifyLicense(license, rig.agreement);
  expect(rig.verdict(Command.LICENSE, license)).toBe("OK");
});

it("people of two holders pause the real governor by the group's one signature, and its gate closes", async () => {
  expect(rig.board.gateState).toBe(GateState.OPEN);
  const people: VerifierClient[] = [];
  for (const { url, token } of verifiers) people.push(open({ url, token: await token("approver") }));
  const [one, two] = people;
  const draft = await one!.proposeOrder({ action: OrderAction.PAUSE });
  const there = await two!.importOrder(draft.bytes);
  const half = await one!.approveOrder(draft.id, "group");
  expect(half).toMatchObject({ active: false, approvals: [], awaiting: ["group"] });
  expect((await one!.drafts())[0]).toMatchObject({ awaiting: ["group"] });
  const paused = await two!.approveOrder(there.id, "group");
  expect(paused).toMatchObject({ active: true, approvals: ["group"], awaiting: [] });
  expect(parseSign(paused.bytes).signatures.map(({ kid }) => kid)).toEqual([made.group.kid]);
  const [order] = await two!.ordersAfter(0);
  expect(rig.verdict(Command.ORDER, order!.bytes)).toBe("OK");
  expect(rig.board.gateState).toBe(GateState.DRAINING);
  rig.board.advanceTicks(Number(rig.agreement.drainTicksMax));
  expect(rig.board.gateState).toBe(GateState.PAUSED);
  expect(await one!.importOrder(paused.bytes)).toMatchObject({ active: true, approvals: ["group"] });
});

it("only a person who approves does so for a group, and a share is given for what was approved there", async () => {
  const [one, two] = verifiers;
  const person = open({ url: one!.url, token: await one!.token("approver") });
  const draft = await person.proposeOrder({ action: OrderAction.RESUME });
  const others = [
    open({ url: one!.url, token: await one!.token("admin", "auditor", "registrar") }),
    open({ url: one!.url, sign: signWith(asyncSigner(await one!.client("agent"))) }),
    open({ url: one!.url, sign: signWith(asyncSigner(await one!.client("peer"))) }),
  ];
  for (const client of others) {
    await expect(client.approveOrder(draft.id, "group")).rejects.toMatchObject({ code: "client/forbidden" });
  }
  const ask = async (holder: number) => {
    const commitments = [await made.holders[2]!.commit(), await peers.get(holder)!.frostCommitment(made.group.kid)];
    const { toBeSigned: message } = signingRound(draft.bytes, objectAad(ObjectType.ORDER));
    const subject = { group: made.group.kid, purpose: "order", draft: draft.bytes } as const;
    return codeOf(peers.get(holder)!.frostShare({ ...subject, message, commitments }));
  };
  expect(await ask(1)).toBe("frost/approval");
  expect(await ask(2)).toBe("order/unknown");
  await person.approveOrder(draft.id, "group");
  expect(await ask(1)).toBeUndefined();
  const approver = open({ url: two!.url, token: await two!.token("approver") });
  await expect(approver.frostCommitment(made.group.kid)).rejects.toMatchObject({ code: "client/forbidden" });
});

it("a stranger, an agent and a person who approves are given no commitment and no share", async () => {
  const [verifier] = verifiers;
  const agent = open({ url: verifier!.url, sign: signWith(asyncSigner(await verifier!.client("agent"))) });
  const person = open({ url: verifier!.url, token: await verifier!.token("approver", "admin") });
  await expect(open({ url: verifier!.url }).frostCommitment(made.group.kid)).rejects.toMatchObject({
    code: "client/unauthorized",
  });
  for (const client of [agent, person]) {
    await expect(client.frostCommitment(made.group.kid)).rejects.toMatchObject({ code: "client/forbidden" });
  }
});

it("what a holder refuses is the same refusal over HTTP", async () => {
  const group = new Uint8Array(8);
  expect(await codeOf(peers.get(2)!.frostCommitment(group))).toBe("frost/group");
  const commitments = [await made.holders[0]!.commit(), await peers.get(2)!.frostCommitment(made.group.kid)];
  const bytes = Uint8Array.of(1);
  const request = { group: made.group.kid, purpose: "license", evidence: bytes, draft: bytes, message: bytes } as const;
  expect(await codeOf(peers.get(2)!.frostShare({ ...request, commitments }))).toBe("license/draft");
});
