/**
 * No secret licenses: with a log in the agreement, the governor takes a license, an order, a recovery or an amendment only
 * with a proof that it is public. What a rogue verifier, log or witness might try instead, each with its refusal.
 */
import { describe, expect, it } from "vitest";
import { FlashShape } from "../../../firmware/protocol/board.ts";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { checkpointBody } from "../../../host/log/checkpoint.ts";
import { cosignatureMessage } from "../../../host/log/cosignature.ts";
import { commitmentOf, encodeEntry } from "../../../host/log/entry.ts";
import { type LogTerms, signAgreement } from "../../../host/objects/agreement.ts";
import { encodeLogProof } from "../../../host/objects/log-proof.ts";
import { encode } from "../../../host/protocol/cbor.ts";
import { flipEveryBit, requestOf } from "../../../sim-board/invariants/flips.ts";
import { Random } from "../../../sim-board/random.ts";
import { BenchLog, logTermsOf, type ProofChange, sizeSeen, WITNESSES } from "../../log.ts";
import { agreementOf, PARTIES, Rig, STRANGER } from "../../rig.ts";

const { PAUSE, SLOW, RESUME } = { PAUSE: OrderAction.PAUSE, SLOW: OrderAction.SLOW, RESUME: OrderAction.RESUME };

/** A board under an agreement with a log, and that log with its first license in it. */
function logged(change: Partial<LogTerms> = {}): { rig: Rig; log: BenchLog } {
  const rig = Rig.ready({ log: logTermsOf(change) });
  return { rig, log: new BenchLog(5) };
}

/** The same, its gate open under a license that was logged. */
function opened(change: Partial<LogTerms> = {}): { rig: Rig; log: BenchLog } {
  const { rig, log } = logged(change);
  const license = rig.license();
  rig.must(rig.send(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license)));
  return { rig, log };
}

const MODES: [string, boolean][] = [
  ["the messages themselves", false],
  ["commitments", true],
];

describe.each(MODES)("a log that holds %s", (_, commitments) => {
  it("opens the gate by a license that stands in it, and shows its head in evidence", () => {
    const { rig, log } = opened({ commitments });
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(rig.info().logHead).toEqual({ size: BigInt(log.size), root: log.root() });
  });

  it("grows, and every later proof goes on from the head before", () => {
    const { rig, log } = opened({ commitments });
    for (let i = 0; i < 12; i++) {
      for (let other = 0; other < i; other++) log.appendEntry(Uint8Array.of(other));
      const license = rig.license();
      const proof = log.prove(rig, ObjectType.LICENSE, license);
      log.appendEntry(Uint8Array.of(i));
      expect(rig.verdict(Command.LICENSE, license, i % 2 ? proof : log.proof(log.size - 2, freshFor(rig)))).toBe("OK");
    }
  });

  it("takes a cohort's license, an order for others, a resume, a recovery and an amendment with their proofs", () => {
    const { rig, log } = opened({ commitments });
    const cohort = [new Uint8Array(33).fill(7), rig.ueid, new Uint8Array(33).fill(9)];
    const verdict = (command: Command, type: ObjectType, object: Uint8Array) =>
      rig.verdict(command, object, log.prove(rig, type, object));
    const forMany = rig.license({ nonce: undefined, ueid: undefined, cohort });
    expect(verdict(Command.LICENSE, ObjectType.LICENSE, forMany)).toBe("OK");
    const scope = Array.from({ length: 32 }, (_unused, i) => new Uint8Array(33).fill(i));
    expect(verdict(Command.ORDER, ObjectType.ORDER, rig.order(PAUSE, { scope }))).toBe("OK");
    expect(verdict(Command.ORDER, ObjectType.ORDER, rig.order(PAUSE))).toBe("OK");
    expect(verdict(Command.ORDER, ObjectType.ORDER, rig.order(RESUME))).toBe("OK");
    rig.must(rig.send(Command.BEACON, rig.beacon()));
    loseJournal(rig);
    expect(verdict(Command.RECOVER, ObjectType.RECOVERY, rig.recovery())).toBe("OK");
    const next = signAgreement(agreementOf({ version: 2, log: rig.agreement.log! }), PARTIES.slice(0, 2));
    expect(verdict(Command.AGREEMENT, ObjectType.AGREEMENT, next)).toBe("OK");
  });

  it("refuses a proof with any one bit flipped, and leaves the device as it was", () => {
    const { rig, log } = opened({ commitments });
    log.appendEntry(Uint8Array.of(1));
    const license = rig.license();
    const proof = log.prove(rig, ObjectType.LICENSE, license);
    const random = new Random(`flips of ${commitments}`);
    const some = Array.from({ length: 700 }, () => random.below(proof.length * 8));
    const request = (bad: Uint8Array) => requestOf(Command.LICENSE, license, bad);
    expect(flipEveryBit(rig.board, Command.LICENSE, proof, some, request)).toBe(700);
    expect(rig.verdict(Command.LICENSE, license, proof)).toBe("OK");
  });

  it("refuses a proof that is cut off anywhere, or longer by a byte", () => {
    const { rig, log } = logged({ commitments });
    const license = rig.license();
    const proof = log.prove(rig, ObjectType.LICENSE, license);
    const before = rig.board.snapshot();
    const cut = Array.from({ length: 40 }, (_unused, i) => proof.subarray(0, Math.floor((i * proof.length) / 40)));
    for (const bad of [...cut, [...proof, 0]]) {
      rig.board.restore(before);
      expect(rig.verdict(Command.LICENSE, license, Uint8Array.from(bad))).toBe("LOG_PROOF_FORM");
    }
  });
});

