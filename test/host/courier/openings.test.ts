/** Verifiers ask for intervals of reports that came without them; the openings come with the next stick. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { wantedFile, wantedOf } from "../../../host/courier/documents.ts";
import { readStick } from "../../../host/courier/read-stick.ts";
import { OPENINGS, openingFile } from "../../../host/courier/stick.ts";
import { decodeOpening, encodeOpening } from "../../../host/objects/opening.ts";
import { phaseOf } from "../../rig.ts";
import { AirGap, mustBeGood, outcomeOf } from "./air-gap.ts";

let gap: AirGap | undefined;
afterEach(async () => {
  await gap?.close();
  gap = undefined;
});

/** A site whose last report lost its intervals on the way, so that each verifier asks for one. */
async function owing(options?: Parameters<typeof AirGap.open>[0]): Promise<AirGap> {
  gap = await AirGap.open(options);
  await gap.commission();
  await gap.round();
  gap.boards[0]!.run(phaseOf(60));
  mustBeGood(await gap.leave());
  gap.change(gap.back, "to-verifiers", (files) => {
    for (const path of files.keys()) if (path.endsWith(".intervals")) files.delete(path);
  });
  const rows = await gap.answer();
  mustBeGood(rows);
  expect(outcomeOf(rows, "openings wanted")).toBe("done");
  return gap;
}

function wantedAt(site: AirGap, verifier = 0) {
  return site.verifiers[verifier]!.service.openingsWanted(site.ueids[0]!);
}

describe("an interval that a verifier asks for", () => {
  let site: AirGap;
  beforeEach(async () => {
    site = await owing();
  });

  it("is asked for on the stick, opened at the site, and shown with the next stick", async () => {
    const [wanted] = await wantedAt(site);
    expect(wantedOf(readStick(site.out, "to-site")).get(site.ueid())).toEqual([
      { sequence: wanted!.reportSequence, index: wanted!.index },
    ]);
    mustBeGood(await site.arrive());
    expect(outcomeOf(await site.leave(), "openings")).toBe("done");
    const rows = await site.answer();
    mustBeGood(rows);
    expect(outcomeOf(rows, "opening of report")).toBe("done");
    expect(await wantedAt(site)).toEqual([]);
    expect(readStick(site.out, "to-site").files.has(OPENINGS)).toBe(false);
  });

  it("is shown once, however often the stick is unpacked", async () => {
    await site.leave();
    await site.answer();
    const rows = await site.answer();
    mustBeGood(rows);
    expect(outcomeOf(rows, "openings")).toBe("known");
  });

  it("is opened again where the stick was lost", async () => {
    const lost = join(site.folder, "lost");
    await site.leave(lost);
    rmSync(lost, { recursive: true });
    await site.leave();
    await site.answer();
    expect(await wantedAt(site)).toEqual([]);
  });

  it("cannot be opened once the site has lost the report: that is said with a code, and everything else goes on", async () => {
    const [wanted] = await wantedAt(site);
    rmSync(join(site.keep, site.ueid(), "reports", `${wanted!.reportSequence}.intervals`));
    const rows = await site.leave();
    expect(outcomeOf(rows, "opening of report")).toBe("refused kept/lost");
    expect([outcomeOf(rows, "reports"), outcomeOf(rows, "evidence")]).toEqual(["done", "done"]);
    await site.answer();
    expect(await wantedAt(site)).toEqual([wanted]);
  });

  it("is refused by the verifier where it was changed on the way, and then wanted still", async () => {
    const [wanted] = await wantedAt(site);
    mustBeGood(await site.leave());
    site.change(site.back, "to-verifiers", (files) => {
      const path = openingFile(site.ueid(), wanted!.reportSequence, wanted!.index);
      const opening = decodeOpening(files.get(path)!);
      const interval = { ...opening.interval, endTick: opening.interval.endTick + 1n };
      files.set(path, encodeOpening({ ...opening, interval }));
    });
    expect(outcomeOf(await site.answer(), "opening of report")).toBe("refused opening/mismatch");
    expect(await wantedAt(site)).toEqual([wanted]);
  });

  it("that no verifier wants, though the stick says so, is not shown", async () => {
    const [wanted] = await wantedAt(site);
    const sequence = wanted!.reportSequence;
    site.change(site.out, "to-site", (files) => {
      files.set(OPENINGS, wantedFile(new Map([[site.ueid(), [{ sequence: sequence - 1n, index: 0 }]]])));
    });
    await site.leave();
    mustBeGood(await site.answer());
    expect(await wantedAt(site)).toEqual([wanted]);
  });
});

describe("two verifiers", () => {
  it("each get the interval that they asked for", async () => {
    const site = await owing({ here: [[0], [1]] });
    mustBeGood(await site.leave());
    const rows = await site.answer();
    mustBeGood(rows);
    expect(rows.filter(({ what }) => what.startsWith("opening of report"))).toHaveLength(2);
    expect([await wantedAt(site, 0), await wantedAt(site, 1)]).toEqual([[], []]);
  });
});

describe("a document of wanted intervals", () => {
  // biome-ignore format: a table
  const BAD: readonly [what: string, document: unknown][] = [
    ["a list", []],
    ["a board that is none", { "12": [] }],
    ["no list for a board", { UEID: {} }],
    ["a text in a list", { UEID: ["1"] }],
    ["a sequence that is a number", { UEID: [{ sequence: 1, index: 0 }] }],
    ["an index beyond the last interval", { UEID: [{ sequence: "1", index: 8 }] }],
    ["an index that is no whole number", { UEID: [{ sequence: "1", index: 0.5 }] }],
    ["too many", { UEID: Array.from({ length: 16_385 }, () => ({ sequence: "1", index: 0 })) }],
  ];

  it.each(BAD)("is refused with %s", (_what, document) => {
    const text = JSON.stringify(document).replace("UEID", "01".repeat(Limit.UEID_BYTES));
    const files = new Map([[OPENINGS, new Uint8Array(Buffer.from(text))]]);
    expect(() => wantedOf({ direction: "to-site", files })).toThrow(/^stick\/content: openings\.json/);
  });
});
