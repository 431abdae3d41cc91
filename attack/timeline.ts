/**
 * A whole life of a device, lived once: the board before each of its steps, and every operation with its place. What
 * attacks it at some operation starts from the step before, and need not live all of it again.
 */
import { OrderAction } from "../firmware/protocol/claims.ts";
import { EngineClass } from "../firmware/protocol/classes.ts";
import { Command } from "../firmware/protocol/commands.ts";
import type { BoardSnapshot } from "../sim-board/board.ts";
import type { GovernorImage } from "../sim-board/governor-module.ts";
import type { Operation } from "../sim-board/parts/supply.ts";
import { phaseOf, Rig } from "./rig.ts";

/** From the factory on. Of its few journal sectors each comes to be erased again. */
const LIFE: readonly ((rig: Rig) => void)[] = [
  (rig) => void rig.board.powerOn(),
  (rig) => rig.must(rig.provision()),
  (rig) => rig.must(rig.syncTime()),
  (rig) => rig.must(rig.send(Command.LICENSE, rig.license())),
  (rig) => void rig.board.run(phaseOf(70)),
  (rig) => rig.must(rig.send(Command.REPORT)),
  (rig) => rig.obey(OrderAction.PAUSE),
  (rig) => rig.must(rig.send(Command.DRAIN_DONE)),
  (rig) => rig.restart(),
  (rig) => rig.must(rig.send(Command.DIAGNOSE)),
  (rig) => void rig.board.run(phaseOf(1, { work: new Map([[EngineClass.COPY, BASELINE / 4n]]) })),
  (rig) => rig.obey(OrderAction.RESUME),
  (rig) => rig.must(rig.send(Command.LICENSE, rig.license())),
  (rig) => void rig.board.run(phaseOf(40)),
  (rig) => rig.must(rig.send(Command.REPORT)),
];
const FLASH_SECTORS = 7;
/** Bytes that may be copied with the gate shut. */
const BASELINE = 10n ** 9n;

/** A step of the life: the board before it, what it did to the parts, and what was said to the device until then. */
export type Step = {
  readonly before: BoardSnapshot;
  readonly act: () => void;
  readonly operations: Operation[];
  readonly heard: readonly Uint8Array[];
};

/** An operation of the life: which step it is in, where in the step, and after how many of the step's bytes of flash. */
export type Place = {
  readonly step: Step;
  readonly index: number;
  readonly bytesBefore: number;
  readonly is: Operation;
};

export type Timeline = { readonly rig: Rig; readonly steps: readonly Step[]; readonly places: readonly Place[] };

/** No question is as long as that, and no signed object as short. */
const QUESTION_BYTES = 64;

/** Lives it. `image`: another governor than the one that ships. */
export function liveOnce(options: { image?: GovernorImage; seed?: number } = {}): Timeline {
  const rig = new Rig(
    { baseline: new Map([[EngineClass.COPY, BASELINE]]) },
    { flashSectors: FLASH_SECTORS, ...options },
  );
  const heard: Uint8Array[] = [];
  const stopHearing = rig.board.subscribe({
    observe(event) {
      if (event.kind === "request" && event.request.length > QUESTION_BYTES) heard.push(event.request);
    },
  });
  const steps = LIFE.map((live) => {
    const step: Step = { before: rig.board.snapshot(), act: () => live(rig), operations: [], heard: [...heard] };
    rig.board.supply.log = step.operations;
    step.act();
    return step;
  });
  rig.board.supply.log = undefined;
  stopHearing();
  return { rig, steps, places: steps.flatMap(placesOf) };
}

function placesOf(step: Step): Place[] {
  let bytesBefore = 0;
  return step.operations.map((is, index) => {
    const place = { step, index, bytesBefore, is };
    bytesBefore += is.flashBytes;
    return place;
  });
}
