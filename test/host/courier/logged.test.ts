/**
 * A site without a network whose agreement has a log: boards with the governor that ships take from sticks what is public,
 * with the proofs that came along, and nothing else.
 */
import { afterEach, describe, expect, it } from "vitest";
import { FlashShape } from "../../../firmware/protocol/board.ts";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Circle } from "../../../host/client/circle.ts";
import { standingsOf } from "../../../host/courier/documents.ts";
import { packProofs } from "../../../host/courier/office-proofs.ts";
import { readStick } from "../../../host/courier/read-stick.ts";
import { type Row, Rows } from "../../../host/courier/row.ts";
import { boardFile, PROOFS, proofsOf, STANDINGS, type Stick } from "../../../host/courier/stick.ts";
import { writeStick } from "../../../host/courier/write-stick.ts";
import { openCheckpoint } from "../../../host/log/checkpoint.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { decodeAgreement, signAgreement } from "../../../host/objects/agreement.ts";
import { decodeLogProof, encodeLogProof } from "../../../host/objects/log-proof.ts";
import { parseSign } from "../../../host/protocol/cose.ts";
import { PARTIES } from "../../rig.ts";
import { eventually } from "../eventually.ts";
import { LiveWitness, LOG_KEY, LOG_SIGNER, logTermsOf, ORIGIN } from "../service/logged-world.ts";
import { asyncSigner } from "../service/world.ts";
import { AirGap, mustBeGood, outcomeOf } from "./air-gap.ts";

/** Three legs of a trip: a proof may be half as old when it is packed. */
const CHECKPOINT_SECONDS_MAX = 10_800;

const OFFLINE = {
  budget: new Map([[EngineClass.TENSOR_BF16, 10n ** 18n]]),
  ticksMax: 36_000_000n,
  windowSeconds: 5 * 86_400,
};

let gap: AirGap | undefined;
const witnesses: LiveWitness[] = [];
afterEach(async () => {
  await gap?.close();
  gap = undefined;
  for (const witness of witnesses.splice(0)) await witness.stop();
});

type Terms = Parameters<typeof logTermsOf>[1];

/** Log and witnesses are where the verifiers are. */
async function open(terms: Terms = {}): Promise<AirGap> {
  const nowSeconds = () => Math.floor(Number(gap?.boards[0]?.agreementMs ?? 0) / 1000);
  for (const name of ["south", "east", "west"]) witnesses.push(await new LiveWitness(name, nowSeconds).start());
  const log = logTermsOf(witnesses, { checkpointSecondsMax: CHECKPOINT_SECONDS_MAX, ...terms });
  gap = await AirGap.open({
    agreement: { log },
    log: {
      origin: ORIGIN,
      signer: asyncSigner(LOG_SIGNER),
      witnesses: witnesses.map(({ name, url, key }) => ({ name, url, key })),
      backoff: { leastMs: 20, mostMs: 100 },
      link: { timeoutMs: 10_000 },
    },
  });
  return gap;
}

async function commissioned(terms?: Terms): Promise<AirGap> {
  const site = await open(terms);
  await site.commission();
  return site;
}

/** The first agreement by another name. */
async function amend({ verifiers: [verifier] }: AirGap): Promise<void> {
  const { service } = verifier!;
  const agreement = decodeAgreement(parseSign((await service.agreementsAfter(0))[0]!).payload);
  await service.amend(signAgreement({ ...agreement, version: 2, name: "amended" }, PARTIES.slice(0, 2)));
}

/** A license is on the stick that is to go to the site. */
async function answered(site: AirGap): Promise<readonly Row[]> {
  mustBeGood(await site.leave());
  site.travel();
  return site.answer();
}

async function order({ verifiers: [verifier] }: AirGap, action: OrderAction): Promise<void> {
  const { service } = verifier!;
  let draft = await service.proposeOrder({ action });
  for (const name of ["party 0", "party 1"]) {
    if (!draft.active) draft = await service.approveOrder(draft.id, name);
  }
}

async function arrived(site: AirGap, from?: string): Promise<readonly Row[]> {
  site.travel();
  return site.arrive(from);
}

function infoOf({ boards: [board] }: AirGap) {
  return new Mailbox((request) => board!.request(request)).info();
}

/** Size of the newest tree that the log has signed. */
async function treeOf({ verifiers: [verifier] }: AirGap): Promise<bigint> {
  return BigInt(openCheckpoint(await verifier!.service.logCheckpoint(), LOG_KEY).size);
}

function dropProofs(files: Stick["files"]): void {
  for (const path of [...files.keys()]) if (path.startsWith(PROOFS)) files.delete(path);
}

function rowOf(rows: readonly Row[], what: string): Row {
  return rows.find((row) => row.what.startsWith(what))!;
}

