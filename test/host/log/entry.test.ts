/** The log's entries: to and fro, nothing else taken, and the devices that they name. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import {
  commitmentOf,
  decodeEntry,
  ENTRY_BYTES_MAX,
  encodeEntry,
  entrySubjects,
  type LogEntry,
  type LoggedType,
  subjectKey,
  subjectsOf,
} from "../../../host/log/entry.ts";
import { encodeAgreement } from "../../../host/objects/agreement.ts";
import { encodeLicense } from "../../../host/objects/license.ts";
import { encodeOrder } from "../../../host/objects/order.ts";
import { signQuorum } from "../../../host/objects/quorum.ts";
import { encodeRecovery } from "../../../host/objects/recovery.ts";
import { type CborValue, encode } from "../../../host/protocol/cbor.ts";
import { ed25519Signer } from "../../../host/protocol/cose.ts";
import { hex } from "../../refusals.ts";
import { anyAgreement, anyLicense, anyOrder, anyRecovery } from "../objects/arbitrary.ts";
import { logCodeOf } from "./tree.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const hexes = (all: readonly Uint8Array[]) => all.map(hexOf);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const signed = (payload: Uint8Array) => signQuorum(payload, [ed25519Signer(new Uint8Array(32).fill(1))], hex("00"));

const anyType: fc.Arbitrary<LoggedType> = fc.constantFrom(
  ObjectType.AGREEMENT,
  ObjectType.LICENSE,
  ObjectType.ORDER,
  ObjectType.RECOVERY,
);
const anyEntry: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({
    kind: fc.constant("plain" as const),
    type: anyType,
    message: fc.uint8Array({ minLength: 1, maxLength: 4096 }),
  }),
  fc.record({
    kind: fc.constant("commitment" as const),
    type: anyType,
    commitment: bytes(32),
    subjects: fc.array(bytes(32), { maxLength: 32 }),
  }),
  fc.record({ kind: fc.constant("index" as const), subjects: fc.maxSafeNat(), root: bytes(32) }),
);

describe("an entry", () => {
  it("is read back as it was written, in the one encoding that it has", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const written = encodeEntry(entry);
        expect(written.length).toBeLessThanOrEqual(ENTRY_BYTES_MAX);
        expect(decodeEntry(written)).toEqual(entry);
      }),
    );
  });

  it("has the form of the contract, to the byte", () => {
    const root = new Uint8Array(32).fill(0xab);
    expect(hexOf(encodeEntry({ kind: "plain", type: ObjectType.RECOVERY, message: hex("d862") }))).toBe("83010b42d862");
    expect(hexOf(encodeEntry({ kind: "index", subjects: 300, root }))).toBe(`830319012c5820${"ab".repeat(32)}`);
    expect(
      hexOf(encodeEntry({ kind: "commitment", type: ObjectType.LICENSE, commitment: root, subjects: [root] })),
    ).toBe(`8402055820${"ab".repeat(32)}815820${"ab".repeat(32)}`);
    const longest = encodeEntry({ kind: "plain", type: ObjectType.ORDER, message: new Uint8Array(4096) });
    expect(longest.length).toBe(ENTRY_BYTES_MAX);
  });

  it("of another form is refused", async () => {
    const hash = new Uint8Array(32);
    const strays: CborValue[] = [
      [],
      [1],
      [1, 5],
      [1, 5, hash, 0],
      [1, 4, hash],
      [1, 10, hash],
      [1, "5", hash],
      [1, 5, "text"],
      [1, 5, new Uint8Array(0)],
      [1, 5, new Uint8Array(4097)],
      [2, 5, hash],
      [2, 5, hash.slice(1), []],
      [2, 5, hash, [hash.slice(1)]],
      [2, 5, hash, [1]],
      [2, 5, hash, hash],
      [2, 7, hash, []],
      [2, 5, hash, [], 0],
      [2, 5, hash, Array<Uint8Array>(33).fill(hash)],
      [3, 1],
      [3, -1, hash],
      [3, 2n ** 53n, hash],
      [3, 1, hash.slice(1)],
      [3, 1, hash, hash],
      [4, 5, hash],
      [0, 5, hash],
      new Map([[1, 5]]),
      hash,
      1,
      null,
    ];
    for (const stray of strays) {
      const written = encode(stray);
      expect([hexOf(written), await logCodeOf(() => decodeEntry(written))]).toEqual([
        hexOf(written),
        "log/entry-malformed",
      ]);
    }
    for (const raw of ["", "83", "830105", "83010b4100ff", "83010b5801d8", "83180105", "9f010b41d8ff"]) {
      expect(await logCodeOf(() => decodeEntry(hex(raw)))).toBe("log/entry-malformed");
    }
    expect(await logCodeOf(() => decodeEntry(new Uint8Array(ENTRY_BYTES_MAX + 1)))).toBe("log/entry-malformed");
    const wrong = { kind: "plain", type: ObjectType.BEACON as unknown as LoggedType, message: hash } as const;
    expect(await logCodeOf(() => encodeEntry(wrong))).toBe("log/entry-malformed");
  });
});

describe("the subjects of an entry", () => {
  const key = (ueid: Uint8Array) => createHash("sha256").update("quiesce/1/subject").update(ueid).digest("hex");
  const plain = (type: LoggedType, message: Uint8Array) => ({ kind: "plain", type, message }) as const;

  it("are whom a license, an order or a recovery names, each once; an agreement names nobody", () => {
    const named = fc.oneof(
      anyLicense.map((license) => ({
        type: ObjectType.LICENSE as const,
        payload: encodeLicense(license),
        ueids: license.cohort ?? [license.ueid!],
      })),
      anyOrder.map((order) => ({
        type: ObjectType.ORDER as const,
        payload: encodeOrder(order),
        ueids: order.scope ?? [],
      })),
      anyRecovery.map((recovery) => ({
        type: ObjectType.RECOVERY as const,
        payload: encodeRecovery(recovery),
        ueids: [recovery.ueid],
      })),
      anyAgreement.map((agreement) => ({
        type: ObjectType.AGREEMENT as const,
        payload: encodeAgreement(agreement),
        ueids: [],
      })),
    );
    fc.assert(
      fc.property(named, ({ type, payload, ueids }) => {
        const message = signed(payload);
        expect(hexes(subjectsOf(type, message))).toEqual(hexes(ueids));
        expect(hexes(entrySubjects(plain(type, message)))).toEqual([...new Set(ueids.map(key))]);
        expect(hexes(ueids.map(subjectKey))).toEqual(ueids.map(key));
      }),
    );
  });

  it("are those of a commitment as it lists them, each once; an index entry has none", () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const type = ObjectType.LICENSE as const;
    expect(entrySubjects({ kind: "commitment", type, commitment: a, subjects: [b, a, b] })).toEqual([b, a]);
    expect(entrySubjects({ kind: "index", subjects: 1, root: a })).toEqual([]);
  });

  it("are not looked for in what is no such message", async () => {
    const license = signed(encodeLicense(fc.sample(anyLicense, 1)[0]!));
    expect(await logCodeOf(() => subjectsOf(ObjectType.ORDER, license))).toBe("log/entry-malformed");
    expect(await logCodeOf(() => entrySubjects(plain(ObjectType.LICENSE, license.slice(1))))).toBe(
      "log/entry-malformed",
    );
    expect(await logCodeOf(() => entrySubjects(plain(ObjectType.LICENSE, hex("00"))))).toBe("log/entry-malformed");
  });
});

it("a commitment is SHA-256 over salt and message", () => {
  const salt = new Uint8Array(32).fill(3);
  const message = hex("d862");
  expect(hexOf(commitmentOf(salt, message))).toBe(createHash("sha256").update(salt).update(message).digest("hex"));
  expect(() => commitmentOf(salt.slice(1), message)).toThrow(RangeError);
});
