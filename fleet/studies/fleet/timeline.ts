/** What the parties do must be in time, in a region that there is, in an order, and must lift what it says it lifts. */
import type { Misfit } from "../../study.ts";
import { wrongOf } from "./misfits.ts";
import type { FleetAction, FleetParameters } from "./parameters.ts";

type Placed = { readonly region?: number };

export function timelineMisfits(parameters: FleetParameters): Misfit[] {
  return [
    ...parameters.timeline.flatMap((_, i) => actionMisfits(parameters, i)),
    ...parameters.outages.flatMap((_, i) => outageMisfits(parameters, i)),
  ];
}

function actionMisfits({ timeline, boards, durationSeconds }: FleetParameters, place: number): Misfit[] {
  const action = timeline[place]!;
  const { atSeconds, permille } = action;
  const path = `timeline[${place}]`;
  const twin = timeline.slice(0, place).findIndex((one) => isUnordered(one, action));
  return wrongOf([
    regionCase(path, action, boards),
    {
      path: `${path}.atSeconds`,
      value: atSeconds,
      allowed: `must be at most durationSeconds, ${durationSeconds}`,
      isWrong: atSeconds > durationSeconds,
    },
    {
      path: `${path}.atSeconds`,
      value: atSeconds,
      allowed: `must be another second than that of timeline[${twin}]: which of the two comes first is not said`,
      isWrong: twin >= 0,
    },
    {
      path: `${path}.do`,
      value: action.do,
      allowed: "must come after what it lifts, in a region of that",
      isWrong: action.do === "resume" && !timeline.some((one) => isInForce(one, action, timeline)),
    },
    {
      path: `${path}.permille`,
      value: permille ?? null,
      allowed: "goes with slow, and only with it",
      isWrong: (action.do === "slow") !== (permille !== undefined),
    },
  ]);
}

function outageMisfits({ outages, boards, durationSeconds }: FleetParameters, place: number): Misfit[] {
  const outage = outages[place]!;
  const path = `outages[${place}]`;
  return wrongOf([
    regionCase(path, outage, boards),
    {
      path: `${path}.fromSeconds`,
      value: outage.fromSeconds,
      allowed: `must be at most durationSeconds, ${durationSeconds}`,
      isWrong: outage.fromSeconds > durationSeconds,
    },
  ]);
}

function regionCase(path: string, { region }: Placed, { regions }: FleetParameters["boards"]) {
  return {
    path: `${path}.region`,
    value: region ?? null,
    allowed: `must be below boards.regions, ${regions}`,
    isWrong: region !== undefined && region >= regions,
  };
}

/** Whether there is a region that both are about. */
function meet(a: Placed, b: Placed): boolean {
  return a.region === undefined || b.region === undefined || a.region === b.region;
}

/** Orders of one second, and an end of signing in the second of a resume. */
function isUnordered(one: FleetAction, other: FleetAction): boolean {
  if (one.atSeconds !== other.atSeconds || !meet(one, other)) return false;
  const isOrder = ({ do: what }: FleetAction) => !what.startsWith("stop-");
  return (isOrder(one) && isOrder(other)) || one.do === "resume" || other.do === "resume";
}

/** Whether there is a region where this resume finds that one not lifted yet. */
function isInForce(one: FleetAction, resume: FleetAction, timeline: readonly FleetAction[]): boolean {
  if (one.do === "resume" || one.atSeconds >= resume.atSeconds || !meet(one, resume)) return false;
  return !timeline.some(({ do: what, atSeconds, region }) => {
    const isBetween = one.atSeconds < atSeconds && atSeconds < resume.atSeconds;
    return what === "resume" && isBetween && [undefined, one.region, resume.region].includes(region);
  });
}
