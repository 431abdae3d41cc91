/**
 * Where an agreement has a log: verifier, witnesses over HTTP, agent, and the governor that ships, all real. Nothing opens
 * the gate that is not public; a pause waits for no witness.
 */
import { describe, expect, it } from "vitest";
import { FlashShape } from "../../../firmware/protocol/board.ts";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Agent, type VerifierLink } from "../../../host/agent/agent.ts";
import { runAsync } from "../../../host/agent/step.ts";
import { MemoryStore } from "../../../host/agent/store.ts";
import { openCheckpoint } from "../../../host/log/checkpoint.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { signEndorsement } from "../../../host/objects/endorsement.ts";
import { verificationKey } from "../../../host/protocol/cose.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import { Board } from "../../../sim-board/board.ts";
import { governorImage } from "../../rig.ts";
import { asyncStore } from "../client/circle-site.ts";
import { eventually } from "../eventually.ts";
import { MANUFACTURER } from "../fake-governor.ts";
import { LOG_KEY, type Logged, type LoggedOptions, loggedOn } from "../service/logged-world.ts";
import { REQUEST, whole } from "../service/world.ts";
import { newFolder } from "../store/engines.ts";

const OK = { ok: true };

describe("an agent whose board's agreement has a log", () => {
  const open = loggedOn(() => ({ folder: newFolder() }));

  it.each([false, true])(
    "brings license, resume, recovery and amendment with their proofs (commitments: %s)",
    async (commitments) => {
      const { logged, agent, board } = await site({ terms: { commitments } });
      const { world } = logged;
      expect(await agent.license(REQUEST)).toEqual(OK);
      expect(board.gateState).toBe(GateState.OPEN);
      const seen = (await agent.info()).logHead!;
      const { size, root } = openCheckpoint(await world.service.logCheckpoint(), LOG_KEY);
      expect(seen).toEqual({ size: BigInt(size), root });
      for (const action of [OrderAction.PAUSE, OrderAction.RESUME]) {
        await order(logged, action);
        expect(await agent.deliverOrders()).toEqual(OK);
      }
      expect(await agent.renew(REQUEST)).toEqual(OK);
      expect(board.gateState).toBe(GateState.OPEN);
      board.cutPower();
      for (let sector = FlashShape.JOURNAL_SECTOR; sector < board.flash.sectors; sector++) board.flash.erase(sector);
      board.powerOn();
      expect(await agent.recover()).toEqual(OK);
      expect(await agent.syncTime()).toEqual(OK);
      await world.amend({ name: "amended" });
      expect(await agent.provision()).toEqual(OK);
      expect((await agent.info()).agreementVersion).toBe(2);
    },
  );

  it("pauses its board while the witnesses are away, and opens nothing until they are back", async () => {
    const { logged, agent, board } = await site();
    expect(await agent.license(REQUEST)).toEqual(OK);
    for (const witness of logged.witnesses) await witness.stop();
    await order(logged, OrderAction.PAUSE);
    expect(await agent.deliverOrders()).toEqual(OK);
    expect(board.gateState).toBe(GateState.DRAINING);
    await order(logged, OrderAction.RESUME);
    expect(await agent.deliverOrders()).toMatchObject({ ok: false, by: "verifier", code: "log/not-cosigned" });
    expect(board.gateState).not.toBe(GateState.OPEN);
    for (const witness of logged.witnesses) await witness.start();
    await eventually(async () => expect(await agent.deliverOrders()).toEqual(OK));
    expect(await agent.renew(REQUEST)).toEqual(OK);
    expect(board.gateState).toBe(GateState.OPEN);
  });

  it("cannot bring a license past the log: the board refuses the bare one", async () => {
    const { logged, link, mailbox } = await site();
    const { ueid } = await mailbox.info();
    const evidence = await mailbox.evidence(await link.challenge(ueid));
    const license = whole(await logged.world.service.license({ evidence, terms: REQUEST }));
    await expect(mailbox.license(license)).rejects.toMatchObject({ code: ErrorCode.LOG_PROOF_MISSING });
  });

  /** A board that is provisioned, enrolled and knows the time; the verifier's clock is the board's. */
  async function site(options: LoggedOptions = {}) {
    const logged = await open(options);
    const { world } = logged;
    const image = governorImage();
    const references = {
      manufacturers: [verificationKey(MANUFACTURER.publicKey)],
      measurements: [{ digest: image.sha256, svnLeast: 0 }],
    };
    world.settings = { ...world.settings, references };
    const board = new Board({ image, seed: 7, tickHz: world.agreement.tickHz });
    const { devicePublicKey, ueid } = board.manufacture();
    board.powerOn();
    const link = linkTo(logged, () => {
      world.nowMs = Number(board.agreementMs);
    });
    const mailbox = new Mailbox<"async">(async (request) => board.request(request));
    const agent = new Agent<"async">(mailbox, link, { run: runAsync, store: asyncStore(new MemoryStore()) });
    const hardware = {
      oemId: Uint8Array.of(0xac, 0xde, 0x48),
      hardwareModel: Buffer.from("QSIM-001"),
      hardwareVersion: "1.00",
    };
    expect(await agent.provision()).toEqual(OK);
    expect(await agent.enrol(signEndorsement({ devicePublicKey, ueid, ...hardware }, MANUFACTURER))).toEqual(OK);
    expect(await agent.syncTime()).toEqual(OK);
    expect(await agent.deliverBeacon()).toEqual(OK);
    return { logged, agent, board, link, mailbox };
  }
});

async function order({ world }: Logged, action: OrderAction): Promise<void> {
  let { id, active } = await world.service.proposeOrder({ action });
  for (const { name } of world.agreement.parties)
    if (!active) ({ id, active } = await world.service.approveOrder(id, name));
}

/** The service itself, as an agent sees it; a proof that witnesses have yet to cosign is asked for again, a few times. */
function linkTo({ world }: Logged, setClock: () => void): VerifierLink<"async"> {
  const service = () => {
    setClock();
    return world.service;
  };
  return {
    agreementsAfter: (version) => service().agreementsAfter(version),
    enrol: (endorsement, certificate) => service().enrol(endorsement, certificate),
    challenge: async (ueid) => (await service().nonce(ueid)).nonce,
    issueLicense: async (evidence, terms) => whole(await service().license({ evidence, terms })),
    issueRecovery: async (evidence) => whole(await service().recovery({ evidence })),
    appraise: (evidence) => service().appraise(evidence),
    acceptReport: (report, intervals) => service().reports([{ report, intervals }]),
    ordersAfter: (epoch) => service().ordersAfter(epoch),
    beacon: () => service().beacon(),
    timeProof: (nonce) => service().timeProof(nonce),
    async logProof(digest, from) {
      for (let tries = 20; ; tries--) {
        try {
          return await service().logProof(digest, from);
        } catch (error) {
          if (tries === 0 || !(error instanceof VerifierError) || error.code !== "log/not-cosigned") throw error;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    },
  };
}
