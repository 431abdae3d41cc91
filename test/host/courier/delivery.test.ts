/** Whether boards without a network have an order is known by evidence that no license answers, at every verifier. */
import { afterEach, describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { noncesOf } from "../../../host/courier/documents.ts";
import { readStick } from "../../../host/courier/read-stick.ts";
import { boardFile, numbered } from "../../../host/courier/stick.ts";
import { AirGap, mustBeGood, outcomeOf } from "./air-gap.ts";

let gap: AirGap | undefined;
afterEach(async () => {
  await gap?.close();
  gap = undefined;
});

async function working(options?: Parameters<typeof AirGap.open>[0]): Promise<AirGap> {
  gap = await AirGap.open(options);
  await gap.commission();
  await gap.round();
  expect(gap.boards[0]!.gateState).toBe(GateState.OPEN);
  return gap;
}

/** Ordered at the first verifier, and taken over by the others. */
async function pause({ verifiers: [first, ...others] }: AirGap): Promise<void> {
  const draft = await first!.service.proposeOrder({ action: OrderAction.PAUSE });
  const { bytes } = await first!.service.approveOrder(draft.id, "party 0");
  for (const { service } of others) await service.importOrder(bytes);
}

/** The order goes to the site, and evidence after it comes back as far as the verifiers' door. */
async function carryOrder(site: AirGap): Promise<void> {
  mustBeGood(await site.packOut());
  site.travel();
  expect(outcomeOf(await site.arrive(), "order 1")).toBe("done");
  mustBeGood(await site.leave());
  site.travel();
}

function deliveries({ verifiers }: AirGap) {
  return Promise.all(
    verifiers.map(async ({ service }) => {
      const { delivered, missing } = await service.delivery(1);
      return { delivered, missing };
    }),
  );
}

const HERE = { delivered: 1, missing: 0 };
const NOT_HERE = { delivered: 0, missing: 1 };

describe("delivery of a pause to an air-gapped board", () => {
  it("is unknown while the sticks travel, and confirmed at both verifiers by one evidence over their nonces", async () => {
    const site = await working({ here: [[0], [1]] });
    await pause(site);
    await carryOrder(site);
    expect(await deliveries(site)).toEqual([NOT_HERE, NOT_HERE]);
    const rows = await site.answer();
    expect(outcomeOf(rows, "license")).toBe("refused client/quorum");
    expect(rows.filter(({ what, outcome }) => what === "appraisal" && outcome === "done")).toHaveLength(2);
    expect(await deliveries(site)).toEqual([HERE, HERE]);
  });

  it("is confirmed at a verifier that was away when the same stick is unpacked again", async () => {
    const site = await working({ here: [[0], [1]] });
    await pause(site);
    await carryOrder(site);
    site.verifiers[1]!.fault = (_request, response) => response.destroy() !== undefined;
    await site.answer();
    site.verifiers[1]!.fault = () => false;
    expect(await deliveries(site)).toEqual([HERE, NOT_HERE]);
    const rows = await site.answer();
    expect(rows.filter(({ what, outcome }) => what === "appraisal" && outcome === "done")).toHaveLength(2);
    expect(await deliveries(site)).toEqual([HERE, HERE]);
  });

  it("is not confirmed by evidence that left before the order came", async () => {
    const site = await working();
    await site.leave();
    await pause(site);
    site.travel();
    const rows = await site.answer();
    expect([outcomeOf(rows, "license"), outcomeOf(rows, "appraisal")]).toEqual([
      "refused evidence/epoch-behind",
      undefined,
    ]);
    expect(await deliveries(site)).toEqual([NOT_HERE]);
  });

  it("is confirmed of a board that gets no license for another reason", async () => {
    const site = await working();
    await site.verifiers[0]!.service.changeDevice(site.ueids[0]!, { status: "suspended" });
    await pause(site);
    await carryOrder(site);
    const rows = await site.answer();
    expect([outcomeOf(rows, "license"), outcomeOf(rows, "appraisal")]).toEqual(["refused device/suspended", "done"]);
    expect(await deliveries(site)).toEqual([HERE]);
  });
});

describe("evidence over the nonces of two verifiers", () => {
  it("is refused by a verifier that is told of other nonces, or of none", async () => {
    const site = await working({ here: [[0], [1]] });
    await site.leave();
    const stick = readStick(site.back, "to-verifiers");
    const evidence = stick.files.get(boardFile(site.ueid(), "evidence"))!;
    const nonces = noncesOf(stick)
      .get(site.ueid())!
      .map(({ nonce }) => nonce);
    const client = new VerifierClient({ url: site.verifiers[0]!.url, triesMax: 1 });
    await client.reports(numbered(stick, `boards/${site.ueid()}/reports`).map(([, report]) => ({ report })));
    const codeOf = (given?: readonly Uint8Array[]) =>
      client.appraise(evidence, given).then(
        () => undefined,
        ({ code }) => code,
      );
    expect(await codeOf(nonces.slice(1))).toBe("nonces/mismatch");
    expect(await codeOf()).toBe("evidence/nonce-unknown");
    expect(await codeOf(nonces)).toBeUndefined();
    await client.close();
  });
});