/** Erases the journal: nothing but a recovery brings the board back. */
function loseJournal(rig: Rig): void {
  rig.board.cutPower();
  for (let sector = FlashShape.JOURNAL_SECTOR; sector < 64; sector++) rig.board.flash.erase(sector);
  rig.board.powerOn();
}

/** The proof's side of what an honest host knows of this board. */
function freshFor(rig: Rig): ProofChange {
  return { at: rig.nowSeconds, from: sizeSeen(rig) };
}

describe("what a rogue verifier brings in place of a public license", () => {
  type Rogue = (board: { rig: Rig; log: BenchLog; license: Uint8Array }) => Uint8Array | undefined;
  const honest =
    (change: ProofChange): Rogue =>
    ({ rig, log, license }) =>
      log.prove(rig, ObjectType.LICENSE, license, change);
  const stranger = (message: Uint8Array) => STRANGER.sign(message);
  const table: [string, string, Rogue][] = [
    ["a license that is in no log", "LOG_PROOF_MISSING", () => undefined],
    [
      "the proof of another entry",
      "LOG_INCLUSION",
      ({ rig, log, license }) => {
        const other = log.append(ObjectType.LICENSE, license);
        log.appendEntry(Uint8Array.of(1));
        return log.proof(other + 1, freshFor(rig));
      },
    ],
    [
      "the same license signed by another quorum, of which only the first is logged",
      "LOG_INCLUSION",
      ({ rig, log }) => log.prove(rig, ObjectType.LICENSE, rig.license({}, PARTIES.slice(1))),
    ],
    [
      "the license logged as an order",
      "LOG_INCLUSION",
      ({ rig, log, license }) =>
        log.proof(log.appendEntry(encodeEntry({ kind: "plain", type: ObjectType.ORDER, message: license })), {
          ...freshFor(rig),
        }),
    ],
    ["a place that the entry does not have", "LOG_INCLUSION", ({ rig, log, license }) => misplaced(rig, log, license)],
    [
      "a forked log, as large as the one seen before",
      "LOG_FORKED",
      ({ rig, license }) => {
        const fork = new BenchLog(5);
        return fork.proof(fork.append(ObjectType.LICENSE, license), freshFor(rig));
      },
    ],
    [
      "a forked log that is larger, with the consistency proof of its own",
      "LOG_FORKED",
      ({ rig, license }) => {
        const fork = new BenchLog(5);
        for (let i = 0; i < 9; i++) fork.appendEntry(Uint8Array.of(i));
        return fork.prove(rig, ObjectType.LICENSE, license);
      },
    ],
    ["the true log without its consistency proof", "LOG_FORKED", honest({ consistency: [] })],
    [
      "a log rolled back to before what was seen",
      "LOG_ROLLED_BACK",
      ({ rig, license }) => {
        const old = new BenchLog(3);
        return old.prove(rig, ObjectType.LICENSE, license);
      },
    ],
    [
      "the proof of a bigger tree than the checkpoint's",
      "LOG_TREE_SIZE",
      ({ rig, log, license }) => {
        const index = log.append(ObjectType.LICENSE, license);
        const checkpointSize = log.size;
        log.appendEntry(Uint8Array.of(1));
        return log.proof(index, { ...freshFor(rig), checkpointSize });
      },
    ],
    ["an empty tree", "LOG_TREE_SIZE", honest({ size: 0, checkpointSize: 0, path: [] })],
    ["another log", "LOG_KEY", honest({ kid: STRANGER.kid })],
    [
      "a receipt that the log did not sign",
      "LOG_RECEIPT",
      honest({ receiptSignature: STRANGER.sign(new Uint8Array(1)) }),
    ],
    [
      "a checkpoint that the log did not sign",
      "LOG_CHECKPOINT",
      honest({ checkpointSignature: stranger(new Uint8Array(1)) }),
    ],
    ["the checkpoint of a log of another name", "LOG_CHECKPOINT", honest({ origin: "log.example/other" })],
    ["a checkpoint that no witness has seen", "LOG_WITNESS_MISSING", honest({ by: [] })],
    ["a witness too few", "LOG_WITNESS_QUORUM", honest({ by: [1] })],
    ["a witness too many", "LOG_WITNESS_QUORUM", honest({ by: [0, 1, 2] })],
    ["one witness twice", "LOG_WITNESS_UNKNOWN", honest({ by: [1, 1] })],
    ["witnesses out of their order", "LOG_WITNESS_UNKNOWN", honest({ by: [2, 0] })],
    [
      "a witness whom the agreement does not know",
      "LOG_WITNESS_UNKNOWN",
      ({ rig, log, license }) => cosignedBy(rig, log, license, [0, 3], WITNESSES[2]!),
    ],
    [
      "a stranger in a witness's place",
      "LOG_COSIGNATURE",
      ({ rig, log, license }) => cosignedBy(rig, log, license, [0, 1], STRANGER),
    ],
    [
      "cosignatures of the checkpoint before",
      "LOG_COSIGNATURE",
      ({ rig, log, license }) => {
        const { cosignatures } = log.proofOf(5, freshFor(rig));
        return log.prove(rig, ObjectType.LICENSE, license, { cosignatures });
      },
    ],
    [
      "cosignatures with a later time than their witnesses gave",
      "LOG_COSIGNATURE",
      ({ rig, log, license }) => {
        const index = log.append(ObjectType.LICENSE, license);
        const old = log.proofOf(index, { ...freshFor(rig), at: rig.nowSeconds - 9999 });
        const cosignatures = old.cosignatures.map((one) => ({ ...one, seconds: rig.nowSeconds }));
        return encodeLogProof({ ...old, cosignatures });
      },
    ],
    [
      "a stale checkpoint",
      "LOG_STALE",
      ({ rig, log, license }) => log.prove(rig, ObjectType.LICENSE, license, { at: rig.nowSeconds - 3700 }),
    ],
    [
      "a commitment where the agreement wants the message",
      "LOG_PROOF_FORM",
      ({ rig, log, license }) => log.proof(log.append(ObjectType.LICENSE, license, new Uint8Array(32)), freshFor(rig)),
    ],
    ["bytes that are no proof", "LOG_PROOF_FORM", () => encode([1, 2, 3, 4])],
  ];

  it.each(table)("%s: %s", (_, verdict, rogue) => {
    const { rig, log } = opened();
    const sequence = rig.info().licenseSequence;
    const license = rig.license();
    expect(rig.verdict(Command.LICENSE, license, rogue({ rig, log, license }))).toBe(verdict);
    expect(rig.info().licenseSequence).toBe(sequence);
    // The license itself was good.
    expect(rig.verdict(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license))).toBe("OK");
  });

  function misplaced(rig: Rig, log: BenchLog, license: Uint8Array): Uint8Array {
    const index = log.append(ObjectType.LICENSE, license);
    log.appendEntry(Uint8Array.of(1));
    return log.proof(index, { ...freshFor(rig), index: index + 1 });
  }

  /** With the second signature by `signer`, and places as told. */
  function cosignedBy(
    rig: Rig,
    log: BenchLog,
    license: Uint8Array,
    places: number[],
    signer: { sign: (m: Uint8Array) => Uint8Array },
  ) {
    const index = log.append(ObjectType.LICENSE, license);
    const proof = log.proofOf(index, freshFor(rig));
    const body = checkpointBody({ origin: rig.agreement.log!.log.name, size: log.size, root: log.root() });
    const [first, second] = proof.cosignatures;
    const signature = signer.sign(cosignatureMessage(body, rig.nowSeconds));
    return encodeLogProof({
      ...proof,
      cosignatures: [
        { ...first!, witness: places[0]! },
        { ...second!, witness: places[1]!, signature },
      ],
    });
  }
});

