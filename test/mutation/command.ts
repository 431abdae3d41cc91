/** `npm run mutation`: which mutants of the governor's decisions the suite kills, and which it does not. */
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { table } from "../../host/cli/output.ts";
import { Random } from "../../sim-board/random.ts";
import { WrongUse, wholeOption } from "../options.ts";
import type { Streams } from "../streams.ts";
import { EQUIVALENT } from "./equivalent.ts";
import { governorModule } from "./governor.ts";
import { type LaneResult, type Pass, runLane, SuiteBroken } from "./lane.ts";
import { MUTANT_KINDS, type Mutant, mutantsOf } from "./mutants.ts";

const UNEXPLAINED = 1;
const WRONG_USE = 2;
const SUITE_BROKEN = 3;
const LANES_MAX = 64;
/** Most mutants die in a test that takes no time: those that take some are asked about what is left. */
const QUICK_MS = 100;
const USAGE = `npm run mutation -- [test file ...] [options]

  --cases N   N mutants, drawn by the seed (default: all)
  --seed N    draws them, and what properties try (default 1)
  --case ID   this mutant; again for more of them
  --lanes N   processes at a time (default: one for each core)
  --json      one JSON document

Makes mutants of the governor that ships, in gate, license, order, journal and meter, and runs the suite against each
until a test fails: its tests of the governor, or the files that are named. The exit code is 1 if a mutant survives that test/mutation/equivalent.ts does not explain, and 3 if
the suite fails with the governor that ships.

Example:
  $ npm run mutation -- --cases 100 --seed 7
`;

const GOVERNOR = new URL("../firmware/governor/", import.meta.url);
/** They come to the most places: what they kill the others need not be asked about. */
const FIRST = ["license-life", "refusals", "credit", "pause", "record", "order", "report"].map(
  (name) => `${name}.test.ts`,
);
const OTHERS = readdirSync(GOVERNOR).filter((name) => name.endsWith(".test.ts") && !FIRST.includes(name));
const GOVERNOR_TESTS = [...FIRST, ...OTHERS.sort()].map((name) => `test/firmware/governor/${name}`);

/** In the order in which they are asked. */
function passesOf(files: readonly string[]): Pass[] {
  if (files.length > 0) return [{ files, testMillisecondsMost: Number.MAX_SAFE_INTEGER }];
  return [
    { files: GOVERNOR_TESTS, testMillisecondsMost: QUICK_MS },
    { files: [...GOVERNOR_TESTS, "test/attack/host.test.ts"], testMillisecondsMost: Number.MAX_SAFE_INTEGER },
  ];
}

type Wanted = {
  files: readonly string[];
  cases: number | undefined;
  seed: number;
  only: readonly string[];
  lanes: number;
  json: boolean;
};

/** Runs the command and returns its exit code: 0, 1 if a survivor is not explained, 2 for wrong use, or 3 if the suite fails as it is. */
export async function mutationCommand(args: string[], { out, err }: Streams): Promise<number> {
  let wanted: Wanted | undefined;
  let mutants: Mutant[];
  try {
    wanted = read(args);
    if (wanted === undefined) {
      out(USAGE);
      return 0;
    }
    mutants = chosen(wanted);
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    err(`${error.message}\n\n${USAGE}`);
    return WRONG_USE;
  }
  process.env.QUIESCE_SEED = String(wanted.seed);
  const begun = performance.now();
  let result: LaneResult;
  try {
    result = await runLanes(mutants, passesOf(wanted.files), wanted.lanes, process.stderr.isTTY ? err : () => {});
  } catch (error) {
    if (!(error instanceof SuiteBroken)) throw error;
    err(`${error.message}\n`);
    return SUITE_BROKEN;
  }
  const report = reportOf(mutants, result, wanted.seed, (performance.now() - begun) / 1000);
  out(wanted.json ? `${JSON.stringify(report, undefined, 2)}\n` : forPeople(report));
  return report.survivors.every(({ because }) => because !== undefined) ? 0 : UNEXPLAINED;
}

/** Undefined where help is wanted. @throws WrongUse */
function read(args: string[]): Wanted | undefined {
  const text = { type: "string" } as const;
  const flags = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  const ids = { type: "string", multiple: true } as const;
  const options = { cases: text, seed: text, case: ids, lanes: text, ...flags };
  let values: { cases?: string; seed?: string; case?: string[]; lanes?: string; json?: boolean; help?: boolean };
  let files: string[];
  try {
    ({ values, positionals: files } = parseArgs({ args, options, allowPositionals: true }));
  } catch (error) {
    throw new WrongUse((error as Error).message.split("\n")[0]);
  }
  if (values.help) return undefined;
  const stranger = files.find((file) => !existsSync(file));
  if (stranger !== undefined) throw new WrongUse(`there is no test file ${stranger}`);
  return {
    files,
    cases: wholeOption("cases", values.cases, { preset: undefined, most: Number.MAX_SAFE_INTEGER }),
    seed: wholeOption("seed", values.seed, { preset: 1, most: 2 ** 31 }),
    only: values.case ?? [],
    lanes: wholeOption("lanes", values.lanes, { preset: availableParallelism(), most: LANES_MAX }),
    json: values.json === true,
  };
}

