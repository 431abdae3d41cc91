/** What does not depend on any board: who can be reached when, and what the parties do when, in one region. */
import type { FleetAction, FleetParameters } from "../studies/fleet/parameters.ts";
import type { Ms } from "./queue.ts";

type Side = "verifier" | "time";

export interface Outage {
  readonly fromMs: Ms;
  readonly toMs: Ms;
  readonly of: Side | "all";
  /** Of 1,000 boards, those whose draw is below it. */
  readonly permille: number;
}

export class World {
  readonly actions: readonly FleetAction[];
  readonly outages: readonly Outage[];
  readonly endMs: Ms;
  /**
   * When work was first told to stop or to slow down, and when that was lifted: by a resume, a pause by an order to slow
   * too. Undefined where nobody says so.
   */
  readonly pauseMs: Ms | undefined;
  readonly resumeMs: Ms | undefined;

  constructor({ timeline, outages, durationSeconds }: FleetParameters, region: number) {
    const here = <T extends { region?: number }>({ region: only }: T) => only === undefined || only === region;
    this.actions = timeline.filter(here).sort((a, b) => a.atSeconds - b.atSeconds);
    this.outages = outages.filter(here).map(({ fromSeconds, seconds, of, permille }) => {
      return { fromMs: fromSeconds * 1000, toMs: (fromSeconds + seconds) * 1000, of, permille };
    });
    this.endMs = durationSeconds * 1000;
    const place = this.actions.findIndex(({ do: what }) => what !== "resume");
    const first = this.actions[place];
    const lifts = ({ do: what }: FleetAction) => what === "resume" || (what === "slow" && first?.do === "pause");
    const lifted = first && this.actions.slice(place + 1).find(lifts);
    this.pauseMs = first && first.atSeconds * 1000;
    this.resumeMs = lifted && lifted.atSeconds * 1000;
  }

  /** The first resume after this time. */
  nextResumeMs(nowMs: Ms): Ms | undefined {
    const resume = this.actions.find(({ do: what, atSeconds }) => what === "resume" && atSeconds * 1000 > nowMs);
    return resume && resume.atSeconds * 1000;
  }

  /** When a board that drew this may reach that side again: now, unless there is an outage. */
  reachableMs(side: Side, draw: number, nowMs: Ms): Ms {
    let at = nowMs;
    for (let moved = true; moved; ) {
      moved = false;
      for (const { fromMs, toMs, of, permille } of this.outages) {
        if ((of !== "all" && of !== side) || draw >= permille || at < fromMs || at >= toMs) continue;
        at = toMs;
        moved = true;
      }
    }
    return at;
  }

  /** Whether the parties sign no more of it: from a `stop-…` to the next resume. */
  isStopped(what: "stop-licenses" | "stop-beacons", nowMs: Ms): boolean {
    let stopped = false;
    for (const action of this.actions) {
      if (action.atSeconds * 1000 > nowMs) break;
      if (action.do === what) stopped = true;
      if (action.do === "resume") stopped = false;
    }
    return stopped;
  }

  /** Whether an order to pause is in force. */
  isPaused(nowMs: Ms): boolean {
    let paused = false;
    for (const action of this.actions) {
      if (action.atSeconds * 1000 > nowMs) break;
      if (action.do === "pause") paused = true;
      if (action.do === "resume" || action.do === "slow") paused = false;
    }
    return paused;
  }
}
