/** The story's sentences: what happened, with its numbers. */
import type { Board } from "../../sim-board/board.ts";
import type { Phase, Workload } from "../../sim-board/workloads/types.ts";
import { className, durationText, exactText, stateName, workText } from "../cli/names.ts";
import type { Agreement } from "../objects/agreement.ts";
import { decodeLicense } from "../objects/license.ts";
import { parseSign } from "../protocol/cose.ts";

/** From the recording's start to its end, gaps included. */
export function spanOf(workload: Workload): number {
  let at = 0;
  for (const { startSeconds, durationSeconds } of workload.phases())
    at = Math.max(at, startSeconds ?? 0) + durationSeconds;
  return at;
}

export function agreement({ parties, quorums }: Agreement): string {
  const names = parties.map(({ name }) => name).join(", ");
  const of = (quorum: number) => `${quorum} of ${parties.length}`;
  return `${names} sign: license ${of(quorums.license)}, pause ${of(quorums.pause)}, resume ${of(quorums.resume)}`;
}

export function board({ accelerator, governorBytes, image }: Board, ueid: Uint8Array): string {
  const size = `${exactText(image.bytes.length)} bytes, State ${exactText(governorBytes.state)}`;
  return `${accelerator.chip.title}, device ${short(ueid)}, governor ${short(image.sha256)} (${size})`;
}

export function license(number: number, bytes: Uint8Array, { parties, tickHz }: Agreement): string {
  const { payload, signatures } = parseSign(bytes);
  const { budget, ticksMax, epoch } = decodeLicense(payload);
  const names = signatures.map(({ kid }) => parties.find((party) => Buffer.compare(party.kid, kid!) === 0)?.name);
  const work = [...budget].map(([c, amount]) => `${workText(amount, c)} ${className(c)}`).join(", ");
  const time = durationText(Number(ticksMax) / tickHz);
  return `#${number} by ${names.join(" and ")}, epoch ${epoch}, at most ${time}: ${work}`;
}

export function pause(name: string, quorum: number, epoch: number, phase: Phase): string {
  return `${name} orders a pause (${quorum} signature), epoch ${epoch}, in the middle of ${phase.name}`;
}

export function checkpoint(phase: Phase | undefined, saved: boolean, seconds: number): string {
  if (!phase) return "the recording names no state: there is nothing to save";
  const amounts = [...phase.work].map(([c, amount]) => `${workText(amount, c)} ${className(c)}`).join(", ");
  return saved ? `saved in ${durationText(seconds)}: ${amounts}` : `NOT saved within the allowance: ${amounts}`;
}

export function gate(from: number, to: number, why = ""): string {
  return `${stateName(from)} → ${stateName(to)}${why && `: ${why}`}`;
}

export function resume(names: readonly string[], epoch: number, phase: Phase, hasCheckpoint: boolean): string {
  const from = hasCheckpoint ? " from the checkpoint" : "";
  return `${names.join(" and ")} lift the pause, epoch ${epoch}; ${phase.name} starts over${from}`;
}

export function jobDone(workload: Workload): string {
  const { steps, tokens, requests } = workload.totals.recorded;
  if (steps !== undefined)
    return `done: all ${exactText(steps)} steps${tokens ? `, ${exactText(tokens)} tokens` : ""} of the job`;
  return requests === undefined ? "done" : `done: all ${exactText(requests)} requests`;
}

function short(bytes: Uint8Array): string {
  return `${Buffer.from(bytes).toString("hex").slice(0, 12)}…`;
}
