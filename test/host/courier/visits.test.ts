/** Visits to a site without a network: everything that a verifier and a board tell each other comes and goes on sticks. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { readStick } from "../../../host/courier/read-stick.ts";
import { boardFile } from "../../../host/courier/stick.ts";
import { sameBytes } from "../../../host/verifier/bytes.ts";
import { phaseOf } from "../../rig.ts";
import { AirGap, mustBeGood, outcomeOf } from "./air-gap.ts";

let gap: AirGap | undefined;
afterEach(async () => {
  await gap?.close();
  gap = undefined;
});

async function open(options?: Parameters<typeof AirGap.open>[0]): Promise<AirGap> {
  gap = await AirGap.open(options);
  return gap;
}

async function working(): Promise<AirGap> {
  const site = await open();
  await site.commission();
  await site.round();
  expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
  return site;
}

async function pause(site: AirGap): Promise<void> {
  const { service } = site.verifiers[0]!;
  await service.approveOrder((await service.proposeOrder({ action: OrderAction.PAUSE })).id, "party 0");
}

const OFFLINE = {
  budget: new Map([
    [EngineClass.TENSOR_BF16, 10n ** 18n],
    [EngineClass.COPY, 10n ** 14n],
  ]),
  ticksMax: 36_000_000n,
  windowSeconds: 5 * 86_400,
};

describe("a site that sticks come to", () => {
  it("is enrolled, told the time and licensed in three round trips, and then works", async () => {
    const site = await open();
    mustBeGood(await site.packOut());
    site.travel();
    expect(outcomeOf(await site.arrive(), "agreement 1")).toBe("done");
    const first = await site.leave();
    expect(outcomeOf(first, "time challenge")).toBe("done");
    expect(outcomeOf(first, "evidence")).toBe("left");
    site.travel();
    const enrolled = await site.answer();
    expect([outcomeOf(enrolled, "enrolment"), outcomeOf(enrolled, "time proof")]).toEqual(["done", "done"]);
    site.travel();
    const told = await site.arrive();
    expect([outcomeOf(told, "time proof"), outcomeOf(told, "beacon")]).toEqual(["done", "done"]);
    expect(outcomeOf(await site.leave(), "evidence")).toBe("done");
    site.travel();
    expect(outcomeOf(await site.answer(), "license")).toBe("done");
    site.travel();
    expect(outcomeOf(await site.arrive(), "license 1")).toBe("done");
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
    expect(site.boards[0]!.run(phaseOf(60)).completed).toBe(true);
    expect(outcomeOf(await site.leave(), "reports")).toBe("done");
  });

  it("reports its work with the next stick, and gets the next license for it", async () => {
    const site = await working();
    site.boards[0]!.run(phaseOf(60));
    await site.round();
    expect(await site.licenses()).toBe(2n);
    const books = await site.verifiers[0]!.service.books(site.ueids[0]!);
    const bf16 = books.find(({ engineClass }) => engineClass === EngineClass.TENSOR_BF16)!;
    expect(bf16.reported).toBe(60n * 10n ** 14n);
  });

  it("pauses when the stick with the order comes, gets no license for it, and the verifier knows that it paused", async () => {
    const site = await working();
    await pause(site);
    mustBeGood(await site.packOut());
    site.travel();
    expect(outcomeOf(await site.arrive(), "order 1")).toBe("done");
    site.boards[0]!.advance(300);
    expect(site.boards[0]!.gateState).toBe(GateState.PAUSED);
    await site.leave();
    site.travel();
    const rows = await site.answer();
    expect(outcomeOf(rows, "license")).toBe("refused license/paused");
    expect(outcomeOf(rows, "appraisal")).toBe("done");
    expect((await site.verifiers[0]!.service.delivery(1)).delivered).toBe(1);
  });

  it("gets no license on evidence that left before the order, which goes along with the answers", async () => {
    const site = await working();
    await site.leave();
    await pause(site);
    site.travel();
    expect(outcomeOf(await site.answer(), "license")).toBe("refused evidence/epoch-behind");
    site.travel();
    expect(outcomeOf(await site.arrive(), "order 1")).toBe("done");
  });

  it("asks for a recovery where a board lost its journal, and goes on after it", async () => {
    const site = await working();
    const [board] = site.boards;
    const image = board!.flash.snapshot();
    board!.run(phaseOf(60));
    await site.round();
    board!.cutPower();
    board!.flash.restore(image);
    board!.powerOn();
    expect(board!.gateState).toBe(GateState.LOCKED);
    await site.round();
    expect(board!.gateState).not.toBe(GateState.LOCKED);
    // A recovered board has forgotten the time; evidence comes after that.
    await site.round();
    await site.round();
    expect(board!.gateState).toBe(GateState.OPEN);
  });
});

describe("a stick that is lost or comes twice", () => {
  let site: AirGap;
  beforeEach(async () => {
    site = await working();
    site.boards[0]!.run(phaseOf(60));
  });

  it("lost on its way to the verifiers: the same evidence and all reports go with the next, for one license", async () => {
    const lost = join(site.folder, "lost");
    await site.leave(lost);
    const evidence = readStick(lost, "to-verifiers").files.get(boardFile(site.ueid(), "evidence"))!;
    rmSync(lost, { recursive: true });
    const again = await site.leave();
    const packed = readStick(site.back, "to-verifiers").files;
    expect(sameBytes(packed.get(boardFile(site.ueid(), "evidence"))!, evidence)).toBe(true);
    expect(outcomeOf(again, "reports")).toBe("done");
    mustBeGood(await site.answer());
    expect(await site.licenses()).toBe(2n);
  });

  it("lost on its way back: the verifiers give the same license again", async () => {
    await site.leave();
    await site.answer();
    const license = readStick(site.out, "to-site").files.get(boardFile(site.ueid(), "license"))!;
    rmSync(site.out, { recursive: true });
    mustBeGood(await site.answer());
    const again = readStick(site.out, "to-site").files.get(boardFile(site.ueid(), "license"))!;
    expect(sameBytes(again, license)).toBe(true);
    expect(await site.licenses()).toBe(2n);
    mustBeGood(await site.arrive());
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
  });

  it("unpacked twice at the site: the board is asked nothing again, and nothing is refused", async () => {
    await site.round();
    const rows = await site.arrive();
    mustBeGood(rows);
    expect([outcomeOf(rows, "agreement 1"), outcomeOf(rows, "license 2")]).toEqual(["known", "known"]);
  });

  it("packed a second time after the first arrived: reports that the verifiers have do not travel again", async () => {
    await site.round();
    site.boards[0]!.run(phaseOf(10));
    await site.leave();
    const reports = [...readStick(site.back, "to-verifiers").files.keys()].filter((path) =>
      path.endsWith(".intervals"),
    );
    expect(reports).toHaveLength(1);
  });

  it("with a document that lies about what was delivered: what is missing goes with the stick after", async () => {
    const kept = join(site.keep, site.ueid(), "state.json");
    writeFileSync(kept, JSON.stringify({ deliveredTo: "999" }));
    await site.leave();
    expect(outcomeOf(await site.answer(), "license")).toBe("refused evidence/report-missing");
    await site.arrive();
    await site.round();
    expect(await site.licenses()).toBe(2n);
  });
});

describe("a nonce that travels", () => {
  it("is refused when it is older than the verifier lets nonces be, with the verifier's code", async () => {
    const site = await open({ nonceSeconds: 3_600 });
    await site.commission();
    await site.leave();
    site.travel();
    expect(outcomeOf(await site.answer(), "license")).toBe("refused evidence/nonce-expired");
  });
});

describe("offline licenses", () => {
  it("open the gates of a cohort of two, each once, and are not signed a second time while they wait", async () => {
    const site = await open({ boards: 2 });
    await site.commission();
    const call = { ueids: site.ueids, terms: OFFLINE };
    const what = "offline license for";
    expect(outcomeOf(await site.packOut(call), what)).toBe("done");
    expect(outcomeOf(await site.packOut(call), what)).toBe("known");
    site.travel();
    const rows = await site.arrive();
    mustBeGood(rows);
    expect(rows.filter(({ what, outcome }) => what === "offline license 1" && outcome === "done")).toHaveLength(2);
    expect(site.boards.map(({ gateState }) => gateState)).toEqual([GateState.OPEN, GateState.OPEN]);
    expect(outcomeOf(await site.arrive(), "offline license 1")).toBe("known");
  });

  it("wait while another license is in force, and leave the stick when every board has had them", async () => {
    const site = await working();
    mustBeGood(await site.packOut({ ueids: site.ueids, terms: OFFLINE }));
    expect(outcomeOf(await site.arrive(), "offline license 2")).toBe("left");
    site.boards[0]!.advance(86_400);
    expect(outcomeOf(await site.arrive(), "offline license 2")).toBe("done");
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
    await site.round();
    expect([...readStick(site.out, "to-site").files.keys()].filter((path) => path.startsWith("licenses/"))).toEqual([]);
  });
});

describe("two verifiers whose parties make the quorum together", () => {
  it("both sign over their own nonces in one evidence, and both have the reports", async () => {
    const site = await open({ here: [[0], [1]] });
    await site.commission();
    await site.round();
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
    site.boards[0]!.run(phaseOf(60));
    await site.round();
    const views = await Promise.all(site.verifiers.map(({ service }) => service.device(site.ueids[0]!)));
    expect(views.map(({ licenseSequence }) => licenseSequence)).toEqual([2n, 2n]);
    expect(views[0]!.reportSequence).toBe(views[1]!.reportSequence);
  });

  it("one alone is not enough, and says so; with the other the same stick brings the license", async () => {
    const site = await open({ here: [[0], [1]] });
    await site.commission();
    await site.leave();
    site.verifiers[1]!.fault = (_request, response) => response.destroy() !== undefined;
    expect(outcomeOf(await site.answer(), "license")).toBe("refused client/quorum");
    site.verifiers[1]!.fault = () => false;
    expect(outcomeOf(await site.answer(), "license")).toBe("done");
  });

  it("sign an offline license together", async () => {
    const site = await open({ here: [[0], [1]] });
    await site.commission();
    mustBeGood(await site.packOut({ ueids: site.ueids, terms: OFFLINE }));
    mustBeGood(await site.arrive());
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
  });
});
