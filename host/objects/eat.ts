/** What evidence, usage reports and recoveries have in common: the EAT profile (RFC 9711 section 6), and two claims. */
import { Claim } from "../../firmware/protocol/claims.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import type { CborValue } from "../protocol/cbor.ts";
import type { Claims } from "./claims.ts";

export const EAT_PROFILE = "urn:x-quiesce:eat:1";

/** Where a chain of reports stands: sequence of the newest, and its digest. */
export interface ReportHead {
  /** 0 before the first report. */
  readonly sequence: bigint;
  /** 32 zero bytes before the first report. */
  readonly digest: Uint8Array;
}

/** Between what the agreement time lies. */
export interface TimeBounds {
  readonly lowerMs: number;
  readonly upperMs: number;
}

export const NO_REPORT: ReportHead = { sequence: 0n, digest: new Uint8Array(Limit.DIGEST_BYTES) };

export function timeBoundsValue(bounds: TimeBounds | null): CborValue {
  return bounds && [bounds.lowerMs, bounds.upperMs];
}

export function readTimeBounds(claims: Claims): TimeBounds | null {
  if (claims.isNull(Claim.TIME_BOUNDS)) return null;
  const bounds = claims.array(Claim.TIME_BOUNDS, 2);
  return { lowerMs: bounds.ms(0), upperMs: bounds.ms(1) };
}

export function readReportHead(claims: Claims): ReportHead {
  const head = claims.array(Claim.REPORT_HEAD, 2);
  return { sequence: head.u64(0), digest: head.digest(1) };
}
