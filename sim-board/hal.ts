/** What the board's parts do for the governor: `firmware/hal.ts`, from the other side. */
import type { BoardEvent } from "./events.ts";
import type { Hal } from "./governor-module.ts";
import type { Accelerator } from "./parts/accelerator.ts";
import type { Counter } from "./parts/counter.ts";
import type { Flash } from "./parts/flash.ts";
import type { Fuses } from "./parts/fuses.ts";
import type { Oscillator } from "./parts/oscillator.ts";
import type { Supply } from "./parts/supply.ts";
import type { Tamper } from "./parts/tamper.ts";
import type { Trng } from "./parts/trng.ts";

type Parts = {
  readonly flash: Flash;
  readonly fuses: Fuses;
  readonly counter: Counter;
  readonly oscillator: Oscillator;
  readonly trng: Trng;
  readonly tamper: Tamper;
  readonly accelerator: Accelerator;
  readonly supply: Supply;
  readonly nowNs: bigint;
};

/** `notice` is told what the gate was made to do. */
export function halOf(parts: Parts, notice: (event: BoardEvent) => void): Hal {
  const { flash, fuses, counter, oscillator, trng, tamper, accelerator, supply } = parts;
  return {
    flashRead: (address, destination) => flash.read(address, destination),
    flashProgram: (address, source) => flash.program(address, source),
    flashErase: (sector) => flash.erase(sector),
    flashSectors: () => flash.sectors,
    fuseRead: (word) => fuses.read(word),
    fuseBurn: (word, bits) => fuses.burn(word, bits),
    counterRead: () => counter.read(),
    counterStep: () => counter.step(),
    counterLife: () => counter.lifeSteps,
    ticks: () => oscillator.ticksAt(parts.nowNs),
    trngFill: (destination) => trng.fill(destination),
    tamperRead: () => tamper.read(),
    workRead: (engineClass) => accelerator.retiredOf(engineClass),
    deniedRead: (engineClass) => accelerator.deniedOf(engineClass),
    throttledRead: (engineClass) => accelerator.throttledOf(engineClass),
    gateGrant: (engineClass, amount) => {
      supply.operation("credit grant");
      accelerator.grant(engineClass, amount);
      notice({ kind: "granted", engineClass, amount });
    },
    creditRead: (engineClass) => accelerator.creditOf(engineClass),
    gateClose: () => {
      supply.operation("gate close");
      accelerator.close();
      notice({ kind: "closed" });
    },
  };
}
