/**
 * How long does a board's memory of what it spent last? Each record takes a step of a counter that ends, and a third of
 * an erase of a flash sector that wears. The simulator's own parts are stepped until one of them ends: the counter, the
 * journal's sectors in turn (docs/journal.md), and one sector that is erased for every record, as a design without
 * leveling would.
 */
import { type Static, Type } from "@sinclair/typebox";
import { PowerCut } from "../../sim-board/errors.ts";
import { COUNTER_PART, Counter } from "../../sim-board/parts/counter.ts";
import { FLASH_PART } from "../../sim-board/parts/flash.ts";
import { Supply } from "../../sim-board/parts/supply.ts";
import type { Json, Study } from "../study.ts";
import { DAY_SECONDS, quantity, share, whole } from "./quantities.ts";
import { cellRandom, uniform } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    recordSeconds: quantity("Time between two records; each takes one step of the counter", 60, 0.1, 1e7),
    counterSteps: whole("Steps of the counter's life", COUNTER_PART.lifeSteps, 1, 2 ** 22),
    sectorErases: whole("Erases that a sector is good for", FLASH_PART.enduranceErases, 1, 1e7),
    journalSectors: whole("Sectors that the journal's records go through in turn", 60, 2, 4096),
    recordsPerSector: whole("Places for a record in a sector", 3, 1, 16),
    cutShare: share("Part of the steps that a power cut comes into, at which this counter makes two", 0, 0, 0.5),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Cell = { readonly records: number; readonly erasesMost: number };

const NAME = "worn-out-board";
/** Julian. */
const YEAR_DAYS = 365.25;

export const wornOutBoard: Study<Parameters> = {
  name: NAME,
  title: "What ends first in a board that writes all day",
  parameters: PARAMETERS,
  metrics: [
    { name: "counterYears", unit: "y", meaning: "Until the counter has made its last step, stepped one by one." },
    { name: "counterYearsByFormula", unit: "y", meaning: "The same: steps × time between records." },
    { name: "unleveledDays", unit: "d", meaning: "Until one sector, erased for each record, has had all its erases." },
    {
      name: "sectorWearShareAtCounterEnd",
      unit: "1",
      meaning: "Erases of the most worn journal sector then, of its life.",
    },
    { name: "journalYears", unit: "y", meaning: "Until that sector has had all its erases, if the counter went on." },
    {
      name: "journalYearsByFormula",
      unit: "y",
      meaning: "The same: sectors × places × erases × time between records.",
    },
  ],
  cells: () => 1,
  run: (parameters, place): Json => {
    const random = cellRandom(NAME, place);
    const supply = new Supply();
    const counter = new Counter({ lifeSteps: parameters.counterSteps, supply });
    counter.stepsWhenCut = 2;
    const erases = new Uint32Array(parameters.journalSectors);
    let records = 0;
    for (; counter.read() < counter.lifeSteps; records++) {
      const at = records % (parameters.journalSectors * parameters.recordsPerSector);
      // A sector is erased just before its first place is written.
      if (at % parameters.recordsPerSector === 0) erases[at / parameters.recordsPerSector]!++;
      if (uniform(random) < parameters.cutShare) stepUnderCut(counter, supply);
      else counter.step();
    }
    return { records, erasesMost: erases.reduce((most, count) => Math.max(most, count), 0) };
  },
  merge: (parameters, cells) => {
    const { recordSeconds, counterSteps, sectorErases, journalSectors, recordsPerSector } = parameters;
    const { records, erasesMost } = cells[0] as Cell;
    const recordYears = recordSeconds / DAY_SECONDS / YEAR_DAYS;
    return {
      measures: {
        counterYears: records * recordYears,
        counterYearsByFormula: counterSteps * recordYears,
        unleveledDays: (sectorErases * recordSeconds) / DAY_SECONDS,
        sectorWearShareAtCounterEnd: erasesMost / sectorErases,
        journalYears: (records / (erasesMost / sectorErases)) * recordYears,
        journalYearsByFormula: journalSectors * recordsPerSector * sectorErases * recordYears,
      },
    };
  },
  estimate: ({ counterSteps }) => ({
    boards: 0,
    events: counterSteps,
    cpuSeconds: counterSteps * 6e-8,
    bytesResident: 65_536,
  }),
};

/** "In some power loss conditions, the counter may increment by a value of more than one": Microchip, ATECC608B. */
function stepUnderCut(counter: Counter, supply: Supply): void {
  supply.cutAfterOperations(0);
  try {
    counter.step();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
}
