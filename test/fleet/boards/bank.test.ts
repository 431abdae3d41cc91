/** A board of a bank does, to the bit, what a board of its own does: the same answers, memories, work and time. */
import { describe, expect, it } from "vitest";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Office } from "../../../fleet/actors/office.ts";
import { loadOf, termsOf } from "../../../fleet/actors/terms.ts";
import { BoardBank } from "../../../fleet/boards/bank.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { Board } from "../../../sim-board/board.ts";
import type { Manufactured } from "../../../sim-board/factory.ts";
import { governorImage } from "../../rig.ts";
import { parametersOf } from "../parameters.ts";

const SHAPE = { image: governorImage(), flashSectors: 6, timerSeconds: 5 } as const;
const parameters = parametersOf({ agreement: { sliceSeconds: 10 } });
const load = loadOf(parameters);

/** One step of a board's life. */
type Step = (board: Board, mailbox: Mailbox, office: Office, made: Manufactured) => unknown;

const nowOf = (board: Board) => board.seconds * 1000;
const LIFE: readonly Step[] = [
  (board) => board.powerOn(),
  (_, mailbox, office) => mailbox.agreement(office.agreementBytes),
  (board, mailbox, office) => mailbox.timeProof(office.timeProof(nowOf(board), mailbox.timeChallenge())),
  (board, mailbox, office, { ueid, devicePublicKey }) => {
    const device = office.enroll(ueid, devicePublicKey, mailbox.identity());
    const evidence = office.takeEvidence(device, mailbox.evidence(new Uint8Array(32)));
    mailbox.license(office.license(device, evidence, nowOf(board)));
    board.submit(load.work);
  },
  (board) => board.advance(47),
  (_, mailbox) => mailbox.report(),
  (board) => {
    board.cutPower();
    return board.powerOn();
  },
  (board, mailbox, office) => mailbox.timeProof(office.timeProof(nowOf(board), mailbox.timeChallenge())),
  (board) => {
    board.submit(load.work);
    board.advance(33);
  },
  (_, mailbox) => mailbox.report(),
];

/** Everything that a board is, without the objects that it is held in. */
function whole(board: Board): unknown {
  const { observers, image: _image, ...rest } = board.snapshot();
  return structuredClone({ ...rest, observers: [...observers.values()] });
}

describe("a board of a bank", () => {
  it("is what a board of its own is after each step of its life, whichever others worked meanwhile", () => {
    const boards = 3;
    const bank = new BoardBank({ ...SHAPE, boards });
    const alone = Array.from({ length: boards }, (_, i) => new Board({ ...SHAPE, seed: `seed ${i}` }));
    const office = new Office("office", termsOf(parameters, load));
    const banked = Array.from({ length: boards }, (_, i) => bank.manufacture(i, `seed ${i}`));
    const made = alone.map((board) => board.manufacture());
    expect(banked).toEqual(made);
    LIFE.forEach((step, at) => {
      for (let i = 0; i < boards; i++) {
        const board = bank.take(i);
        const here = step(board, new Mailbox((request) => board.request(request)), office, made[i]!);
        const there = step(alone[i]!, new Mailbox((request) => alone[i]!.request(request)), office, made[i]!);
        expect(here).toEqual(there);
        expect(whole(board), `step ${at} of board ${i}`).toEqual(whole(alone[i]!));
      }
      // Memories are kept by what they differ in from another board's, from some step on.
      if (at === 4) bank.referTo(1);
    });
    expect(alone[0]!.accelerator.lifetimeOf(EngineClass.TENSOR_BF16)).toBeGreaterThan(0n);
    expect(bank.bytesAtRest).toBeLessThan(boards * 12 * 1024);
  });

  it("takes few bytes where it differs little from the others", () => {
    const boards = 20;
    const bank = new BoardBank({ ...SHAPE, boards, invariants: "work" });
    const office = new Office("office", termsOf(parameters, load));
    for (let i = 0; i < boards; i++) {
      const made = bank.manufacture(i, `seed ${i}`);
      const board = bank.take(i);
      const mailbox = new Mailbox((request) => board.request(request));
      for (const step of LIFE.slice(0, 5)) step(board, mailbox, office, made);
      if (i === 0) bank.referTo(0);
    }
    expect(bank.bytesAtRest).toBeLessThan(boards * 6 * 1024);
  });
});
