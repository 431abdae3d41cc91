import { describe, expect, it } from "vitest";
import { Fuse } from "../../../firmware/protocol/board.ts";
import { AgreementKey, ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { type Agreement, agreementDigest, signAgreement } from "../../../host/objects/agreement.ts";
import type { CborValue } from "../../../host/protocol/cbor.ts";
import { agreementOf, CLOCK, PARTIES, phaseOf, Rig, STRANGER, signerOf } from "../../rig.ts";
import { altered, type ClaimMap, cutEverywhere } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const quorum = PARTIES.slice(0, 2);
const member = (signer: typeof CLOCK, name: string) => ({ kid: signer.kid, publicKey: signer.publicKey, name });
const amended = (change: Partial<Agreement> = {}) => agreementOf({ version: 2, ...change });

function fresh(): Rig {
  const rig = new Rig();
  rig.board.powerOn();
  return rig;
}

describe("the first agreement", () => {
  const good = (change: Partial<Agreement> = {}) => signAgreement(agreementOf(change), PARTIES);
  const bad = (change: (claims: ClaimMap) => void) => altered(good(), ObjectType.AGREEMENT, change, PARTIES);
  const set = (key: AgreementKey, value: CborValue) => bad((claims) => claims.set(key, value));
  const cap = (budget: Uint8Array, rate: CborValue) => new Map<CborValue, CborValue>([[BF16, [budget, rate]]]);
  const quorums = (...counts: number[]) => new Map(counts.map((count, i) => [i + 1, count]));
  const party = (kid: Uint8Array, key: Uint8Array, name = "p"): CborValue => [kid, name, key];
  const [north, south, inspectorate] = PARTIES as [typeof CLOCK, typeof CLOCK, typeof CLOCK];
  const work = (value: number) => Uint8Array.of(...new Uint8Array(15), value);

  const table: [string, () => Uint8Array, string][] = [
    ["signed by all its parties, is taken", () => good(), "OK"],
    ["signed by two of three", () => signAgreement(agreementOf(), quorum), "COSE_QUORUM"],
    [
      "signed by a stranger in a party's place",
      () => signAgreement(agreementOf(), [...quorum, STRANGER]),
      "COSE_QUORUM",
    ],
    [
      "signed by all and a stranger",
      () => signAgreement(agreementOf(), [...PARTIES, STRANGER]),
      "COSE_SIGNATURES_SURPLUS",
    ],
    ["without a name", () => bad((claims) => claims.delete(AgreementKey.NAME)), "AGREEMENT_CLAIM"],
    ["with an empty name", () => set(AgreementKey.NAME, ""), "AGREEMENT_CLAIM"],
    ["with a name of 65 bytes", () => set(AgreementKey.NAME, "x".repeat(65)), "AGREEMENT_CLAIM"],
    ["with a name of 64 bytes", () => good({ name: "é".repeat(32) }), "OK"],
    ["with a member that nobody knows", () => bad((claims) => claims.set(19, 0)), "AGREEMENT_CLAIM"],
    ["of version 0", () => set(AgreementKey.VERSION, 0), "AGREEMENT_LIMIT"],
    ["of a version beyond 32 bits", () => set(AgreementKey.VERSION, 2 ** 32), "AGREEMENT_CLAIM"],
    ["without parties", () => set(AgreementKey.PARTIES, []), "AGREEMENT_LIMIT"],
    [
      "with nine parties",
      () =>
        set(
          AgreementKey.PARTIES,
          Array.from({ length: 9 }, (_, i) => party(new Uint8Array(8).fill(i), new Uint8Array(32).fill(i))),
        ),
      "AGREEMENT_CLAIM",
    ],
    [
      "with one key under two kids",
      () =>
        set(AgreementKey.PARTIES, [
          party(north.kid, north.publicKey),
          party(south.kid, north.publicKey),
          party(inspectorate.kid, inspectorate.publicKey),
        ]),
      "AGREEMENT_PARTY",
    ],
    [
      "with two keys under one kid",
      () =>
        set(AgreementKey.PARTIES, [
          party(north.kid, north.publicKey),
          party(north.kid, south.publicKey),
          party(inspectorate.kid, inspectorate.publicKey),
        ]),
      "AGREEMENT_PARTY",
    ],
    [
      "with a kid that is not its key's",
      () =>
        set(AgreementKey.PARTIES, [
          party(north.kid, north.publicKey),
          party(south.kid, south.publicKey),
          party(new Uint8Array(8), inspectorate.publicKey),
        ]),
      "AGREEMENT_PARTY",
    ],
    [
      "with a time authority named twice",
      () => set(AgreementKey.TIME_AUTHORITIES, [party(CLOCK.kid, CLOCK.publicKey), party(CLOCK.kid, CLOCK.publicKey)]),
      "AGREEMENT_PARTY",
    ],
    [
      "with a party's name of 33 bytes",
      () =>
        set(AgreementKey.PARTIES, [
          party(north.kid, north.publicKey, "x".repeat(33)),
          party(south.kid, south.publicKey),
          party(inspectorate.kid, inspectorate.publicKey),
        ]),
      "AGREEMENT_CLAIM",
    ],
    ["without time authorities", () => set(AgreementKey.TIME_AUTHORITIES, []), "AGREEMENT_LIMIT"],
    ["with a time quorum of none", () => set(AgreementKey.TIME_QUORUM, 0), "AGREEMENT_QUORUM_RULE"],
    ["with a time quorum of more than there are", () => set(AgreementKey.TIME_QUORUM, 2), "AGREEMENT_QUORUM_RULE"],
    ["with a license quorum of none", () => set(AgreementKey.QUORUMS, quorums(0, 1, 2, 2, 2)), "AGREEMENT_QUORUM_RULE"],
    ["with a pause quorum of none", () => set(AgreementKey.QUORUMS, quorums(2, 0, 2, 2, 2)), "AGREEMENT_QUORUM_RULE"],
    [
      "with a resume quorum of more than there are",
      () => set(AgreementKey.QUORUMS, quorums(2, 1, 4, 2, 2)),
      "AGREEMENT_QUORUM_RULE",
    ],
    ["with an update quorum of none", () => set(AgreementKey.QUORUMS, quorums(2, 1, 2, 0, 2)), "AGREEMENT_QUORUM_RULE"],
    ["with an amend quorum of none", () => set(AgreementKey.QUORUMS, quorums(2, 1, 2, 2, 0)), "AGREEMENT_QUORUM_RULE"],
    ["with four quorums", () => set(AgreementKey.QUORUMS, quorums(2, 1, 2, 2)), "AGREEMENT_CLAIM"],
    ["without caps", () => set(AgreementKey.CAPS, new Map()), "AGREEMENT_CLAIM"],
    [
      "with a cap for a class that there is not",
      () => set(AgreementKey.CAPS, new Map([[12, [work(1), 1]]])),
      "AGREEMENT_CLAIM",
    ],
    ["with a rate of zero", () => set(AgreementKey.CAPS, cap(work(1), 0)), "AGREEMENT_LIMIT"],
    ["with a slice over 2^62", () => set(AgreementKey.CAPS, cap(work(1), 2n ** 62n / 60_000n + 1n)), "AGREEMENT_LIMIT"],
    ["with no ticks a second", () => set(AgreementKey.TICK_HZ, 0), "AGREEMENT_LIMIT"],
    ["with over a million ticks a second", () => set(AgreementKey.TICK_HZ, 1_000_001), "AGREEMENT_LIMIT"],
    ["with a drift over a tenth", () => set(AgreementKey.DRIFT_PPM, 100_001), "AGREEMENT_LIMIT"],
    ["without a lease", () => set(AgreementKey.LEASE_SECONDS, 0), "AGREEMENT_LIMIT"],
    ["with a lease over a year", () => set(AgreementKey.LEASE_SECONDS, 31_536_001), "AGREEMENT_LIMIT"],
    ["without license ticks", () => set(AgreementKey.LICENSE_TICKS_MAX, 0), "AGREEMENT_LIMIT"],
    ["with license ticks over 2^56", () => set(AgreementKey.LICENSE_TICKS_MAX, 2n ** 56n + 1n), "AGREEMENT_LIMIT"],
    ["without a slice", () => set(AgreementKey.SLICE_TICKS, 0), "AGREEMENT_LIMIT"],
    ["with a slice over 2^40 ticks", () => set(AgreementKey.SLICE_TICKS, 2n ** 40n + 1n), "AGREEMENT_LIMIT"],
    ["with drain ticks over 2^56", () => set(AgreementKey.DRAIN_TICKS_MAX, 2n ** 56n + 1n), "AGREEMENT_LIMIT"],
    [
      "with a drain for a class without a cap",
      () => set(AgreementKey.DRAIN, new Map([[EngineClass.TENSOR_INT8, work(1)]])),
      "AGREEMENT_LIMIT",
    ],
    [
      "with a baseline for a class without a cap",
      () => set(AgreementKey.BASELINE, new Map([[EngineClass.TENSOR_INT8, work(1)]])),
      "AGREEMENT_LIMIT",
    ],
    ["with an integer in place of a truth", () => set(AgreementKey.OFFLINE, 1), "AGREEMENT_CLAIM"],
  ];
  it.each(table)("%s", (_, agreement, verdict) => {
    const rig = fresh();
    const fuses = [...rig.board.fuses.snapshot().words];
    expect(rig.verdict(Command.AGREEMENT, agreement())).toBe(verdict);
    expect(rig.board.gateState).toBe(verdict === "OK" ? GateState.IDLE : GateState.LOCKED);
    if (verdict !== "OK") expect([...rig.board.fuses.snapshot().words]).toEqual(fuses);
  });

  it("with eight parties, four time authorities and all classes fits a message", () => {
    const caps = new Map(
      Array.from({ length: 12 }, (_, c) => [c as EngineClass, { budgetMax: 2n ** 128n - 1n, rateMax: 2n ** 40n }]),
    );
    const eight = Array.from({ length: 8 }, (_, i) => i).map((i) => signerOf(`party ${i}`));
    const four = Array.from({ length: 4 }, (_, i) => i).map((i) => signerOf(`clock ${i}`));
    const agreement = agreementOf({
      name: "n".repeat(64),
      parties: eight.map((signer) => member(signer, "p".repeat(32))),
      quorums: { license: 8, pause: 8, resume: 8, update: 8, amend: 8 },
      timeAuthorities: four.map((signer) => member(signer, "c".repeat(32))),
      timeQuorum: 4,
      caps,
      drain: new Map([...caps.keys()].map((c) => [c, 2n ** 64n - 1n])),
      baseline: new Map([...caps.keys()].map((c) => [c, 2n ** 64n - 1n])),
    });
    const bytes = signAgreement(agreement, eight);
    expect(bytes.length).toBeLessThan(4000);
    expect(fresh().verdict(Command.AGREEMENT, bytes)).toBe("OK");
  });

  it("that loses its power anywhere is either in force afterwards or can be given again", () => {
    const rig = fresh();
    const agreement = signAgreement(agreementOf(), PARTIES);
    const cuts = cutEverywhere(
      rig,
      () => rig.must(rig.send(Command.AGREEMENT, agreement)),
      () => {
        const code = rig.board.powerOn();
        if (code !== 0) rig.must(rig.send(Command.AGREEMENT, agreement));
        expect(rig.board.gateState).toBe(GateState.IDLE);
        rig.must(rig.syncTime());
        rig.must(rig.send(Command.LICENSE, rig.license()));
        expect(rig.board.run(phaseOf(1)).completed).toBe(true);
      },
    );
    expect(cuts).toBeGreaterThan(12);
  });
});

describe("an amendment", () => {
  const table: [string, () => Uint8Array, string][] = [
    ["signed by the amend quorum, is taken", () => signAgreement(amended(), quorum), "OK"],
    ["signed by one party", () => signAgreement(amended(), PARTIES.slice(0, 1)), "COSE_QUORUM"],
    ["signed by all where two are asked for", () => signAgreement(amended(), PARTIES), "COSE_SIGNATURES_SURPLUS"],
    ["of the same version", () => signAgreement(agreementOf({ name: "other" }), quorum), "AGREEMENT_VERSION"],
    ["that is the one in force", () => signAgreement(agreementOf(), quorum), "AGREEMENT_VERSION"],
    ["that skips versions", () => signAgreement(amended({ version: 1025 }), quorum), "OK"],
    ["that jumps absurdly far", () => signAgreement(amended({ version: 1026 }), quorum), "AGREEMENT_VERSION"],
    [
      "of the last version there is",
      () => signAgreement(amended({ version: 2 ** 32 - 1 }), quorum),
      "AGREEMENT_VERSION",
    ],
    [
      "signed by its new parties only",
      () => {
        const four = [STRANGER, CLOCK];
        return signAgreement(
          amended({
            parties: four.map((s) => member(s, "x")),
            quorums: { license: 1, pause: 1, resume: 1, update: 1, amend: 1 },
          }),
          four,
        );
      },
      "COSE_QUORUM",
    ],
  ];
  it.each(table)("%s", (_, agreement, verdict) => {
    const rig = Rig.ready();
    const before = rig.info();
    expect(rig.verdict(Command.AGREEMENT, agreement())).toBe(verdict);
    if (verdict === "OK") expect(rig.info().agreementVersion).toBeGreaterThan(1);
    else expect(rig.info().agreementDigest).toEqual(before.agreementDigest);
  });

  it("waits while work flows and while it drains", () => {
    const rig = Rig.open();
    expect(rig.verdict(Command.AGREEMENT, signAgreement(amended(), quorum))).toBe("AGREEMENT_BUSY");
    rig.obey(OrderAction.PAUSE);
    expect(rig.verdict(Command.AGREEMENT, signAgreement(amended(), quorum))).toBe("AGREEMENT_BUSY");
    expect(rig.info().failures).toBe(0);
    rig.must(rig.send(Command.DRAIN_DONE));
    expect(rig.verdict(Command.AGREEMENT, signAgreement(amended(), quorum))).toBe("OK");
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });

  it("ends the license that was given under the agreement before", () => {
    const rig = Rig.open();
    rig.board.advance(500);
    expect(rig.board.gateState).toBe(GateState.IDLE);
    const next = amended({ caps: agreementOf().caps });
    rig.must(rig.send(Command.AGREEMENT, signAgreement(next, quorum)));
    rig.must(rig.syncTime({ agreementDigest: agreementDigest(next) }));
    expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_AGREEMENT");
    expect(rig.verdict(Command.LICENSE, rig.license({ agreementDigest: agreementDigest(next) }))).toBe("OK");
  });

  it("ends that license wherever the power is cut", () => {
    const rig = Rig.open();
    rig.board.advance(500);
    const next = amended({ caps: new Map([[COPY, { budgetMax: 10n ** 12n, rateMax: 10n ** 9n }]]), drain: new Map() });
    const bytes = signAgreement(next, quorum);
    let inForce = 0;
    cutEverywhere(
      rig,
      () => rig.must(rig.send(Command.AGREEMENT, bytes)),
      () => {
        rig.must(rig.board.powerOn());
        const { agreementVersion, agreementDigest: digest } = rig.info();
        rig.must(rig.syncTime({ agreementDigest: digest }));
        if (agreementVersion === 2) {
          inForce++;
          expect(rig.board.gateState).toBe(GateState.IDLE);
        } else {
          expect(rig.board.gateState).toBe(GateState.OPEN);
          rig.board.advance(500);
          rig.must(rig.send(Command.AGREEMENT, bytes));
        }
      },
    );
    expect(inForce).toBeGreaterThan(0);
  });

  it("that the flash has lost comes back by its payload, which the fuses name: whoever brings it needs no signature", () => {
    const rig = Rig.ready();
    rig.board.cutPower();
    rig.board.flash.erase(0);
    rig.board.flash.erase(1);
    expect(rig.powerCycle()).toBe("AGREEMENT_MISSING");
    expect(rig.verdict(Command.AGREEMENT, signAgreement(amended(), PARTIES))).toBe("AGREEMENT_OTHER");
    expect(rig.verdict(Command.AGREEMENT, signAgreement(agreementOf(), [STRANGER]))).toBe("OK");
    expect(rig.info().agreementDigest).toEqual(rig.digest);
    expect(rig.powerCycle()).toBe("OK");
  });

  it("cannot be undone by giving the flash of before", () => {
    const rig = Rig.ready();
    const old = rig.board.flash.image();
    rig.must(rig.send(Command.AGREEMENT, signAgreement(amended(), quorum)));
    rig.board.cutPower();
    rig.board.flash.replace(old);
    rig.board.powerOn();
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    expect(rig.verdict(Command.AGREEMENT, signAgreement(agreementOf(), PARTIES))).toBe("AGREEMENT_OTHER");
  });

  it("finds sixteen fuse slots, and is refused at the seventeenth; the agreement in force stays", () => {
    const rig = Rig.ready();
    for (let version = 2; version <= 16; version++) {
      rig.must(rig.send(Command.AGREEMENT, signAgreement(amended({ version }), quorum)));
    }
    expect(rig.verdict(Command.AGREEMENT, signAgreement(amended({ version: 17 }), quorum))).toBe(
      "AGREEMENT_FUSES_FULL",
    );
    expect(rig.info().agreementVersion).toBe(16);
    expect(rig.powerCycle()).toBe("OK");
    expect(rig.info().agreementVersion).toBe(16);
    const words = rig.board.fuses.snapshot().words;
    expect(words[Fuse.AGREEMENT + Fuse.AGREEMENT_SLOTS * Fuse.AGREEMENT_SLOT_WORDS - 1]).not.toBe(0);
  });

  it("whose fuses were torn by power cuts still finds a slot, and what is burnt in half is never in force", () => {
    const rig = Rig.ready();
    let version = 1;
    const from = rig.board.snapshot();
    cutEverywhere(
      rig,
      () => rig.must(rig.send(Command.AGREEMENT, signAgreement(amended(), quorum))),
      () => {
        rig.must(rig.board.powerOn());
        version = rig.info().agreementVersion;
        expect([1, 2]).toContain(version);
        if (version === 1) rig.must(rig.send(Command.AGREEMENT, signAgreement(amended(), quorum)));
        expect(rig.info().agreementVersion).toBe(2);
        expect(rig.powerCycle()).toBe("OK");
      },
      from,
    );
  });
});

describe("an amendment out of the ordinary", () => {
  it("reaches a board that is locked for want of a recovery, which is then judged by it", () => {
    const rig = Rig.open();
    const old = rig.board.flash.image();
    rig.board.run(phaseOf(70));
    rig.board.cutPower();
    rig.board.flash.replace(old);
    rig.board.powerOn();
    expect(rig.lastReason).toBe("JOURNAL_ROLLBACK");
    rig.must(rig.send(Command.AGREEMENT, signAgreement(amended(), PARTIES.slice(0, 2))));
    expect(rig.board.gateState).toBe(GateState.LOCKED);
    const totals = rig.info().totals.map(() => 10n ** 18n);
    const agreementDigest = rig.info().agreementDigest;
    expect(rig.verdict(Command.RECOVER, rig.recovery({ totals }))).toBe("RECOVERY_AGREEMENT");
    rig.must(rig.send(Command.RECOVER, rig.recovery({ totals, agreementDigest })));
    expect(rig.board.gateState).toBe(GateState.IDLE);
  });

  it("waits for an order that the time authorities name", () => {
    const rig = Rig.ready();
    rig.must(rig.send(Command.BEACON, rig.beacon({ epoch: 1, orderDigest: new Uint8Array(32).fill(1) })));
    const amendment = signAgreement(amended(), PARTIES.slice(0, 2));
    expect(rig.verdict(Command.AGREEMENT, amendment)).toBe("AGREEMENT_BUSY");
  });
});
