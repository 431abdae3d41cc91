/** The ledger of a campaign sees what it is there to see, and so does the look through the store. */
import { beforeEach, describe, expect, it } from "vitest";
import type { StorePlace } from "../../host/store/store.ts";
import { hexOf } from "../../host/verifier/bytes.ts";
import { BF16, type FakeGovernor, PARTY_SIGNERS } from "../host/fake-governor.ts";
import { REQUEST, ServiceWorld, whole } from "../host/service/world.ts";
import { loadAgreement } from "../host/serving.ts";
import { embedded } from "../host/store/engines.ts";
import { examine } from "./examine.ts";
import { type AcknowledgedLicense, Ledger } from "./ledger.ts";

const [A, B] = [Uint8Array.of(1), Uint8Array.of(2)];

describe("a ledger", () => {
  let ledger: Ledger;
  beforeEach(() => {
    ledger = new Ledger();
  });

  it("has nothing against an act that is new once and known ever after", () => {
    ledger.answered(ledger.begin("act"), true, A);
    ledger.answered(ledger.begin("act"), false, A);
    expect(ledger.faults).toEqual([]);
    expect(ledger.foundAgain).toBe(0);
  });

  it("has nothing against one of which nobody was told at first, and counts it", () => {
    ledger.begin("act");
    ledger.notYet(undefined);
    ledger.answered(ledger.begin("act"), false, A);
    expect(ledger.faults).toEqual([]);
    expect(ledger.foundAgain).toBe(1);
  });

  it("has nothing against two who ask at once, whoever is answered first", () => {
    const [first, second] = [ledger.begin("act"), ledger.begin("act")];
    ledger.answered(second, false, A);
    ledger.answered(first, true, A);
    expect(ledger.faults).toEqual([]);
  });

  it.each<[string, (ledger: Ledger) => void]>([
    [
      "then it was lost",
      () => {
        ledger.answered(ledger.begin("act"), true, A);
        ledger.answered(ledger.begin("act"), true, A);
      },
    ],
    [
      "two answers say that it is new",
      () => {
        const [first, second] = [ledger.begin("act"), ledger.begin("act")];
        ledger.answered(first, true, A);
        ledger.answered(second, true, A);
      },
    ],
    ["there before anyone asked", () => ledger.answered(ledger.begin("act"), false, A)],
    [
      "two answers differ",
      () => {
        ledger.answered(ledger.begin("act"), true, A);
        ledger.answered(ledger.begin("act"), false, B);
      },
    ],
  ])("finds: %s", (fault, tell) => {
    tell(ledger);
    expect(ledger.faults).toEqual([expect.stringContaining(fault)]);
  });

  it("lets those go on who wait for answers, when they are there or when all is over", async () => {
    const waiting = [ledger.after(1), ledger.after(2)];
    ledger.answered(ledger.begin("act"), true, A);
    await waiting[0];
    ledger.release();
    await waiting[1];
  });
});

describe("what a ledger knows, in a store", () => {
  let place: StorePlace;
  let ledger: Ledger;

  /** A license and a report, in the ledger and in the store; then something happens to the store. */
  async function foundAfter(
    happens: (world: ServiceWorld, device: FakeGovernor) => Promise<unknown>,
  ): Promise<string[]> {
    place = embedded.place();
    ledger = new Ledger();
    const world = await ServiceWorld.open(place, {
      agreement: loadAgreement().agreement,
      agreementBytes: loadAgreement().bytes,
      parties: PARTY_SIGNERS.slice(0, 1),
    });
    try {
      const device = await world.enrolled();
      const ueid = hexOf(device.ueid);
      const evidence = await world.evidence(device);
      const license = whole(await world.service.license({ evidence, terms: REQUEST }));
      ledger.licensed(ledger.begin("license"), ueid, evidence, true, license);
      device.install(license);
      device.work(BF16, 10n);
      const item = device.report();
      await world.service.reports([item]);
      ledger.reported(ledger.begin("report"), ueid, 1n, true, item.report);
      await happens(world, device);
    } finally {
      await world.close();
    }
    return [...ledger.faults, ...(await examine(place, ledger, true))];
  }

  it("is there", async () => {
    expect(await foundAfter(async () => {})).toEqual([]);
  });

  it.each(["licenses", "reports"] as const)("is missed when a row of %s is gone", async (table) => {
    const found = await foundAfter(({ store }) => store.write((tx) => tx.deleteFrom(table).execute()));
    expect(found).toContainEqual(expect.stringMatching(/^the (?:license|report) .* is not there$/));
    expect(found).toContainEqual(expect.stringMatching(/^fsck: /));
  });

  it.each(["licenses", "reports"] as const)("is missed when a row of %s says something else", async (table) => {
    const found = await foundAfter(({ store }) =>
      store.write((tx) => tx.updateTable(table).set({ bytes: A }).execute()),
    );
    expect(found).toContainEqual(expect.stringMatching(/^the (?:license|report) .* is another one$/));
  });

  it("is not all where there is a license that nobody was told of", async () => {
    const found = await foundAfter((world, device) => world.license(device));
    expect(found).toEqual(["2 licenses, where 1 were given"]);
  });

  it("is contradicted by a license of the same sequence", async () => {
    const found = await foundAfter(async (world, device) => {
      const [{ ueid, bytes }] = [...ledger.licenses.values()] as [AcknowledgedLicense];
      ledger.licensed(ledger.begin("another"), ueid, await world.evidence(device), true, bytes);
    });
    expect(found).toContainEqual(expect.stringContaining("sequence 1 was given after 1"));
  });
});
