/**
 * What an operator can try in order to run on: replay, withhold, cut the power, roll the flash back, set the clock. Each
 * ends with an attempt to work, and what the accelerator really did decides whether it was refused.
 */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import type { FlashImage } from "../../sim-board/parts/flash.ts";
import type { Phase } from "../../sim-board/workloads/types.ts";
import { decodeUsageReport } from "../objects/usage-report.ts";
import { parseSign1 } from "../protocol/cose.ts";
import { Refusal } from "../protocol/refusal.ts";
import { doneByAll } from "./books.ts";
import { must, type Site } from "./site.ts";
import type { Attempt } from "./teller.ts";
import { LEASE_SECONDS } from "./terms.ts";

/** What the operator kept from before the pause. */
export type Hoard = {
  license: Uint8Array;
  beacon: Uint8Array;
  flash: FlashImage;
  /** Fetched before the power is cut, to set the clock back to that time later. */
  timeProof?: Uint8Array;
};

const TRIAL_SECONDS = 30;

/** The order exists, the board has not got it: the operator runs on, and the next beacon names the order. */
export function withholdOrder(site: Site): Attempt {
  const { board } = site;
  board.advance(Math.min(TRIAL_SECONDS, secondsLeft(site) / 2));
  const refusal = codeOf(() => site.mailbox.beacon(site.verifiers.link.beacon()));
  board.withdraw();
  const code = refusal === ErrorCode.OK ? reasonOfClosing(site) : refusal;
  return {
    name: "withhold the order",
    refused: code === ErrorCode.GATE_ORDER_WITHHELD && isShut(site) && workTried(site, phaseOf(site)) === 0n,
    code,
    detail: "the next beacon names an order that never came: the gate drains and closes",
  };
}

/** Neither the order nor any beacon is carried: the lease lapses, and a hoarded beacon does not renew it. */
export function withholdBeacons(site: Site, hoard: Hoard): Attempt[] {
  const { board } = site;
  // Part of the license is kept back for the time after the lease.
  const phase = board.withdraw();
  const from = board.seconds;
  while (!isShut(site) && board.seconds - from < 2 * LEASE_SECONDS) board.advance(1);
  const after = Math.round(board.seconds - from);
  const reason = reasonOfClosing(site);
  const lapsed: Attempt = {
    name: "withhold order and beacons",
    refused: reason === ErrorCode.GATE_LEASE_LAPSED && isShut(site) && workTried(site, phase) === 0n,
    code: reason,
    detail: `the lease lapses ${after} s later, whatever is left of the license`,
  };
  const code = codeOf(() => site.mailbox.beacon(hoard.beacon));
  const stale: Attempt = {
    name: "replay a hoarded beacon",
    refused: code === ErrorCode.TIME_STALE && isShut(site) && workTried(site, phase) === 0n,
    code,
    detail: "it is older than the lease by the governor's own clock",
  };
  return [lapsed, stale];
}

/** From here on the order has arrived and the gate is shut. */
export function replayLicense(site: Site, hoard: Hoard): Attempt {
  const code = codeOf(() => site.mailbox.license(hoard.license));
  return judged(site, "replay the old license", code, "it is of the epoch before the order");
}

/** One party alone cannot lift what one party alone could order. */
export function resumeAlone(site: Site): Attempt {
  const notBeforeSeconds = site.board.agreementSeconds - 1;
  const request = { action: OrderAction.RESUME, notBeforeSeconds };
  const { bytes } = site.verifiers.order(request, site.parties.slice(0, 1));
  const code = codeOf(() => site.mailbox.order(bytes));
  return judged(site, "resume with one signature", code, "a resume takes two of the three parties");
}

export function cutPower(site: Site, hoard: Hoard): Attempt {
  // One for later: it answers the nonce of before the cut.
  hoard.timeProof = site.verifiers.link.timeProof(site.mailbox.timeChallenge());
  site.board.cutPower();
  site.board.powerOn();
  const code = codeOf(() => site.mailbox.license(hoard.license));
  return judged(site, "cut the power, offer the old license", code, "the journal remembers the pause");
}

/** After a power cut the board does not know the time, and takes only a proof on a nonce of its own. */
export function replayTimeProof(site: Site, hoard: Hoard): Attempt {
  const code = codeOf(() => {
    site.mailbox.timeChallenge();
    site.mailbox.timeProof(hoard.timeProof!);
  });
  return judged(site, "set the clock back by a hoarded proof", code, "it answers a nonce of before the power cut");
}

/** With the clock honestly set again, a beacon from before the order renews nothing. */
export function replayBeacon(site: Site, hoard: Hoard): Attempt {
  must("set the clock", site.agent.syncTime());
  const code = codeOf(() => site.mailbox.beacon(hoard.beacon));
  return judged(site, "set the clock back by a hoarded beacon", code, "it confirms the time before the order");
}

/** The flash of before the pause is put in, and after that the right one again. */
export function rollBackFlash(site: Site, hoard: Hoard): Attempt {
  const { board } = site;
  board.powerOff();
  const right = board.flash.image();
  board.flash.replace(hoard.flash);
  const code = board.powerOn();
  codeOf(() => site.mailbox.license(hoard.license));
  const attempt = judged(site, "roll the flash back", code, "the counter is ahead of the newest record");
  board.powerOff();
  board.flash.replace(right);
  board.powerOn();
  return attempt;
}

/** Refused if the governor named a reason, the gate is not open, and nothing was done. */
function judged(site: Site, name: string, code: number, detail: string): Attempt {
  const refused = code !== ErrorCode.OK && isShut(site) && workTried(site, phaseOf(site)) === 0n;
  return { name, refused, code, detail };
}

function isShut({ board }: Site): boolean {
  return board.gateState !== GateState.OPEN && board.gateState !== GateState.SLOWED;
}

/** Why the gate last left the open state, by the governor's own signed report; OK if it did not. */
function reasonOfClosing({ mailbox }: Site): number {
  const { transitions } = decodeUsageReport(parseSign1(mailbox.report().report).payload);
  const closings = transitions.filter(({ from }) => from === GateState.OPEN || from === GateState.SLOWED);
  return closings.at(-1)?.code ?? ErrorCode.OK;
}

/** Submits work of the job for a while; how much of it was done, beyond what a drain allows. */
function workTried(site: Site, phase: Phase | undefined): bigint {
  const { board } = site;
  if (!phase) return 0n;
  const before = doneByAll(site);
  board.submit(phase);
  board.advance(TRIAL_SECONDS);
  board.withdraw();
  const drain = site.agreement.drain;
  return doneByAll(site).reduce((sum, done, c) => (drain.has(c) ? sum : sum + done - before[c]!), 0n);
}

function phaseOf(site: Site): Phase | undefined {
  for (const phase of site.workload.phases()) if (phase.work.size > 0) return phase;
  return undefined;
}

function secondsLeft(site: Site): number {
  const { phase, elapsedNs } = site.board.accelerator;
  return phase ? phase.durationSeconds - Number(elapsedNs) / 1e9 : 0;
}

/** The governor's answer, as its code. */
function codeOf(step: () => void): number {
  try {
    step();
    return ErrorCode.OK;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}