describe("a site that sticks come to, under an agreement with a log", () => {
  it.each([false, true])(
    "is licensed, paused, resumed and amended with proofs (commitments: %s)",
    async (commitments) => {
      const site = await commissioned({ commitments });
      const [board] = site.boards;
      expect(infoOf(site).logHead!.size).toBe(0n);
      const rows = await answered(site);
      mustBeGood(rows);
      expect(rowOf(rows, "log proofs").detail).toMatch(/^1, good until 20/);
      expect(outcomeOf(await arrived(site), "license 1")).toBe("done");
      expect(board!.gateState).toBe(GateState.OPEN);
      expect(infoOf(site).logHead!.size).toBe(await treeOf(site));

      // A second stick, while the verifiers have not heard whether the first arrived.
      await order(site, OrderAction.PAUSE);
      await order(site, OrderAction.RESUME);
      mustBeGood(await site.packOut());
      const ordered = await arrived(site);
      expect([outcomeOf(ordered, "order 1"), outcomeOf(ordered, "order 2")]).toEqual(["done", "done"]);
      expect(infoOf(site)).toMatchObject({ epoch: 2, logHead: { size: await treeOf(site) } });

      await site.round();
      expect(infoOf(site).licenseSequence).toBe(2n);
      await order(site, OrderAction.PAUSE);
      mustBeGood(await site.packOut());
      expect(outcomeOf(await arrived(site), "order 3")).toBe("done");
      board!.advance(300);
      await amend(site);
      mustBeGood(await site.packOut());
      expect(outcomeOf(await arrived(site), "agreement 2")).toBe("done");
      expect(infoOf(site)).toMatchObject({ agreementVersion: 2, logHead: { size: 0n } });
    },
  );

  it("takes all that is on one stick, though its first proof leads the board to the tree of all", async () => {
    const site = await commissioned({ pauseBeforeProof: false });
    await site.round();
    await order(site, OrderAction.PAUSE);
    await order(site, OrderAction.RESUME);
    mustBeGood(await site.packOut());
    const rows = await arrived(site);
    expect([outcomeOf(rows, "order 1"), outcomeOf(rows, "order 2")]).toEqual(["done", "done"]);
    await site.round();
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
  });

  it("is packed proofs of one tree, though the log grows while they are fetched", async () => {
    const site = await commissioned({ pauseBeforeProof: false });
    await order(site, OrderAction.PAUSE);
    await order(site, OrderAction.RESUME);
    mustBeGood(await site.packOut());
    const before = Number(await treeOf(site));
    const { service } = site.verifiers[0]!;
    let isGrown = false;
    class GrowingCircle extends Circle {
      override async logProof(digest: Uint8Array, from: number): Promise<Uint8Array> {
        const proof = await super.logProof(digest, from);
        if (!isGrown) await order(site, OrderAction.PAUSE);
        isGrown = true;
        const grown = Number(await treeOf(site));
        await eventually(async () => expect((await service.log()).cosignedSize).toBe(grown));
        return proof;
      }
    }
    const stick = readStick(site.out, "to-site");
    const rows = new Rows();
    await packProofs(new GrowingCircle(site.circle.members), stick, [], rows);
    mustBeGood(rows.all);
    const proofs = [...stick.files].filter(([path]) => path.startsWith(PROOFS));
    const sizes = proofs.map(([, bytes]) => decodeLogProof(bytes).size);
    expect(sizes.length).toBeGreaterThan(1);
    expect(new Set(sizes)).toEqual(new Set([before + 2]));
  });

  it("that nobody has heard of is given the amendments before it, and an offline license with the time", async () => {
    const site = await open();
    await amend(site);
    mustBeGood(await site.packOut());
    const rows = await arrived(site);
    expect([outcomeOf(rows, "agreement 1"), outcomeOf(rows, "agreement 2")]).toEqual(["done", "done"]);
    mustBeGood(await site.leave());
    site.travel();
    mustBeGood(await site.answer());
    mustBeGood(await site.packOut({ ueids: [site.ueids[0]!], terms: OFFLINE }));
    const told = await arrived(site);
    expect([outcomeOf(told, "time proof"), outcomeOf(told, "offline license 1")]).toEqual(["done", "done"]);
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
  });

  it("recovers a board that lost its journal, and the log's head with it", async () => {
    const site = await commissioned();
    await site.round();
    const [board] = site.boards;
    board!.cutPower();
    for (let sector = FlashShape.JOURNAL_SECTOR; sector < board!.flash.sectors; sector += 1) board!.flash.erase(sector);
    board!.powerOn();
    expect(board!.gateState).toBe(GateState.LOCKED);
    expect(infoOf(site).logHead!.size).toBe(0n);
    await answered(site);
    expect(outcomeOf(await arrived(site), "recovery")).toBe("done");
    expect(infoOf(site).logHead!.size).toBe(await treeOf(site));
  });

  it("is given nothing without its proof but a pause of its own, and is told what to do", async () => {
    const site = await commissioned();
    await site.round();
    mustBeGood(await answered(site));
    await order(site, OrderAction.PAUSE);
    mustBeGood(await site.packOut());
    site.change(site.out, "to-site", dropProofs);
    const { failures } = infoOf(site);
    const rows = await arrived(site);
    expect(outcomeOf(rows, "license 2")).toBe("refused LOG_PROOF_MISSING");
    expect(rowOf(rows, "license 2").detail).toMatch(/0x0e01.*pack it again at the verifiers/);
    expect(outcomeOf(rows, "order 1")).toBe("done");
    expect(infoOf(site)).toMatchObject({ failures, epoch: 1 });
    await order(site, OrderAction.RESUME);
    mustBeGood(await site.packOut());
    site.change(site.out, "to-site", dropProofs);
    expect(outcomeOf(await arrived(site), "order 2")).toBe("refused LOG_PROOF_MISSING");
    mustBeGood(await site.packOut());
    expect(outcomeOf(await arrived(site), "order 2")).toBe("done");
  });

  it("refuses a stick that was longer on its way than the agreement lets it be", async () => {
    const site = await commissioned();
    mustBeGood(await answered(site));
    for (let legs = 0; legs < 4; legs += 1) site.travel();
    const rows = await arrived(site);
    expect(outcomeOf(rows, "license 1")).toBe("refused LOG_STALE");
    expect(rowOf(rows, "license 1").detail).toMatch(/checkpointSecondsMax.*pack it again at the verifiers/);
    mustBeGood(await site.packOut());
    expect(outcomeOf(await arrived(site), "license 1")).toBe("done");
  });

  it("says that a new stick is needed where a later one was there before", async () => {
    const site = await commissioned();
    await site.round();
    mustBeGood(await answered(site));
    const older = `${site.folder}/older`;
    writeStick(older, readStick(site.out, "to-site"), 0);
    await order(site, OrderAction.PAUSE);
    await order(site, OrderAction.RESUME);
    mustBeGood(await site.packOut());
    site.change(site.out, "to-site", (files) => files.delete(boardFile(site.ueid(), "license")));
    mustBeGood(await arrived(site));
    const rows = await site.arrive(older);
    expect(outcomeOf(rows, "license 2")).toBe("refused LOG_ROLLED_BACK");
    expect(rowOf(rows, "license 2").detail).toContain("a new one is needed");
  });

  it("is packed with all else while the witnesses are away, and pauses; each proof that lacks is a row", async () => {
    const site = await commissioned();
    await site.round();
    for (const witness of witnesses) await witness.stop();
    await order(site, OrderAction.PAUSE);
    await order(site, OrderAction.RESUME);
    const packed = await site.packOut();
    const lacking = packed.filter(({ detail }) => detail?.includes("log/not-cosigned")).map(({ what }) => what);
    expect(lacking).toEqual(expect.arrayContaining([expect.stringMatching(/^log proof of order 2 from tree /)]));
    expect(outcomeOf(packed, "beacon")).toBe("done");
    const rows = await arrived(site);
    expect(outcomeOf(rows, "order 1")).toBe("done");
    expect(outcomeOf(rows, "order 2")).toBe("refused LOG_PROOF_MISSING");
    for (const witness of witnesses) await witness.start();
    await eventually(async () => mustBeGood(await site.packOut()));
    expect(outcomeOf(await arrived(site), "order 2")).toBe("done");
  });

  it("refuses what is too long for the mailbox together with its proof", async () => {
    const site = await commissioned();
    await site.round();
    mustBeGood(await answered(site));
    site.change(site.out, "to-site", (files) => {
      const [path, bytes] = [...files].find(([name]) => name.startsWith(PROOFS))!;
      const proof = decodeLogProof(bytes);
      const digests = Array.from({ length: 50 }, () => proof.root);
      files.set(path, encodeLogProof({ ...proof, path: digests, consistency: digests }));
    });
    expect(outcomeOf(await arrived(site), "license 2")).toBe("refused MAILBOX_LENGTH");
  });
});

