/**
 * `npm run campaign -- verifier`: blows at a verifier's processes under load, and whether anything came of it.
 * `npm run campaign -- log`: the same, while its log is followed. `npm run campaign -- attack`: attacks.ts.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { facts } from "../../host/cli/output.ts";
import { WrongUse, wholeOption } from "../options.ts";
import type { Streams } from "../streams.ts";
import { attacksCommand } from "./attacks.ts";
import { Campaign, type CampaignResult } from "./campaign.ts";
import { type CampaignPlace, diskPlace, folderPlace, postgresPlace } from "./places.ts";
import { removeServerProgram } from "./program.ts";

const FAULTS_FOUND = 1;
const WRONG_USE = 2;
const SEED_LIMIT = 2 ** 31;
const USAGE = `npm run campaign -- verifier|log [options]

  --store sqlite|postgres  which store; postgres is that of QUIESCE_TEST_DATABASE_URL (default sqlite)
  --kills N                kill -9 of a process under load (default 100; log: 200)
  --cuts N                 ends some of the verifier's connections, on postgres (default 0)
  --fills N                fills the disk for a while, on sqlite; takes the right to mount one (default 0)
  --processes N            that serve one store, on postgres (default 2)
  --clients N              boards at a time (default 12)
  --seed N                 draws the blows (default: another one every time)
  --json                   one JSON document

With Ctrl-C no more blows fall; what was done is checked and told.

log does what verifier does, and follows the transparency log besides: every checkpoint that was ever seen is of one tree
that only grows, and every license is in it when it is handed out.

Another one attacks the governor: npm run campaign -- attack --help.

Example:
  $ npm run campaign -- verifier --store sqlite --kills 500 --seed 7
  $ npm run campaign -- log --store postgres
`;

/** Runs the command and returns its exit code: 0, 1 if anything was found, or 2 for wrong use. */
export async function campaignCommand(args: string[], streams: Streams): Promise<number> {
  const { out, err } = streams;
  if (args[0] === "attack") return attacksCommand(args.slice(1), streams);
  let wanted: Wanted | undefined;
  let place: CampaignPlace | undefined;
  try {
    wanted = read(args);
    if (wanted === undefined) {
      out(USAGE);
      return 0;
    }
    place = placeOf(wanted);
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    err(`${error.message}\n\n${USAGE}`);
    return WRONG_USE;
  }
  const { json, store, ...options } = wanted;
  err(`seed ${options.seed}\n`);
  const progress = process.stderr.isTTY ? (line: string) => err(`\r\x1b[K${line}`) : undefined;
  const campaign = new Campaign(place, { ...options, ...(progress && { progress }) });
  const stop = () => campaign.stop();
  process.on("SIGINT", stop);
  try {
    const result = await campaign.run();
    progress?.("");
    out(json ? `${JSON.stringify({ store, ...result }, undefined, 2)}\n` : forPeople(store, result));
    return result.faults.length === 0 ? 0 : FAULTS_FOUND;
  } finally {
    process.off("SIGINT", stop);
    await place.remove();
    removeServerProgram();
  }
}

type Wanted = NonNullable<ReturnType<typeof read>>;

/** Undefined where help is wanted. Throws `WrongUse`. */
function read(args: string[]) {
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] };
  try {
    const text = { type: "string" } as const;
    const options = { store: text, kills: text, cuts: text, fills: text, processes: text, clients: text, seed: text };
    const flags = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
    parsed = parseArgs({ args, options: { ...options, ...flags }, allowPositionals: true });
  } catch (error) {
    throw new WrongUse((error as Error).message.split("\n")[0]);
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const [name] = positionals;
  if (positionals.length !== 1 || (name !== "verifier" && name !== "log"))
    throw new WrongUse("there are three campaigns: verifier, log and attack");
  const watchesLog = name === "log";
  const count = (name: string, preset: number, least = 0) =>
    wholeOption(name, values[name] as string | undefined, { preset, least, most: SEED_LIMIT - 1 });
  const store = values.store ?? "sqlite";
  if (store !== "sqlite" && store !== "postgres") throw new WrongUse("--store is sqlite or postgres");
  return {
    store: store as "sqlite" | "postgres",
    watchesLog,
    kills: count("kills", watchesLog ? 200 : 100),
    cuts: count("cuts", 0),
    fills: count("fills", 0),
    processes: count("processes", store === "sqlite" ? 1 : 2, 1),
    clients: count("clients", 12, 1),
    seed: String(count("seed", randomInt(SEED_LIMIT))),
    json: values.json === true,
  };
}

/** Throws `WrongUse`. */
function placeOf({ store, cuts, fills, processes }: Wanted): CampaignPlace {
  if (store === "postgres") {
    const url = process.env.QUIESCE_TEST_DATABASE_URL;
    if (url === undefined) throw new WrongUse("QUIESCE_TEST_DATABASE_URL does not say where PostgreSQL is");
    if (fills > 0) throw new WrongUse("--fills is for sqlite: the disk of PostgreSQL is its own");
    return postgresPlace(url);
  }
  if (cuts > 0) throw new WrongUse("--cuts is for postgres: sqlite has no connections");
  if (processes > 1) throw new WrongUse("--processes is for postgres: a folder has one process");
  if (fills === 0) return folderPlace();
  const disk = diskPlace();
  if (disk === undefined) throw new WrongUse("--fills mounts a small disk, which is not allowed here");
  return disk;
}

function forPeople(store: string, result: CampaignResult): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const putOff = Object.entries(result.putOff).map(([code, count]) => `${number(count)} ${code}`);
  const rows: [string, string][] = [
    ["store", store],
    ["seed", result.seed],
    ["kills", `${number(result.kills)}, and ${number(result.killsOpening)} of processes that were starting`],
    ["connections cut", `${number(result.connectionsCut)} in ${number(result.cuts)} blows`],
    ["disk full", `${number(result.fills)} times`],
    ["devices", number(result.devices)],
    ["licenses", number(result.licenses)],
    ["reports", number(result.reports)],
    ["answers compared", number(result.answers)],
    ["asked for twice at once", number(result.races)],
    ["tries without an answer", number(result.unanswered)],
    ["durable, and nobody told", `${number(result.foundAgain)}, found again`],
    ["put off", putOff.length === 0 ? "none" : putOff.join(", ")],
    ["log", `${number(result.entries)} entries, ${number(result.heads)} heads seen`],
    ["store looked through", `${number(result.examined)} times`],
    ["time", `${number(result.seconds)} s`],
    ["faults", number(result.faults.length)],
  ];
  return `${facts(rows)}\n${result.faults.map((fault) => `${fault}\n`).join("")}`;
}
