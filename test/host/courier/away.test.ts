/** A verifier that was away while others signed licenses for a site learns of them from the stick. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GateState } from "../../../firmware/protocol/states.ts";
import { readStick } from "../../../host/courier/read-stick.ts";
import { boardFile, numbered, recoveredFile, takenFile } from "../../../host/courier/stick.ts";
import { phaseOf } from "../../rig.ts";
import { AirGap, mustBeGood, outcomeOf } from "./air-gap.ts";

let site: AirGap;
/** A license takes two parties: the first verifier has both, and needs the other for none. */
beforeEach(async () => {
  site = await AirGap.open({ here: [[0, 1], [2]] });
  await site.commission();
  await site.round();
});
afterEach(() => site.close());

function secondIsAway(isAway: boolean): void {
  site.verifiers[1]!.fault = (_request, response) => isAway && response.destroy() !== undefined;
}

/** A round trip with work, whose answers only the first verifier gives. */
async function roundWithoutSecond(): Promise<void> {
  site.boards[0]!.run(phaseOf(10));
  mustBeGood(await site.leave());
  secondIsAway(true);
  expect(outcomeOf(await site.answer(), "license")).toBe("done");
  secondIsAway(false);
  mustBeGood(await site.arrive());
  expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
}

function views() {
  return Promise.all(site.verifiers.map(({ service }) => service.device(site.ueids[0]!)));
}

describe("a verifier that was away for two licenses", () => {
  it("is shown them when it does not know what reports speak of, and then takes all reports", async () => {
    await roundWithoutSecond();
    await roundWithoutSecond();
    expect((await views()).map(({ licenseSequence }) => licenseSequence)).toEqual([3n, 1n]);
    site.boards[0]!.run(phaseOf(10));
    mustBeGood(await site.leave());
    const shown = numbered(readStick(site.back, "to-verifiers"), `boards/${site.ueid()}/licenses`);
    // The newest report that both have is from before the first license.
    expect(shown.map(([sequence]) => sequence)).toEqual([1n, 2n, 3n]);
    mustBeGood(await site.answer());
    const [first, second] = await views();
    expect(second!.reportSequence).toBe(first!.reportSequence);
    expect(second!.licenseSequence).toBe(3n);
    // From now on it judges and signs with the others.
    mustBeGood(await site.arrive());
    site.boards[0]!.run(phaseOf(10));
    await site.round();
    mustBeGood(await site.leave());
    const next = numbered(readStick(site.back, "to-verifiers"), `boards/${site.ueid()}/licenses`);
    expect(next.map(([sequence]) => sequence)).toEqual([5n]);
    mustBeGood(await site.answer());
    const after = await views();
    expect(after[1]!.licenseSequence).toBe(after[0]!.licenseSequence);
  });

  it("refuses reports under them where the site lost what it kept, and the others go on", async () => {
    await roundWithoutSecond();
    site.boards[0]!.run(phaseOf(10));
    rmSync(join(site.keep, site.ueid(), "licenses"), { recursive: true });
    await site.leave();
    const rows = await site.answer();
    expect([outcomeOf(rows, "license"), outcomeOf(rows, "reports at one verifier")]).toEqual(["done", "left"]);
    const [first, second] = await views();
    expect(second!.reportSequence).toBeLessThan(first!.reportSequence);
    // The stick that came last still has the license that the board holds.
    await site.arrive();
    expect(readdirSync(join(site.keep, site.ueid(), "licenses"))).toEqual(["3.cbor"]);
  });

  it("is not misled by a license that was changed on the way", async () => {
    await roundWithoutSecond();
    site.boards[0]!.run(phaseOf(10));
    await site.leave();
    site.change(site.back, "to-verifiers", (files) => {
      const path = takenFile(site.ueid(), 2n);
      const bytes = files.get(path)!;
      files.set(path, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
    });
    await site.answer();
    expect((await views())[1]!.licenseSequence).toBe(1n);
  });
});

describe("a verifier that had no part in a recovery", () => {
  const recoveries = () => numbered(readStick(site.back, "to-verifiers"), `boards/${site.ueid()}/recoveries`);

  /** The first verifier alone recovers the board, which then works and reports. */
  async function recoverWithoutSecond(): Promise<void> {
    const [board] = site.boards;
    const old = board!.flash.snapshot();
    await roundWithoutSecond();
    board!.cutPower();
    board!.flash.restore(old);
    board!.powerOn();
    expect(board!.gateState).toBe(GateState.LOCKED);
    mustBeGood(await site.leave());
    secondIsAway(true);
    expect(outcomeOf(await site.answer(), "recovery")).toBe("done");
    secondIsAway(false);
    mustBeGood(await site.arrive());
    expect(board!.gateState).not.toBe(GateState.LOCKED);
  }

  it("is shown it, and what was reported before and after, by the next stick", async () => {
    await recoverWithoutSecond();
    mustBeGood(await site.leave());
    expect(recoveries().map(([number]) => number)).toEqual([1n]);
    for (let round = 0; round < 3; round++) {
      if (round > 0) mustBeGood(await site.leave());
      mustBeGood(await site.answer());
      mustBeGood(await site.arrive());
      site.boards[0]!.run(phaseOf(10));
    }
    expect(site.boards[0]!.gateState).toBe(GateState.OPEN);
    mustBeGood(await site.leave());
    mustBeGood(await site.answer());
    const [first, second] = await views();
    expect(second!.reportSequence).toBe(first!.reportSequence);
    const [ours, theirs] = await Promise.all(site.verifiers.map(({ service }) => service.books(site.ueids[0]!)));
    expect(theirs!.map(({ reported }) => reported)).toEqual(ours!.map(({ reported }) => reported));
  });

  it("is not misled by one that was changed on the way, and is shown it again", async () => {
    await recoverWithoutSecond();
    await site.leave();
    site.change(site.back, "to-verifiers", (files) => {
      const path = recoveredFile(site.ueid(), 1n);
      const bytes = files.get(path)!;
      files.set(path, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
    });
    await site.answer();
    const [first, second] = await views();
    expect(second!.reportSequence).toBeLessThanOrEqual(first!.reportSequence);
    await site.arrive();
    await site.leave();
    mustBeGood(await site.answer());
    expect((await views())[1]!.reportSequence).toBe((await views())[0]!.reportSequence);
  });

  it("is not shown one that the board refused", async () => {
    await roundWithoutSecond();
    const [board] = site.boards;
    const old = board!.flash.snapshot();
    await roundWithoutSecond();
    board!.cutPower();
    board!.flash.restore(old);
    board!.powerOn();
    mustBeGood(await site.leave());
    await site.answer();
    site.change(site.out, "to-site", (files) => {
      const path = boardFile(site.ueid(), "recovery");
      const bytes = files.get(path)!;
      files.set(path, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
    });
    expect(outcomeOf(await site.arrive(), "recovery")).toContain("refused");
    expect(readdirSync(join(site.keep, site.ueid(), "recoveries"))).toEqual([]);
  });
});
