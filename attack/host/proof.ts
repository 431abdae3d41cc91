/** What attacks do on the accelerator, and what proves that they came to nothing. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { stateName } from "../../sim-board/invariants/names.ts";
import type { Phase } from "../../sim-board/workloads/types.ts";
import { AttackSucceeded } from "../campaign.ts";
import { phaseOf, type Rig } from "../rig.ts";

export const BF16 = EngineClass.TENSOR_BF16;
export const COPY = EngineClass.COPY;

/** A license of ten seconds of work. */
export const SMALL = { budget: new Map([[BF16, 10n ** 15n]]) };

/** @throws AttackSucceeded if it does not hold. */
export function hold(condition: boolean, otherwise: string): void {
  if (!condition) throw new AttackSucceeded(otherwise);
}

/** Keeps the accelerator busy for so long, whatever comes of it. How much of each class was done. */
export function work(rig: Rig, seconds: number, change: Partial<Phase> = {}): bigint[] {
  const before = doneByAll(rig);
  rig.board.withdraw();
  rig.board.submit(phaseOf(seconds, change));
  rig.board.advance(seconds);
  rig.board.withdraw();
  return doneByAll(rig).map((done, c) => done - before[c]!);
}

/** Tensor work alone. */
export function tensorWork(rig: Rig, seconds: number): bigint {
  return work(rig, seconds, { work: new Map([[BF16, BigInt(seconds) * 10n ** 14n]]) })[BF16]!;
}

/** Tries a minute of tensor work. @throws AttackSucceeded if any of it is done. */
export function nothingWorks(rig: Rig): void {
  const done = tensorWork(rig, 60);
  hold(done === 0n, `${done} operations were done`);
}

/** @throws AttackSucceeded if a class has done more than this since manufacture. */
export function atMost(rig: Rig, most: bigint, what: string): void {
  const done = rig.done(BF16);
  hold(done <= most, `${done} operations were done: ${what} allows ${most}`);
}

/** What the gate is in. */
export function gate(rig: Rig): string {
  return stateName(rig.board.gateState);
}

/** Different answers, in the order in which they came first. */
export function distinct(answers: Iterable<string>): string[] {
  return [...new Set(answers)];
}

function doneByAll(rig: Rig): bigint[] {
  return Array.from({ length: EngineClass.COUNT }, (_, c) => rig.done(c));
}
