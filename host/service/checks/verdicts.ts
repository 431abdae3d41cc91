/** What was concluded of evidence: about this evidence, of this device, at this time. */
import { decodeEar, GOVERNOR } from "../../rats/ear.ts";
import type { Check } from "../../store/fsck.ts";
import { rowPages } from "../../store/pages.ts";
import { sameBytes } from "../../verifier/bytes.ts";
import { VERIFIER_ERRORS } from "../../verifier/errors.ts";
import { unsealed } from "../bytes-io.ts";
import { readOf } from "./read.ts";
import { found, type RowOf } from "./rows.ts";

export const verdicts: Check = {
  name: "verdicts",
  async *run({ db }) {
    for await (const page of rowPages(db, "verdicts")) {
      const rows = page as unknown as readonly RowOf<"verdicts">[];
      const ids = [...new Set(rows.map(({ device_id }) => device_id))];
      const devices = await db.selectFrom("devices").select(["id", "ueid"]).where("id", "in", ids).execute();
      const ueids = new Map(devices.map(({ id, ueid }) => [id, ueid]));
      for (const row of rows) {
        const ueid = ueids.get(row.device_id);
        const expected = ueid && { evidenceDigest: row.evidence_digest, ueid, judgedMs: row.judged_ms };
        if (!expected) continue;
        for (const message of verdictFaults(row.claims, expected)) yield found("verdicts", row, message);
      }
    }
  },
};

export interface ExpectedVerdict {
  readonly evidenceDigest: Uint8Array;
  readonly ueid: Uint8Array;
  readonly judgedMs: number;
  /** Of evidence that was answered, and so was good. */
  readonly purpose?: "license" | "recovery";
}

export function* verdictFaults(stored: Uint8Array, expected: ExpectedVerdict): Generator<string> {
  const read = readOf(() => decodeEar(unsealed(stored)));
  if ("fault" in read) {
    yield `its verdict: ${read.fault}`;
    return;
  }
  const { issuedAtSeconds, submods } = read.value;
  const governor = submods.get(GOVERNOR);
  if (!governor?.evidenceDigest || !sameBytes(governor.evidenceDigest, expected.evidenceDigest)) {
    yield "its verdict is on other evidence";
  }
  if (!governor?.ueid || !sameBytes(governor.ueid, expected.ueid)) yield "its verdict is on another device";
  if (issuedAtSeconds !== Math.floor(expected.judgedMs / 1000)) yield `its verdict is of ${issuedAtSeconds} s`;
  if (expected.purpose === undefined) {
    const refusal = governor?.refusal;
    if (refusal !== undefined && !Object.hasOwn(VERIFIER_ERRORS, refusal)) yield `there is no refusal ${refusal}`;
    return;
  }
  if (governor?.purpose !== expected.purpose) yield `its verdict is for a ${governor?.purpose}`;
  if (governor?.refusal !== undefined) yield `its verdict is ${governor.refusal}`;
}
