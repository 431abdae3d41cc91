/** What an audit finds for a device and of a party, in the plain and by commitments, and whose signatures hold. */
import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { audit } from "../../../host/log/audit.ts";
import { encodeEntry, type LogEntry, subjectKey } from "../../../host/log/entry.ts";
import type { Leaf } from "../../../host/log/mirror.ts";
import { type Agreement, agreementDigest, signAgreement } from "../../../host/objects/agreement.ts";
import { NO_ORDER, type Order, signOrder } from "../../../host/objects/order.ts";
import { signRecovery } from "../../../host/objects/recovery.ts";
import type { Signer } from "../../../host/protocol/cose.ts";
import { agreementOf, PARTIES, STRANGER } from "../../rig.ts";
import { AGREEMENT, commitmentEntry, licenseEntry, licenseMessage, T0, ueidOf } from "./log.ts";

type Type = Exclude<LogEntry, { kind: "index" }>["type"];
const plain = (type: Type, message: Uint8Array): LogEntry => ({ kind: "plain", type, message });

async function* leaves(entries: readonly LogEntry[]): AsyncGenerator<Leaf> {
  for (const [index, entry] of entries.entries()) yield { index, bytes: encodeEntry(entry) };
}

function order(action: OrderAction, signers: readonly Signer[], change: Partial<Order> = {}): LogEntry {
  const full: Order = {
    notBeforeSeconds: T0,
    agreementDigest: agreementDigest(AGREEMENT),
    epoch: 1,
    action,
    previousDigest: NO_ORDER,
    ...change,
  };
  return plain(ObjectType.ORDER, signOrder(full, signers));
}

const [north, south, inspectorate] = PARTIES as [Signer, Signer, Signer];
const recovery = plain(
  ObjectType.RECOVERY,
  signRecovery(
    {
      nonce: new Uint8Array(32),
      ueid: ueidOf(1),
      agreementDigest: agreementDigest(AGREEMENT),
      epoch: 1,
      sequence: 3n,
      action: OrderAction.RESUME,
      totals: Array<bigint>(12).fill(0n),
      reportHead: { sequence: 0n, digest: new Uint8Array(32) },
      orderDigest: new Uint8Array(32),
    },
    [north, south],
  ),
);
const amended: Agreement = agreementOf({ version: 2, name: "second" });
const underSecond = licenseMessage({ ueid: ueidOf(1), agreementDigest: agreementDigest(amended), sequence: 9n });
const cohort = licenseMessage({ cohort: [ueidOf(5), ueidOf(1)], sequence: 2n });
const ENTRIES: readonly LogEntry[] = [
  plain(ObjectType.AGREEMENT, signAgreement(AGREEMENT, PARTIES)),
  licenseEntry(1),
  licenseEntry(2),
  plain(ObjectType.LICENSE, cohort),
  { kind: "index", subjects: 3, root: new Uint8Array(32) },
  order(OrderAction.PAUSE, [inspectorate]),
  order(OrderAction.RESUME, [north, inspectorate], { scope: [ueidOf(2)] }),
  order(OrderAction.SLOW, [south], { permille: 500, scope: [ueidOf(1)] }),
  order(OrderAction.RESUME, [north], { epoch: 2 }),
  recovery,
  plain(ObjectType.LICENSE, underSecond),
  plain(ObjectType.AGREEMENT, signAgreement(amended, [north, south])),
  plain(ObjectType.LICENSE, underSecond),
  plain(ObjectType.AGREEMENT, signAgreement(agreementOf({ version: 3, name: "coup" }), [STRANGER])),
];

describe("an audit in the plain", () => {
  it("of a device has what names it, and what is for all", async () => {
    const { rows, unread } = await audit(leaves(ENTRIES), { ueid: ueidOf(1) }, [AGREEMENT]);
    expect(rows.map(({ index, named, holds }) => [index, named, holds])).toEqual([
      [0, false, true],
      [1, true, true],
      [3, true, true],
      [5, false, true],
      [7, true, true],
      [8, false, false], // a resume takes two
      [9, true, true],
      [10, true, undefined], // of an agreement that nobody knows yet
      [11, false, true],
      [12, true, true],
      [13, false, false],
    ]);
    expect(unread).toBe(0);
    const license = rows.find(({ index }) => index === 3)!.terms;
    expect(license).toMatchObject({
      type: ObjectType.LICENSE,
      license: { sequence: 2n, cohort: [ueidOf(5), ueidOf(1)] },
    });
    expect(rows.find(({ index }) => index === 9)!.terms).toMatchObject({ recovery: { sequence: 3n } });
    expect(rows.find(({ index }) => index === 5)!.terms).toMatchObject({ order: { action: OrderAction.PAUSE } });
    expect(rows[0]!.terms).toMatchObject({ agreement: { version: 1 } });
  });

  it("of a party has what it signed", async () => {
    const found = async (kid: Uint8Array) => (await audit(leaves(ENTRIES), { kid })).rows.map(({ index }) => index);
    expect(await found(inspectorate.kid)).toEqual([0, 5, 6]);
    expect(await found(south.kid)).toEqual([0, 1, 2, 3, 7, 9, 10, 11, 12]);
    expect(await found(STRANGER.kid)).toEqual([13]);
    expect(await found(new Uint8Array(8))).toEqual([]);
  });

  it("takes no agreement on its own word", async () => {
    const { rows } = await audit(leaves(ENTRIES), { ueid: ueidOf(1) });
    expect(new Set(rows.map(({ holds }) => holds))).toEqual(new Set([undefined]));
  });
});

describe("an audit of commitments", () => {
  const entries: readonly LogEntry[] = [
    commitmentEntry(1),
    commitmentEntry(2),
    { kind: "commitment", type: ObjectType.ORDER, commitment: new Uint8Array(32), subjects: [] },
    {
      kind: "commitment",
      type: ObjectType.LICENSE,
      commitment: new Uint8Array(32),
      subjects: [subjectKey(ueidOf(9)), subjectKey(ueidOf(1))],
    },
  ];

  it("finds them by device, and says nothing of what they hold", async () => {
    const { rows } = await audit(leaves(entries), { ueid: ueidOf(1) }, [AGREEMENT]);
    expect(rows).toEqual([
      { index: 0, type: ObjectType.LICENSE, named: true, kids: [] },
      { index: 2, type: ObjectType.ORDER, named: false, kids: [] },
      { index: 3, type: ObjectType.LICENSE, named: true, kids: [] },
    ]);
  });

  it("cannot find them by party, and says how many that were", async () => {
    expect(await audit(leaves([...entries, licenseEntry(1)]), { kid: north.kid })).toMatchObject({
      rows: [{ index: 4 }],
      unread: 4,
    });
  });
});
