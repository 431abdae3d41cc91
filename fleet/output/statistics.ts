/**
 * What a handful of seeds says of a figure: mean, spread and the 95 % confidence interval of the mean by Student's t.
 * Only sums, square roots and one arc tangent, in a fixed order: the same digits everywhere.
 */

export interface Summary {
  /** How many values there were; at least 1. */
  readonly n: number;
  readonly mean: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** With n - 1 below; absent for a single value. */
  readonly standardDeviation?: number;
  /** Of the mean, two-sided; absent for a single value. */
  readonly ci95?: { readonly low: number; readonly high: number };
}

/** Of finite values; undefined where there are none. Throws `RangeError` for infinities and NaN. */
export function summarize(values: readonly number[]): Summary | undefined {
  const n = values.length;
  if (n === 0) return undefined;
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`statistics of ${value}: only finite numbers have any`);
  }
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0]!, sorted[n - 1]!];
  const mean = meanOf(values, min, max);
  const middle = n >> 1;
  const median = n % 2 === 1 ? sorted[middle]! : between(sorted[middle - 1]!, sorted[middle]!);
  if (n === 1) return { n, mean, median, min, max };
  const standardDeviation = deviationOf(values, mean, min, max);
  const half = finite(studentT975(n - 1) * (standardDeviation / Math.sqrt(n)));
  return {
    n,
    mean,
    median,
    min,
    max,
    standardDeviation,
    ci95: { low: finite(mean - half), high: finite(mean + half) },
  };
}

/** A power of two by which the values are of the order of 1, so that neither sums nor squares leave the doubles. */
function scaleOf(min: number, max: number): number {
  const most = Math.max(Math.abs(min), Math.abs(max));
  return most === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(most)));
}

/** From the least value on, so that equal values have exactly themselves as their mean. */
function meanOf(values: readonly number[], min: number, max: number): number {
  const scale = scaleOf(min, max);
  const least = min / scale;
  let sum = 0;
  for (const value of values) sum += value / scale - least;
  return Math.min(max, Math.max(min, (least + sum / values.length) * scale));
}

function deviationOf(values: readonly number[], mean: number, min: number, max: number): number {
  const scale = scaleOf(min, max);
  let squares = 0;
  for (const value of values) squares += (value / scale - mean / scale) ** 2;
  return finite(Math.sqrt(squares / (values.length - 1)) * scale);
}

function between(low: number, high: number): number {
  return low / 2 + high / 2;
}

/** The largest double stands for what lies beyond it. */
function finite(value: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));
}

const QUANTILES = new Map<number, number>();

/**
 * The 0.975 quantile of Student's t with `freedom` degrees of freedom (1 and up), to ten digits. By bisection of the
 * distribution's closed form: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
 */
export function studentT975(freedom: number): number {
  if (!Number.isInteger(freedom) || freedom < 1) throw new RangeError(`${freedom} degrees of freedom: 1 and up`);
  const known = QUANTILES.get(freedom);
  if (known !== undefined) return known;
  // 12.706… at one degree of freedom is the largest, the normal distribution's 1.959… the least.
  let [low, high] = [1.9, 13];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (within(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  const quantile = Number(high.toPrecision(10));
  QUANTILES.set(freedom, quantile);
  return quantile;
}

/** A(t|ν): the probability of a value between -t and t. */
function within(t: number, freedom: number): number {
  const cosine2 = freedom / (freedom + t * t);
  const sine = t / Math.sqrt(freedom + t * t);
  let term = 1;
  let sum = 1;
  if (freedom % 2 === 0) {
    for (let k = 2; k < freedom; k += 2) {
      term *= (cosine2 * (k - 1)) / k;
      sum += term;
    }
    return sine * sum;
  }
  const angle = Math.atan(t / Math.sqrt(freedom));
  if (freedom === 1) return (2 / Math.PI) * angle;
  for (let k = 3; k < freedom; k += 2) {
    term *= (cosine2 * (k - 1)) / k;
    sum += term;
  }
  return (2 / Math.PI) * (angle + sine * Math.sqrt(cosine2) * sum);
}
