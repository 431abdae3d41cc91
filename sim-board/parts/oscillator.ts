/**
 * The governor's only clock: ticks since power-up, from an oscillator that is never quite right. Exact in integers, so
 * that a run replays to the tick.
 *
 * Drift per day: OCXO 0.005 ppm, TCXO 1.5 to 3 ppm, plain MCU crystal 10 to 20 ppm, internal RC 2 % (20,000 ppm);
 * ageing about 1 ppm a year (makers' datasheets; shared figures, "Parts").
 */
import { BoardError } from "../errors.ts";

export type Drift =
  | { model: "none" }
  /** Fast by `ppm` parts in a million; slow if negative. */
  | { model: "constant"; ppm: number }
  /** `ppm` at manufacture, and `ppmPerYear` more each year. */
  | { model: "ageing"; ppm: number; ppmPerYear: number };

export type OscillatorSnapshot = { anchorNs: bigint; anchorPhase: bigint; speedPermille: bigint };

const NS_PER_YEAR = 31_556_952n * 1_000_000_000n;
/** Phase is counted in 1e-21 ticks: nanoseconds × parts in 1e9 × permille. */
const PHASE_PER_TICK = 10n ** 21n;
/** A clock that ages to a standstill never gets there. */
const DOUBLINGS_MOST = 64;

export class Oscillator {
  readonly hz: number;
  readonly drift: Drift;
  readonly #hz: bigint;
  readonly #rate: bigint;
  readonly #ageing: bigint;
  #anchorNs = 0n;
  #anchorPhase = 0n;
  #speedPermille = 1000n;

  constructor(options: { hz: number; drift?: Drift }) {
    this.hz = options.hz;
    this.drift = options.drift ?? { model: "none" };
    if (!Number.isInteger(this.hz) || this.hz < 1 || this.hz > 1_000_000) {
      throw new BoardError("board/option", `an oscillator of ${this.hz} Hz: 1 to 1,000,000 are supported`);
    }
    this.#hz = BigInt(this.hz);
    const ppm = this.drift.model === "none" ? 0 : this.drift.ppm;
    this.#rate = 1_000_000_000n + ppb(ppm);
    if (this.#rate <= 0n) throw new BoardError("board/option", `a drift of ${ppm} ppm runs backward`);
    this.#ageing = this.drift.model === "ageing" ? ppb(this.drift.ppmPerYear) : 0n;
  }

  /** Ticks since power-up. */
  ticksAt(nowNs: bigint): bigint {
    return this.#phaseAt(nowNs) / PHASE_PER_TICK;
  }

  /** First nanosecond at which `ticks` are reached; undefined while the oscillator stands still. */
  nsAtTicks(ticks: bigint): bigint | undefined {
    const step = this.#hz * this.#speedPermille * this.#rate;
    if (step === 0n) return undefined;
    const target = ticks * PHASE_PER_TICK;
    const straight = this.#anchorNs + ceilDivide(target - this.#anchorPhase, step);
    if (this.#ageing === 0n) return straight;
    // Ageing bends the line a little: enclose the nanosecond, then halve.
    let low = this.#anchorNs;
    let high = straight;
    for (let doublings = 0; this.#phaseAt(high) < target; doublings++) {
      if (doublings === DOUBLINGS_MOST) return undefined;
      low = high;
      high = this.#anchorNs + 2n * (high - this.#anchorNs) + 1n;
    }
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (this.#phaseAt(middle) < target) low = middle;
      else high = middle;
    }
    return high;
  }

  /** How far it is off at this time, in parts in a million, whichever way. */
  ppmOffAt(nowNs: bigint): number {
    const ppb = this.#rate + (this.#ageing * nowNs) / NS_PER_YEAR;
    return Math.abs(Number((ppb * this.#speedPermille) / 1000n - 1_000_000_000n)) / 1000;
  }

  /** Power-up: ticks begin at zero. */
  reset(nowNs: bigint): void {
    this.#anchorNs = nowNs;
    this.#anchorPhase = 0n;
  }

  /** Fault: somebody heats, cools or replaces the crystal. 1000 is nominal, 0 stands still. */
  setSpeed(permille: number, nowNs: bigint): void {
    if (!Number.isInteger(permille) || permille < 0) {
      throw new BoardError("board/option", `an oscillator speed of ${permille} permille`);
    }
    this.#anchorPhase = this.#phaseAt(nowNs);
    this.#anchorNs = nowNs;
    this.#speedPermille = BigInt(permille);
  }

  snapshot(): OscillatorSnapshot {
    return { anchorNs: this.#anchorNs, anchorPhase: this.#anchorPhase, speedPermille: this.#speedPermille };
  }

  restore(snapshot: OscillatorSnapshot): void {
    this.#anchorNs = snapshot.anchorNs;
    this.#anchorPhase = snapshot.anchorPhase;
    this.#speedPermille = snapshot.speedPermille;
  }

  #phaseAt(nowNs: bigint): bigint {
    const span = nowNs - this.#anchorNs;
    let weighted = span * this.#rate;
    if (this.#ageing !== 0n) {
      const squares = nowNs * nowNs - this.#anchorNs * this.#anchorNs;
      weighted += (this.#ageing * squares) / (2n * NS_PER_YEAR);
    }
    return this.#anchorPhase + this.#hz * this.#speedPermille * weighted;
  }
}

function ppb(ppm: number): bigint {
  if (!Number.isFinite(ppm)) throw new BoardError("board/option", `a drift of ${ppm} ppm`);
  return BigInt(Math.round(ppm * 1000));
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return a <= 0n ? a / b : (a + b - 1n) / b;
}
