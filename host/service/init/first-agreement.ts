/** The first agreement of a new verifier: who the parties are, and terms that suit a start. All of it can be amended. */
import type { EngineClass } from "../../../firmware/protocol/classes.ts";
import type { Agreement, Cap, Member, Quorums } from "../../objects/agreement.ts";
import { isByteClass } from "../../policy/classes.ts";

export interface AgreementWish {
  readonly name: string;
  readonly parties: readonly Member[];
  readonly timeAuthorities: readonly Member[];
  /** Those that are not named follow from the number of parties. */
  readonly quorums: Partial<Quorums>;
  /** The fastest that each class may run, in work per tick. */
  readonly ratesMax: ReadonlyMap<EngineClass, bigint>;
  readonly leaseSeconds: number;
  /** The longest that one license may last. */
  readonly licenseSeconds: number;
  /** Whether licenses without a nonce are taken: for sites without a network. */
  readonly offline: boolean;
}

const TICK_HZ = 1000;
const DRIFT_PPM = 100;
/** Ten seconds of work may be lost to a power cut. */
const SLICE_TICKS = 10_000n;
/** Two minutes to save a checkpoint: memory and links as fast as they may, tensors not at all. */
const DRAIN_TICKS = 120_000n;
const U64_MAX = 2n ** 64n - 1n;

export function firstAgreement(wish: AgreementWish): Agreement {
  const { parties, timeAuthorities, ratesMax } = wish;
  const licenseTicksMax = BigInt(wish.licenseSeconds * TICK_HZ);
  const caps = new Map<EngineClass, Cap>(
    [...ratesMax].map(([engineClass, rateMax]) => [engineClass, { budgetMax: rateMax * licenseTicksMax, rateMax }]),
  );
  const drained = [...ratesMax].filter(([engineClass]) => isByteClass(engineClass));
  return {
    version: 1,
    name: wish.name,
    parties,
    quorums: { ...usualQuorums(parties.length), ...wish.quorums },
    timeAuthorities,
    timeQuorum: timeAuthorities.length,
    caps,
    tickHz: TICK_HZ,
    driftPpm: DRIFT_PPM,
    leaseSeconds: wish.leaseSeconds,
    licenseTicksMax,
    sliceTicks: SLICE_TICKS,
    drain: new Map(drained.map(([engineClass, rate]) => [engineClass, least(rate * DRAIN_TICKS, U64_MAX)])),
    drainTicksMax: DRAIN_TICKS,
    offline: wish.offline,
    svnLeast: 0,
  };
}

/** Anyone may pause; it takes a majority to license or to lift a pause, and all to change the firmware or the agreement. */
function usualQuorums(parties: number): Quorums {
  const majority = Math.floor(parties / 2) + 1;
  return { license: majority, pause: 1, resume: majority, update: parties, amend: parties };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