describe("a log of commitments", () => {
  it("does not hide a license under other devices' names", () => {
    const { rig, log } = opened({ commitments: true });
    const license = rig.license();
    // The commitment is right, the subjects are not.
    const salt = new Uint8Array(32).fill(3);
    const commitment = commitmentOf(salt, license);
    const entry = encodeEntry({ kind: "commitment", type: ObjectType.LICENSE, commitment, subjects: [] });
    const proof = log.proof(log.appendEntry(entry, salt), freshFor(rig));
    expect(rig.verdict(Command.LICENSE, license, proof)).toBe("LOG_INCLUSION");
  });

  it("wants the salt", () => {
    const { rig, log } = opened({ commitments: true });
    const license = rig.license();
    const proof = log.proof(log.append(ObjectType.LICENSE, license), freshFor(rig));
    expect(rig.verdict(Command.LICENSE, license, proof)).toBe("LOG_PROOF_FORM");
    const salt = new Uint8Array(32).fill(1);
    expect(rig.verdict(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license, { salt }))).toBe(
      "LOG_INCLUSION",
    );
  });
});

describe("an order where the agreement has a log", () => {
  const verdictOf = (rig: Rig, order: Uint8Array, proof?: Uint8Array) => rig.verdict(Command.ORDER, order, proof);

  it("that pauses the device is obeyed before its proof is there, if the agreement says so", () => {
    const { rig } = opened({ pauseBeforeProof: true });
    expect(verdictOf(rig, rig.order(PAUSE))).toBe("OK");
    expect(rig.board.gateState).toBe(GateState.DRAINING);
  });

  it("is refused without one, if the agreement says that", () => {
    const { rig, log } = opened({ pauseBeforeProof: false });
    const pause = rig.order(PAUSE);
    expect(verdictOf(rig, pause)).toBe("LOG_PROOF_MISSING");
    expect(rig.board.gateState).toBe(GateState.OPEN);
    expect(verdictOf(rig, pause, log.prove(rig, ObjectType.ORDER, pause))).toBe("OK");
  });

  it("that pauses comes with its own proof or with none", () => {
    const { rig, log } = opened();
    const proof = log.prove(rig, ObjectType.ORDER, rig.order(PAUSE, { drainTicks: 7n }));
    expect(verdictOf(rig, rig.order(PAUSE), proof)).toBe("LOG_INCLUSION");
    expect(rig.board.gateState).toBe(GateState.OPEN);
  });

  it("that does anything else is never taken before its proof", () => {
    const { rig, log } = opened();
    const elsewhere = { scope: [new Uint8Array(33)] };
    expect(verdictOf(rig, rig.order(SLOW, { permille: 10 }))).toBe("LOG_PROOF_MISSING");
    expect(verdictOf(rig, rig.order(PAUSE, elsewhere))).toBe("LOG_PROOF_MISSING");
    expect(verdictOf(rig, rig.order(RESUME))).toBe("LOG_PROOF_MISSING");
    rig.obey(PAUSE);
    const resume = rig.order(RESUME);
    expect(verdictOf(rig, resume)).toBe("LOG_PROOF_MISSING");
    expect(verdictOf(rig, resume, log.prove(rig, ObjectType.ORDER, resume))).toBe("OK");
  });
});

