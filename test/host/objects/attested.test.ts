/** Evidence and usage reports: verified at once, by another thread, or after they were read. It is one verdict. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { parseEvidence, signEvidence, verifyEvidence, verifyEvidenceAsync } from "../../../host/objects/evidence.ts";
import {
  parseUsageReport,
  signUsageReport,
  verifyUsageReport,
  verifyUsageReportAsync,
} from "../../../host/objects/usage-report.ts";
import { ed25519Signer } from "../../../host/protocol/cose.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";
import { damaged } from "../protocol/cbor-arbitrary.ts";
import { anyEvidence, anyUsageReport } from "./arbitrary.ts";

const attester = ed25519Signer(new Uint8Array(32).fill(1));
const stranger = ed25519Signer(new Uint8Array(32).fill(2));

/** What `act` gives, or the code that it is refused with. */
async function outcome(act: () => unknown): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe.each([
  {
    name: "evidence",
    signed: anyEvidence.map((object) => ({ object: object as unknown, bytes: signEvidence(object, attester) })),
    verify: verifyEvidence,
    verifyAsync: verifyEvidenceAsync,
    parse: parseEvidence,
  },
  {
    name: "a usage report",
    signed: anyUsageReport.map((object) => ({ object: object as unknown, bytes: signUsageReport(object, attester) })),
    verify: verifyUsageReport,
    verifyAsync: verifyUsageReportAsync,
    parse: parseUsageReport,
  },
])("$name", ({ signed, verify, verifyAsync, parse }) => {
  it("is the same whichever way it is verified", async () => {
    await fc.assert(
      fc.asyncProperty(signed, async ({ object, bytes }) => {
        const claimed = parse(bytes);
        expect(claimed.kid).toEqual(attester.kid);
        expect(claimed.claims).toEqual(object);
        expect(verify(bytes, attester)).toEqual(object);
        expect(await verifyAsync(bytes, attester)).toEqual(object);
        expect(claimed.verify(attester)).toEqual(object);
        expect(await claimed.verifyAsync(attester)).toEqual(object);
      }),
      { numRuns: 50 },
    );
  });

  it("is refused with COSE_KID under another's key, and with COSE_SIGNATURE under another key of that name", async () => {
    const { bytes } = fc.sample(signed, 1)[0]!;
    const impostor = { ...stranger, kid: attester.kid };
    for (const [key, code] of [
      [stranger, ErrorCode.COSE_KID],
      [impostor, ErrorCode.COSE_SIGNATURE],
    ] as const) {
      const ways = [
        () => verify(bytes, key),
        () => verifyAsync(bytes, key),
        () => parse(bytes).verify(key),
        () => parse(bytes).verifyAsync(key),
      ];
      expect(await Promise.all(ways.map(outcome))).toEqual(ways.map(() => code));
    }
  });

  it("is refused whichever way it is verified when it was damaged, with one code for both of those that verify first", async () => {
    const hurt = signed.chain(({ bytes }) => fc.tuple(fc.constant(bytes), damaged(fc.constant(bytes))));
    await fc.assert(
      fc.asyncProperty(hurt, async ([whole, bytes]) => {
        fc.pre(Buffer.compare(whole, bytes) !== 0);
        const code = await outcome(() => verify(bytes, attester));
        expect(code).toBeGreaterThan(0);
        expect(await outcome(() => verifyAsync(bytes, attester))).toBe(code);
        // Here the claims are read before the signature is judged: another code may come first.
        const late = await outcome(() => parse(bytes).verify(attester));
        expect(late).toBeGreaterThan(0);
        expect(await outcome(() => parse(bytes).verifyAsync(attester))).toBe(late);
      }),
      { numRuns: 150 },
    );
  });
});
