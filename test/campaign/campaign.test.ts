/**
 * A verifier's processes under load, struck at random: a bounded share of `npm run campaign`. Moments are the machine's;
 * the rest is drawn from `QUIESCE_SEED`.
 */
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { DATABASE_URL, engines } from "../host/store/engines.ts";
import { Campaign, type CampaignOptions } from "./campaign.ts";
import { campaignCommand } from "./command.ts";
import { type CampaignPlace, diskPlace, folderPlace, postgresPlace } from "./places.ts";
import { removeServerProgram } from "./program.ts";

/** `QUIESCE_CAMPAIGN_KILLS` is for more of them. */
const KILLS = Number(process.env.QUIESCE_CAMPAIGN_KILLS ?? 3);
const CUTS = 6;
const CLIENTS = 8;
const seed = process.env.QUIESCE_SEED!;
/** The one of the store's tests, where it answers: engines.ts says so where it does not. */
const databases = engines.some(({ engine }) => engine === "postgres") ? [DATABASE_URL] : [];

afterAll(removeServerProgram);

function campaign(place: CampaignPlace, options: Omit<CampaignOptions, "seed">) {
  onTestFinished(() => place.remove());
  return new Campaign(place, { seed, clients: CLIENTS, ...options }).run();
}

describe("a verifier under load", () => {
  it("loses nothing, gives nothing twice and keeps its books when it is killed, on sqlite", async () => {
    const result = await campaign(folderPlace(), { kills: KILLS });
    expect(result).toMatchObject({ kills: KILLS, faults: [] });
    expect(result.licenses).toBeGreaterThan(KILLS);
    expect(result.unanswered).toBeGreaterThan(0);
  }, 600_000);

  it("asks to come again while its disk is full, and goes on when there is room", async ({ skip }) => {
    const place = diskPlace();
    if (place === undefined) {
      process.stderr.write("no file system can be mounted here: a disk that is really full was not tried\n");
      return skip();
    }
    const result = await campaign(place, { kills: 0, fills: 1 });
    expect(result).toMatchObject({ fills: 1, faults: [] });
    expect(result.putOff["server/unavailable"]).toBeGreaterThan(0);
  }, 600_000);

  it.each(databases)(
    "does so with two processes on one PostgreSQL, whose connections are cut besides",
    async (databaseUrl) => {
      const result = await campaign(postgresPlace(databaseUrl), { kills: KILLS, cuts: CUTS, processes: 2 });
      expect(result).toMatchObject({ kills: KILLS, faults: [] });
      expect(result.connectionsCut).toBeGreaterThan(0);
      expect(result.races).toBeGreaterThan(0);
    },
    600_000,
  );

  it("keeps one log that only grows, with every license in it when it is handed out", async () => {
    const result = await campaign(folderPlace(), { kills: KILLS, watchesLog: true });
    expect(result).toMatchObject({ kills: KILLS, faults: [] });
    expect(result.heads).toBeGreaterThan(KILLS);
    expect(result.entries).toBeGreaterThan(result.licenses);
  }, 600_000);

  it("is found out if it hands out what no published head covers", async () => {
    const { faults } = await campaign(folderPlace(), { kills: 1, watchesLog: true, publishLateMs: 200 });
    expect(faults.join("\n")).toMatch(/handed out, and is in no published log/);
  }, 600_000);

  it("hands out no license that is not durable, even where its store answers too early: its log looks again", async () => {
    const { faults } = await campaign(folderPlace(), { kills: 4, commitLateMs: 100 });
    expect(faults).toEqual([]);
  }, 600_000);
});

describe("npm run campaign", () => {
  const run = async (...args: string[]) => {
    let text = "";
    const write = (more: string) => {
      text += more;
    };
    return { code: await campaignCommand(args, { out: write, err: write }), text };
  };

  it("says how it is used", async () => {
    const { code, text } = await run("--help");
    expect(code).toBe(0);
    expect(text).toContain("$ npm run campaign -- verifier");
  });

  it.each([
    [[], "three campaigns"],
    [["agent"], "three campaigns"],
    [["verifier", "--kills", "many"], "--kills is a whole number from 0"],
    [["verifier", "--store", "files"], "sqlite or postgres"],
    [["verifier", "--cuts", "1"], "--cuts is for postgres"],
    [["verifier", "--processes", "2"], "--processes is for postgres"],
    [["verifier", "--hours", "1"], "Unknown option"],
  ])("refuses %j", async (args, why) => {
    const { code, text } = await run(...args);
    expect(code).toBe(2);
    expect(text).toContain(why);
    expect(text).toContain("Example:");
  });
});
