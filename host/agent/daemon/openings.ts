/** Shows verifiers the intervals that they ask for: the agent keeps those of its newest reports. */
import type { Circle } from "../../client/circle.ts";
import { decodeIntervals } from "../../objects/intervals.ts";
import { encodeOpening, openInterval } from "../../objects/opening.ts";
import type { OpeningWanted } from "../../service/service.ts";
import { AgentError } from "../errors.ts";
import { failureOf, type Outcome } from "../outcome.ts";
import type { BoardStore } from "./board-store.ts";

/** In one round, of one verifier. */
const OPENINGS_MAX = 64;

/** Undefined where nobody wants any. A verifier that fails holds up no other. */
export async function answerOpenings(
  circle: Circle,
  store: BoardStore,
  ueid: Uint8Array,
): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  for (const { client } of circle.members) {
    try {
      for (const wanted of (await client.openingsWanted(ueid)).slice(0, OPENINGS_MAX)) {
        await client.open(await openingOf(store, wanted));
        outcome ??= { ok: true };
      }
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      // A verifier that does not know the board yet wants nothing of it.
      if (failure.code !== "device/unknown" && outcome?.ok !== false) outcome = failure;
    }
  }
  return outcome;
}

async function openingOf(store: BoardStore, { ueid, reportSequence, index }: OpeningWanted): Promise<Uint8Array> {
  const report = await store.report(reportSequence);
  const intervals = report && decodeIntervals(report.intervals);
  if (!intervals || index >= intervals.length) throw new AgentError("agent/report-lost", `report ${reportSequence}`);
  return encodeOpening(openInterval({ ueid, sequence: reportSequence }, intervals, index));
}
