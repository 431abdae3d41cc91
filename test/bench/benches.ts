/** All benchmarks by name. */
import { boot } from "./boot.ts";
import { crypto } from "./crypto.ts";
import { fleetBench } from "./fleet.ts";
import type { Bench } from "./frame.ts";
import { hostObjects } from "./host-objects.ts";
import { log } from "./log/log.ts";
import { meter } from "./meter.ts";
import { verifierScale } from "./verifier/scale.ts";
import { verifier } from "./verifier/verifier.ts";

export const BENCHES: ReadonlyMap<string, Bench> = new Map(
  Object.entries({
    boot,
    crypto,
    fleet: fleetBench,
    "host-objects": hostObjects,
    log,
    meter,
    verifier,
    "verifier-scale": verifierScale,
  }),
);