describe("the tree that a governor has seen", () => {
  it("outlasts a power cut, and is the one to be continued", () => {
    const { rig, log } = opened();
    const head = rig.info().logHead;
    rig.restart();
    expect(rig.info().logHead).toEqual(head);
    const license = rig.license();
    const proof = new BenchLog(3).prove(rig, ObjectType.LICENSE, license);
    expect(rig.verdict(Command.LICENSE, license, proof)).toBe("LOG_ROLLED_BACK");
    expect(rig.verdict(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license))).toBe("OK");
  });

  it("is not moved by a proof that is refused", () => {
    const { rig, log } = opened();
    const head = rig.info().logHead;
    const license = rig.license();
    rig.verdict(Command.LICENSE, license, log.prove(rig, ObjectType.LICENSE, license, { by: [0] }));
    expect(rig.info().logHead).toEqual(head);
  });

  it("is forgotten with the agreement that named the log", () => {
    const { rig, log } = opened();
    rig.obey(PAUSE);
    rig.board.advance(200);
    const next = signAgreement(agreementOf({ version: 2, log: rig.agreement.log! }), PARTIES.slice(0, 2));
    expect(rig.verdict(Command.AGREEMENT, next)).toBe("LOG_PROOF_MISSING");
    expect(rig.verdict(Command.AGREEMENT, next, log.prove(rig, ObjectType.AGREEMENT, next))).toBe("OK");
    expect(rig.info().logHead).toEqual({ size: 0n, root: new Uint8Array(32) });
  });

  it("is lost with the journal, and with it nothing else is public by itself: a recovery needs its proof", () => {
    const { rig, log } = opened();
    loseJournal(rig);
    const recovery = rig.recovery();
    expect(rig.verdict(Command.RECOVER, recovery)).toBe("LOG_PROOF_MISSING");
    expect(rig.verdict(Command.RECOVER, recovery, log.prove(rig, ObjectType.RECOVERY, recovery))).toBe("OK");
    expect(rig.info().logHead!.size).toBe(BigInt(log.size));
  });
});