/** @throws WrongUse for an id that is none. */
function chosen({ cases, seed, only }: Wanted): Mutant[] {
  const { bytes, names } = governorModule();
  const all = mutantsOf(bytes, names);
  const stranger = only.find((id) => !all.some((mutant) => mutant.id === id));
  if (stranger !== undefined) throw new WrongUse(`there is no mutant "${stranger}"`);
  if (only.length > 0) return all.filter(({ id }) => only.includes(id));
  const random = new Random(`mutants ${seed}`);
  const drawn = all.map((mutant) => ({ mutant, lot: random.below(2 ** 30) })).sort((a, b) => a.lot - b.lot);
  return drawn.slice(0, cases).map(({ mutant }) => mutant);
}

async function runLanes(
  mutants: readonly Mutant[],
  passes: readonly Pass[],
  lanes: number,
  progress: (line: string) => void,
): Promise<LaneResult> {
  const killed = new Array<number>(lanes).fill(0);
  let files = 0;
  const filesAll = lanes * passes.reduce((sum, pass) => sum + pass.files.length, 0);
  const tell = () => {
    const dead = killed.reduce((sum, count) => sum + count, 0);
    progress(`\r\x1b[K${dead} of ${mutants.length} mutants killed, ${files} of ${filesAll} files`);
  };
  const results = await Promise.all(
    killed.map((_, lane) => {
      const mine = mutants.filter((_, i) => i % lanes === lane).map(({ id }) => id);
      return runLane(mine, passes, {
        onKilled(count) {
          killed[lane] = count;
          tell();
        },
        onFile() {
          files++;
          tell();
        },
      });
    }),
  );
  progress("\r\x1b[K");
  return {
    killed: new Map(results.flatMap((result) => [...result.killed])),
    reached: new Set(results.flatMap((result) => [...result.reached])),
  };
}

type Row = { source: string; mutants: number; killed: number };
type Report = {
  ok: boolean;
  seed: number;
  mutants: number;
  killed: number;
  sources: Row[];
  kinds: Row[];
  survivors: { id: string; reached: boolean; because?: string }[];
  seconds: number;
};

function reportOf(mutants: readonly Mutant[], { killed, reached }: LaneResult, seed: number, seconds: number): Report {
  const rows = (names: readonly string[], nameOf: (mutant: Mutant) => string) =>
    names.map((source) => {
      const ofIt = mutants.filter((mutant) => nameOf(mutant) === source);
      return { source, mutants: ofIt.length, killed: ofIt.filter(({ id }) => killed.has(id)).length };
    });
  const sourceOf = ({ id }: Mutant) => id.slice(0, id.lastIndexOf("/"));
  const survivors = mutants
    .filter(({ id }) => !killed.has(id))
    .map(({ id }) => {
      const because = EQUIVALENT.find(({ ids }) => ids.includes(id))?.because;
      return { id, reached: reached.has(id), ...(because !== undefined && { because }) };
    });
  return {
    ok: survivors.every(({ because }) => because !== undefined),
    seed,
    mutants: mutants.length,
    killed: killed.size,
    sources: rows([...new Set(mutants.map(sourceOf))].sort(), sourceOf),
    kinds: rows(MUTANT_KINDS, ({ kind }) => kind),
    survivors: survivors.sort((a, b) => (a.id < b.id ? -1 : 1)),
    seconds,
  };
}

const columns = (first: string) => [
  { title: first },
  ...["mutants", "killed", "score"].map((title) => ({ title, right: true })),
];
const share = (part: number, whole: number) => (whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`);

function forPeople({ mutants, killed, sources, kinds, survivors, seconds }: Report): string {
  const rows = (list: Row[]) =>
    list.map((row) => [row.source, row.mutants, row.killed, share(row.killed, row.mutants)].map(String));
  const left = survivors.map(({ id, reached, because }) => [
    id,
    reached ? (because ?? "NOT EXPLAINED") : "no test comes there",
  ]);
  return [
    table(columns("source"), rows(sources)),
    table(columns("kind"), rows(kinds)),
    ...(left.length > 0 ? [table([{ title: "survivor" }, { title: "because" }], left)] : []),
    `${killed} of ${mutants} mutants killed (${share(killed, mutants)}) in ${Math.round(seconds)} s\n`,
  ].join("\n");
}
