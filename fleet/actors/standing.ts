/** What the run keeps of one board beside the board itself: its agent's papers, and what was seen of its gate. */
import type { Phase } from "../../sim-board/workloads/types.ts";
import type { Enrolled } from "./office.ts";
import type { Strategy } from "./strategies.ts";

export interface Standing {
  readonly strategy: Strategy;
  enrolled: Enrolled | undefined;
  /** Whether licensed work flows, since when, and when it last ended. */
  flows: boolean;
  sinceMs: number;
  endedMs: number;
  /** When the gate last left its drain. */
  quietMs: number;
  everWorked: boolean;
  /** Whether the governor was given the time since power-up. */
  knowsTime: boolean;
  /** When the proof that was asked for comes; undefined while none is under way. */
  proofDueMs: number | undefined;
  /** What was left of the work when a pause took it off. */
  left: Phase | undefined;
  /** What runs: the work, its checkpoint, or nothing. */
  runs: "work" | "checkpoint" | "nothing";
  /** Whether a license was asked for and has not come. */
  isAsking: boolean;
  /** Whether one is to be asked for as soon as the time is known. */
  isRenewalDue: boolean;
  /** When the next renewal is due; undefined while one is under way. */
  renewMs: number | undefined;
  licenseBytes: Uint8Array[];
  /** Beacons that were kept, the oldest first. */
  hoard: { readonly issuedMs: number; readonly bytes: Uint8Array }[];
  /** How many of the office's orders have come to the agent. */
  ordersHeard: number;
  /** Orders that the board has yet to be given, or to take. */
  pending: Uint8Array[];
  /** When the board was switched on first, and when the newest beacon was issued that it was given. */
  madeMs: number;
  leaseMs: number;
  /** When it last heard the time. */
  beaconMs: number;
  /** Whether a beacon that was asked for is on its way. */
  freshAsked: boolean;
  /** Whether the newest order that its agent knows of is a pause, and he keeps to it: he asks for no license then. */
  isPaused: boolean;
  /** Epoch of the newest order that the agent has given to the board. */
  epoch: number;
  /** Counted operations at the pause; undefined before. */
  atPause: bigint | undefined;
  workedAtPause: boolean;
  /** Whether what came of the pause is in the books. */
  isJudged: boolean;
  /** How often its gate has closed after it. */
  stopsAfter: number;
  /** Counted operations when the job last saved itself. */
  saved: bigint;
  resumedMs: number | undefined;
}

/** Whether its chip was opened: it works from the start to the end, whatever its gate says. */
export function isOpened({ strategy }: Standing): boolean {
  return strategy.has("bypass-gate");
}

export function standingOf(strategy: Strategy): Standing {
  return {
    strategy,
    enrolled: undefined,
    flows: false,
    sinceMs: 0,
    endedMs: 0,
    quietMs: 0,
    everWorked: false,
    knowsTime: false,
    proofDueMs: undefined,
    left: undefined,
    runs: "nothing",
    isAsking: false,
    isRenewalDue: false,
    renewMs: undefined,
    licenseBytes: [],
    hoard: [],
    ordersHeard: 0,
    pending: [],
    madeMs: 0,
    leaseMs: 0,
    beaconMs: 0,
    freshAsked: false,
    isPaused: false,
    epoch: 0,
    atPause: undefined,
    workedAtPause: false,
    isJudged: false,
    stopsAfter: 0,
    saved: 0n,
    resumedMs: undefined,
  };
}
