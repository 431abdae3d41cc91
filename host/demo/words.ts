/** The story's sentences: what happened, with its numbers. */
import type { Board } from "../../sim-board/board.ts";
import type { Phase, Workload } from "../../sim-board/workloads/types.ts";
import { className, durationText, exactText, stateName, workText } from "../cli/names.ts";
import type { Agreement } from "../objects/agreement.ts";
import { decodeLicense } from "../objects/license.ts";
import { parseSign } from "../protocol/cose.ts";
import { signedBy, type VerifierHost } from "./verifiers.ts";

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

export function verifiers(hosts: readonly VerifierHost[]): string {
  if (hosts.length === 1) return "one, in this process, with the keys of all parties and of the time authority";
  const clock = hosts.find(({ tellsTime }) => tellsTime)!.name;
  return `${hosts.length} processes, each with its own party's key, store and books; ${clock}'s tells the time`;
}

export function license(
  number: number,
  bytes: Uint8Array,
  agreement: Agreement,
  hosts: readonly VerifierHost[],
): string {
  const { budget, ticksMax, epoch } = decodeLicense(parseSign(bytes).payload);
  const names = signedBy(bytes, agreement);
  const signers = hosts.length === 1 ? names.join(" and ") : `${possessive(names)} verifiers`;
  const work = [...budget].map(([c, amount]) => `${workText(amount, c)} ${className(c)}`).join(", ");
  const time = durationText(Number(ticksMax) / agreement.tickHz);
  return `#${number} by ${signers}, epoch ${epoch}, at most ${time}: ${work}`;
}

/** How an order got around among verifiers; nothing where there is one. */
export function order(signers: readonly string[], hosts: readonly VerifierHost[]): string | undefined {
  if (hosts.length === 1) return undefined;
  const others = hosts.filter(({ parties }) => !parties.includes(signers.at(-1)!)).map(({ name }) => name);
  const [first, ...rest] = signers;
  const way = [`drafted and signed at ${first}'s verifier`, ...rest.map((name) => `signed at ${name}'s`)];
  return `${way.join(", ")}; ${possessive(others)} verify it and take it over`;
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

/** "North's and South's". */
function possessive(names: readonly string[]): string {
  return names.map((name) => `${name}'s`).join(" and ");
}

function short(bytes: Uint8Array): string {
  return `${Buffer.from(bytes).toString("hex").slice(0, 12)}…`;
}