describe("standings on a stick", () => {
  it("are of the tree that evidence named, and of those that sticks have led to since", async () => {
    const site = await commissioned();
    const standing = () => standingsOf(readStick(site.out, "to-site")).get(site.ueid());
    expect(standing()).toEqual({ agreementVersion: 0, epoch: 0, trees: [0] });
    await site.round();
    mustBeGood(await answered(site));
    const held = infoOf(site).logHead!.size;
    const second = await treeOf(site);
    expect(standing()).toEqual({ agreementVersion: 1, epoch: 0, trees: [held, second].map(Number) });
    await order(site, OrderAction.PAUSE);
    mustBeGood(await site.packOut());
    const third = await treeOf(site);
    expect(standing()!.trees).toEqual([held, second, third].map(Number));
    const stick = readStick(site.out, "to-site");
    const license = stick.files.get(boardFile(site.ueid(), "license"))!;
    expect(proofsOf(stick, license).map(([from]) => from)).toEqual([held, second]);
    // The pause comes without its proof, and the license is of the epoch before: the board holds what it held.
    expect(outcomeOf(await arrived(site), "order 1")).toBe("done");
    await site.leave();
    await site.answer();
    expect(standing()).toEqual({ agreementVersion: 1, epoch: 1, trees: [held, third].map(Number) });
  });

  it("are none, and no proofs either, where the agreement has no log", async () => {
    gap = await AirGap.open();
    await gap.commission();
    mustBeGood(await answered(gap));
    const paths = [...readStick(gap.out, "to-site").files.keys()];
    expect(paths.filter((path) => path === STANDINGS || path.startsWith(PROOFS))).toEqual([]);
  });
});
