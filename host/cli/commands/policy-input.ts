/** What `quiesce policy` is given: policies by name or file, agreements, fleets, quantities; wrong ones are wrong use. */
import { readFileSync, statSync } from "node:fs";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { ACCELERATORS, peakPerSecond } from "../../../sim-board/accelerators.ts";
import { type Agreement, decodeAgreement } from "../../objects/agreement.ts";
import { PolicyError } from "../../policy/errors.ts";
import { type BoardKind, type Fleet, parseFleet } from "../../policy/fleet.ts";
import type { LeakTerms } from "../../policy/leak-limits.ts";
import type { Policy } from "../../policy/policy.ts";
import { PRESETS } from "../../policy/presets.ts";
import { parseQuantity, type QuantityKind } from "../../policy/quantity.ts";
import { readPolicy } from "../../policy/read-policy.ts";
import { parseSign } from "../../protocol/cose.ts";
import { wrongUse } from "../exit.ts";
import { readObject } from "../input.ts";

/** Longest policy file; the reader has its own bound in characters. */
const FILE_BYTES_MAX = 1_048_576;

/** What `read` gives; a `PolicyError` becomes wrong use, in one line. */
export function asUse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PolicyError) throw wrongUse(`${error.code}: ${error.message}`, error);
    throw error;
  }
}

/** A preset by its name, or else a file. */
export function loadPolicy(nameOrPath: string): Policy {
  return PRESETS.get(nameOrPath) ?? asUse(() => readPolicy(readText(nameOrPath)));
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX) throw wrongUse(`${path} has over ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && cause.name === "CliError") throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "there is no such preset (`quiesce policy list`) and no such file" : code;
    throw wrongUse(`${path} cannot be read: ${why}`, cause);
  }
}

/** Its terms alone are used: whether the right parties signed, `quiesce agreement inspect` says. */
export function loadAgreement(path: string): Agreement {
  return decodeAgreement(parseSign(readObject(path)).payload);
}

export function quantityOption(text: string, kind: QuantityKind, option: string): bigint {
  return asUse(() => parseQuantity(text, kind, option));
}

/** Nominal: 10^15 operations a second in 16 bits, as published figures reckon. */
const NOMINAL: BoardKind = {
  name: "h100-equivalent",
  peakPerSecond: new Map([[EngineClass.TENSOR_BF16, 10n ** 15n]]),
};

export function fleetOption(text: string): Fleet {
  const known = [...ACCELERATORS.keys(), NOMINAL.name].join(", ");
  return asUse(() => parseFleet(text, boardKindOf, known));
}

/** A tensor class that the maker states no rate for is not built in; a vector rate that is not stated is unknown. */
export function boardKindOf(name: string): BoardKind | undefined {
  if (name === NOMINAL.name) return NOMINAL;
  const chip = ACCELERATORS.get(name);
  if (!chip) return undefined;
  const peaks = Array.from(
    { length: EngineClass.COUNT },
    (_, c) => [c as EngineClass, peakPerSecond(chip, c)] as const,
  );
  const known = peaks.filter(([engineClass, peak]) => peak > 0 || engineClass !== EngineClass.VECTOR);
  return { name, peakPerSecond: new Map(known.map(([c, peak]) => [c, BigInt(Math.round(peak))])) };
}

const TICK_HZ = 1000;
const SLICE_TICKS = 10_000n;

/**
 * Terms where no agreement is given: every class that the fleet has at its peak, a lease of five minutes, slices of ten
 * seconds, an oscillator within 100 ppm; no drain, no baseline, online licenses of any length and budget.
 */
export function nominalTerms(fleet: Fleet): LeakTerms {
  const rates = new Map<EngineClass, bigint>();
  for (const { board } of fleet) {
    for (const [engineClass, peak] of board.peakPerSecond) {
      if (peak === 0n) continue;
      const rate = peak / BigInt(TICK_HZ) + 1n;
      if (rate > (rates.get(engineClass) ?? 0n)) rates.set(engineClass, rate);
    }
  }
  return {
    caps: new Map([...rates].map(([engineClass, rateMax]) => [engineClass, { budgetMax: 2n ** 128n - 1n, rateMax }])),
    tickHz: TICK_HZ,
    driftPpm: 100,
    leaseSeconds: 300,
    licenseTicksMax: 2n ** 56n,
    sliceTicks: SLICE_TICKS,
    drain: new Map(),
    drainTicksMax: 0n,
    offline: false,
  };
}
