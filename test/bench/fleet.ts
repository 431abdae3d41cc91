/**
 * `npm run bench -- fleet`: the life of a board (factory, agreement, license, work, reports, pause, resume) in fleets of
 * several sizes, against boards with a WebAssembly instance each; events a second; what a board at rest takes.
 */

import { readFileSync } from "node:fs";
import { hrtime } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BoardBank } from "../../fleet/boards/bank.ts";
import { fleet } from "../../fleet/studies/fleet/fleet.ts";
import type { FleetParameters } from "../../fleet/studies/fleet/parameters.ts";
import { Board } from "../../sim-board/board.ts";
import { parametersOf } from "../fleet/parameters.ts";
import { governorImage } from "../rig.ts";
import { type Bench, median, type Result } from "./frame.ts";

/** The largest is what a million takes a hundred of; QUIESCE_BENCH_BOARDS names others. */
const SIZES = (process.env.QUIESCE_BENCH_BOARDS ?? "100,1000,10000").split(",").map(Number);
/** Where figures mean nothing. */
const SIZES_FEW = [2, 4];
/** Boards with an instance each: the memories of more than 12,969 are refused, and of many they are slow to come. */
const ALONE = 100;
const ALONE_FEW = 2;

/** What `fleet/scenarios/million.json` runs, with fewer boards. */
function million(): FleetParameters {
  const file = new URL("../../fleet/scenarios/million.json", import.meta.url);
  return parametersOf(JSON.parse(readFileSync(file, "utf8")).parameters);
}

export const fleetBench: Bench = {
  about:
    "a board's whole life in fleets of several sizes, against an instance for each; events a second; bytes at rest",
  async run(progress, { rounds, batchMs }) {
    const [sizes, alone] = batchMs > 0 ? [SIZES, ALONE] : [SIZES_FEW, ALONE_FEW];
    const runs = Math.min(rounds, 3);
    const lives = new Map<number, Life>();
    const each: number[] = [];
    // In turns, so that whatever slows the machine slows all.
    for (let run = 0; run < runs; run++) {
      progress(`${alone} boards with an instance each, ${run + 1} of ${runs}`);
      each.push(await lifeOf(alone, 1).then(({ msPerBoard }) => msPerBoard));
      for (const size of sizes) {
        progress(`${size} boards, ${run + 1} of ${runs}`);
        const life = await lifeOf(size, size);
        const known = lives.get(size);
        if (!known || life.msPerBoard < known.msPerBoard) lives.set(size, life);
      }
    }
    const [least, most] = [lives.get(sizes[0]!)!, lives.get(sizes.at(-1)!)!];
    const count = (boards: number) => `${boards.toLocaleString("en-US")} boards`;
    return [
      result(`a board's life, ${count(sizes.at(-1)!)}`, "ms", most.msPerBoard, "an instance each", median(each)),
      ...sizes.slice(1).map((size) => {
        return result(
          `a board's life, ${count(size)}`,
          "ms",
          lives.get(size)!.msPerBoard,
          count(sizes[0]!),
          least.msPerBoard,
        );
      }),
      result(`events, ${count(sizes.at(-1)!)}`, "1/s", most.eventsPerSecond, count(sizes[0]!), least.eventsPerSecond),
      result("a board at rest", "B", most.bytesAtRest, "the target, 8 KiB", 8192),
      residentBytes(batchMs > 0 ? 1000 : 4),
    ];
  },
};

type Life = { readonly msPerBoard: number; readonly eventsPerSecond: number; readonly bytesAtRest: number };

async function lifeOf(boards: number, perCell: number): Promise<Life> {
  const base = million();
  const parameters = { ...base, boards: { ...base.boards, count: boards, perCell } };
  const begun = hrtime.bigint();
  const cells = [];
  for (let cell = 0; cell < fleet.cells(parameters); cell++) {
    cells.push(await fleet.run(parameters, { seed: "bench", cell }));
  }
  const ms = Number(hrtime.bigint() - begun) / 1e6;
  const { measures } = fleet.merge(parameters, cells);
  if (measures.resumed !== boards) throw new Error(`${measures.resumed} of ${boards} boards came to the end`);
  const events = measures.events! + measures.checks!;
  return { msPerBoard: ms / boards, eventsPerSecond: (events / ms) * 1000, bytesAtRest: measures.bytesAtRest! };
}

/** Of all that a board at rest keeps alive, its objects too, against one that has an instance. */
function residentBytes(boards: number): Result {
  const shape = { image: governorImage(), flashSectors: 6, invariants: "work" } as const;
  const ours = bytesFor(() => {
    const bank = new BoardBank({ ...shape, boards });
    for (let i = 0; i < boards; i++) {
      bank.manufacture(i, `${i}`);
      bank.take(i).powerOn();
      if (i === 0) bank.referTo(0);
    }
    return bank;
  });
  const few = Math.min(boards, ALONE);
  const theirs = bytesFor(() =>
    Array.from({ length: few }, (_, i) => {
      const board = new Board({ ...shape, seed: `${i}` });
      board.manufacture();
      board.powerOn();
      return board;
    }),
  );
  return result("a board at rest, all that it keeps alive", "B", ours / boards, "with an instance", theirs / few);
}

function bytesFor(make: () => unknown): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = () => {
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const made = make();
  const bytes = used() - before;
  if (made === undefined) throw new Error("nothing was made");
  return Math.max(1, bytes);
}

function result(name: string, unit: Result["unit"], ours: number, against: string, theirs: number): Result {
  return { name, unit, ours, against, theirs, ratio: ours / theirs };
}