describe("an agreement without a log", () => {
  it("takes no proof with anything, and shows no head", () => {
    const rig = Rig.ready();
    const log = new BenchLog(1);
    const license = rig.license();
    const proof = log.proof(log.append(ObjectType.LICENSE, license));
    expect(rig.info().logHead).toBeUndefined();
    expect(rig.verdict(Command.LICENSE, license, proof)).toBe("LOG_NOT_AGREED");
    expect(rig.verdict(Command.ORDER, rig.order(PAUSE), proof)).toBe("LOG_NOT_AGREED");
    const fresh = new Rig();
    fresh.board.powerOn();
    const agreement = signAgreement(fresh.agreement, PARTIES);
    expect(fresh.verdict(Command.AGREEMENT, agreement, proof)).toBe("LOG_NOT_AGREED");
    expect(fresh.verdict(Command.AGREEMENT, agreement)).toBe("OK");
  });
});

describe("the agreement's flash", () => {
  it("is where the log's keys come from: without it nothing is taken for public", () => {
    const { rig, log } = opened();
    const license = rig.license();
    const proof = log.prove(rig, ObjectType.LICENSE, license);
    for (const slot of [0, 1]) rig.board.flash.erase(FlashShape.AGREEMENT_SECTOR + slot);
    expect(rig.verdict(Command.LICENSE, license, proof)).toBe("AGREEMENT_MISSING");
  });

  it("may hold another agreement by no means: it is the fused one or none", () => {
    const { rig, log } = opened();
    const license = rig.license();
    const forged = { ...logTermsOf(), witnesses: logTermsOf().witnesses.slice(0, 1), witnessQuorum: 1 };
    const bytes = signAgreement(agreementOf({ log: forged }), PARTIES);
    const sector = new Uint8Array(FlashShape.SECTOR_BYTES).fill(0xff);
    new DataView(sector.buffer).setUint32(0, bytes.length, true);
    sector.set(bytes, 4);
    rig.board.flash.erase(FlashShape.AGREEMENT_SECTOR);
    for (let page = 0; page < sector.length; page += FlashShape.PAGE_BYTES) {
      rig.board.flash.program(page, sector.subarray(page, page + FlashShape.PAGE_BYTES));
    }
    const proof = log.prove(rig, ObjectType.LICENSE, license, { by: [0] });
    expect(rig.verdict(Command.LICENSE, license, proof)).toBe("AGREEMENT_MISSING");
  });
});
