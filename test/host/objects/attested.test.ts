/** Evidence and usage reports: verified at once, or read first and then judged by another thread. It is one verdict. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { decodeEvidence, signEvidence, verifyEvidence } from "../../../host/objects/evidence.ts";
import { decodeUsageReport, signUsageReport, verifyUsageReport } from "../../../host/objects/usage-report.ts";
import { ed25519Signer, parseSign1, type VerificationKey } from "../../../host/protocol/cose.ts";
import { checkSign1 } from "../../../host/protocol/cose-async.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";
import { damaged } from "../protocol/cbor-arbitrary.ts";
import { anyEvidence, anyUsageReport } from "./arbitrary.ts";

const attester = ed25519Signer(new Uint8Array(32).fill(1));
const impostor = { ...ed25519Signer(new Uint8Array(32).fill(2)), kid: attester.kid };

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
    verify: verifyEvidence as (bytes: Uint8Array, key: VerificationKey) => unknown,
    decode: decodeEvidence as (payload: Uint8Array) => unknown,
    aad: objectAad(ObjectType.EVIDENCE),
  },
  {
    name: "a usage report",
    signed: anyUsageReport.map((object) => ({ object: object as unknown, bytes: signUsageReport(object, attester) })),
    verify: verifyUsageReport,
    decode: decodeUsageReport,
    aad: objectAad(ObjectType.USAGE_REPORT),
  },
])("$name", ({ signed, verify, decode, aad }) => {
  async function readThenVerify(bytes: Uint8Array, { publicKey }: VerificationKey): Promise<unknown> {
    const message = parseSign1(bytes);
    const claims = decode(message.payload);
    await checkSign1(message, publicKey, aad);
    return claims;
  }

  it("is the same whichever way it is verified", async () => {
    await fc.assert(
      fc.asyncProperty(signed, async ({ object, bytes }) => {
        expect(verify(bytes, attester)).toEqual(object);
        expect(await readThenVerify(bytes, attester)).toEqual(object);
      }),
      { numRuns: 50 },
    );
  });

  it("is refused with COSE_SIGNATURE under another key that goes by the same name", async () => {
    const { bytes } = fc.sample(signed, 1)[0]!;
    for (const way of [verify, readThenVerify]) {
      expect(await outcome(() => way(bytes, impostor))).toBe(ErrorCode.COSE_SIGNATURE);
    }
  });

  it("is refused whichever way it is verified when it was damaged anywhere", async () => {
    const hurt = signed.chain(({ bytes }) => fc.tuple(fc.constant(bytes), damaged(fc.constant(bytes))));
    await fc.assert(
      fc.asyncProperty(hurt, async ([whole, bytes]) => {
        fc.pre(Buffer.compare(whole, bytes) !== 0);
        // Which code comes first differs, since one judges the signature first and the other the claims.
        expect(await outcome(() => verify(bytes, attester))).toBeGreaterThan(0);
        const kidStands = await outcome(() => Buffer.compare(parseSign1(bytes).kid!, attester.kid) === 0);
        // The kid is what the key is looked up by, so it is not judged once more.
        if (kidStands !== false) expect(await outcome(() => readThenVerify(bytes, attester))).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
  });
});
