/**
 * Usage reports as an agent uploads them, `application/vnd.quiesce.reports+cbor`: many at once, in the order in which
 * they are to be taken, each with its intervals or without. CDDL: docs/protocol.md.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { encode } from "../protocol/cbor.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { ReportItem } from "../service/service.ts";
import { decodeBody } from "./body.ts";
import { Claims } from "./claims.ts";
import { INTERVAL_BYTES } from "./intervals.ts";

export const REPORT_BATCH_MAX = 256;

/** Room for 256 reports of the longest kind with all their intervals; the array, and three items for each. */
export const REPORT_BATCH_BOUNDS = { bytesMax: 2 * 1024 * 1024, itemsMax: 1 + 3 * REPORT_BATCH_MAX } as const;

const REPORT = 0;
const INTERVALS = 1;
const WHAT = "batch of reports";

/** Throws a `Refusal` for what `decodeReportBatch` would refuse. */
export function encodeReportBatch(items: readonly ReportItem[]): Uint8Array {
  const body = encode(items.map(({ report, intervals }) => [report, intervals ?? null]));
  decodeReportBatch(body);
  return body;
}

/** Throws a `Refusal`: of the CBOR codes for its form. The reports are not looked into. */
export function decodeReportBatch(body: Uint8Array): ReportItem[] {
  const value = decodeBody(body, WHAT, REPORT_BATCH_BOUNDS);
  if (!Array.isArray(value)) throw new Refusal(ErrorCode.CBOR_TYPE, `the ${WHAT} is not an array`);
  if (value.length < 1 || value.length > REPORT_BATCH_MAX) {
    throw new Refusal(
      ErrorCode.CBOR_TYPE,
      `the ${WHAT} has ${value.length} reports instead of 1 to ${REPORT_BATCH_MAX}`,
    );
  }
  const items = new Claims(value, ErrorCode.CBOR_TYPE, WHAT);
  return value.map((_, index) => {
    const item = items.array(index, 2);
    return {
      report: item.bytes(REPORT, 1, Limit.MESSAGE_BYTES_MAX),
      intervals: item.isNull(INTERVALS) ? undefined : item.bytes(INTERVALS, 0, Limit.INTERVALS_MAX * INTERVAL_BYTES),
    };
  });
}
