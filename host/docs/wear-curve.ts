/**
 * The curve of `docs/journal.md`: what a slice length costs in counter life and flash wear, and what it puts at stake
 * in a power cut. Parts: Microchip ATECC608B (counter), Winbond W25Q64JV (flash), as the simulated board has them.
 */
import { FlashShape } from "../../firmware/protocol/board.ts";
import { markdownTable } from "./markdown.ts";

/** The parts that the figures stand on; a test holds them equal to the simulated board's. */
export const WEAR_PARTS = { counterLifeSteps: 2_097_151, sectorErases: 100_000, flashSectors: 64 } as const;
/** H100 SXM, dense FP8, from NVIDIA's datasheet. */
const OPERATIONS_PER_SECOND = 1.979e15;

const SLICE_SECONDS = [1, 10, 60, 120, 600, 3600];
const DAY_SECONDS = 86_400;
const YEAR_DAYS = 365.25;

/** Full rate all the time: a record every half slice. Nothing wears while nothing flows. */
export function wearCurve(): string {
  const sectors = WEAR_PARTS.flashSectors - FlashShape.JOURNAL_SECTOR;
  const recordsOfFlash = sectors * FlashShape.RECORDS_PER_SECTOR * WEAR_PARTS.sectorErases;
  return markdownTable(
    ["slice", "records a day", "counter lasts", "flash would last", "at stake in a power cut", "of a day's work"],
    SLICE_SECONDS.map((seconds) => {
      const recordsADay = DAY_SECONDS / (seconds / 2);
      return [
        `${seconds.toLocaleString("en-US")} s`,
        Math.round(recordsADay).toLocaleString("en-US"),
        spanOf(WEAR_PARTS.counterLifeSteps / recordsADay),
        spanOf(recordsOfFlash / recordsADay),
        `${(OPERATIONS_PER_SECOND * seconds).toExponential(2).replace("e+", "e")} operations`,
        `${Number(((100 * seconds) / DAY_SECONDS).toPrecision(2))} %`,
      ];
    }),
  );
}

function spanOf(days: number): string {
  if (days < 100) return `${days.toFixed(0)} days`;
  const years = days / YEAR_DAYS;
  return years < 100 ? `${years.toFixed(1)} years` : "over 100 years";
}
