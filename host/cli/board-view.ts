/** What there is to see of a board: state, fuses, journal, meter, sizes. */
import { Fuse, Lifecycle } from "../../firmware/protocol/board.ts";
import { Board } from "../../sim-board/board.ts";
import { COUNTER_PART } from "../../sim-board/parts/counter.ts";
import { FLASH_PART } from "../../sim-board/parts/flash.ts";
import { Mailbox } from "../mailbox.ts";
import type { Info } from "../objects/evidence.ts";
import { readAgreement } from "./explain/keys.ts";
import { loadGovernor } from "./firmware.ts";
import { readObject } from "./input.ts";
import { type JournalRecord, readJournal } from "./journal.ts";
import {
  actionName,
  bootStepName,
  classKey,
  className,
  codeName,
  countText,
  exactText,
  stateName,
  timeText,
} from "./names.ts";
import { color, facts, hex, print, printJson, table } from "./output.ts";

const JOURNAL_SHOWN = 8;

export type BoardChoice = { seed: number; agreement?: string };

/** A fresh board, booted, and provisioned if there is an agreement. Throws a `Refusal`, a `CliError`. */
export function boardOf({ seed, agreement }: BoardChoice): { board: Board; mailbox: Mailbox; ueid: Uint8Array } {
  const tickHz = agreement === undefined ? undefined : readAgreement(agreement).tickHz;
  const board = new Board({ image: loadGovernor(), seed, tickHz });
  const { ueid } = board.manufacture();
  board.powerOn();
  const mailbox = new Mailbox((request) => board.request(request));
  if (agreement !== undefined) mailbox.agreement(readObject(agreement));
  return { board, mailbox, ueid };
}

/** Prints what is to be seen of a board. Throws a `Refusal`, a `CliError`. */
export function showBoard(choice: BoardChoice, asJson: boolean): void {
  const { board, mailbox, ueid } = boardOf(choice);
  const view = viewOf(board, mailbox.info(), ueid, choice.seed);
  if (asJson) printJson(view);
  else printView(view);
}

type View = ReturnType<typeof viewOf>;

function viewOf(board: Board, info: Info, ueid: Uint8Array, seed: number) {
  const { state: stateBytes, memory } = board.governorBytes;
  const journal = readJournal(board.flash);
  return {
    seed,
    firmware: { sha256: board.image.sha256, bytes: board.image.bytes.length, pages: memory / 65_536, stateBytes },
    device: { ueid, chip: board.accelerator.chip.title, model: Buffer.from(info.hardwareModel).toString("latin1") },
    state: {
      gate: stateName(board.gateState),
      lastCode: codeName(board.lastCode),
      bootProgress: board.bootProgress,
      bootStep: bootStepName(board.bootProgress),
      bootCount: info.bootCount,
      svn: info.svn,
      agreementVersion: info.agreementVersion,
      agreement: info.agreementDigest,
      epoch: info.epoch,
      licenseSequence: info.licenseSequence,
      reportSequence: info.reportHead.sequence,
      timeBounds: info.timeBounds,
      failures: info.failures,
      tamper: info.tamper,
      ticks: board.ticks,
    },
    fuses: fusesOf(board),
    journal: { records: journal.length, newest: journal.slice(-JOURNAL_SHOWN).map(recordView) },
    wear: {
      counter: board.counter.read(),
      counterLife: board.counter.lifeSteps,
      sectorErases: board.flash.erases.reduce((sum, erases) => sum + erases, 0),
      flashSectors: board.flash.sectors,
    },
    meter: info.totals.map((total, engineClass) => ({
      class: classKey(engineClass),
      total,
      budgetLeft: info.budgetLeft[engineClass]!,
      credit: board.accelerator.creditOf(engineClass),
    })),
  };
}

function fusesOf(board: Board) {
  const { fuses } = board;
  const lifecycle = fuses.read(Fuse.LIFECYCLE);
  const slots = Array.from({ length: Fuse.AGREEMENT_SLOTS as number }, (_, i) =>
    fuses.read(Fuse.AGREEMENT + (i + 1) * Fuse.AGREEMENT_SLOT_WORDS - 1),
  );
  return {
    words: Fuse.WORDS as number,
    secretLocked: fuses.secretLocked,
    manufactured: (lifecycle & Lifecycle.MANUFACTURED) !== 0,
    tampered: (lifecycle & Lifecycle.TAMPERED) !== 0,
    svnFloor: fuses.read(Fuse.SVN_FLOOR).toString(2).replaceAll("0", "").length,
    agreementSlotsUsed: slots.filter((marker) => marker !== 0).length,
    agreementSlots: Fuse.AGREEMENT_SLOTS as number,
  };
}

function recordView({ action, ...record }: JournalRecord) {
  return { ...record, action: actionName(action) };
}

function printView(view: View): void {
  const { firmware, device, state, fuses, journal, wear, meter } = view;
  const heading = (title: string, note = "") => print(`\n${color.bold(title)}${note && color.dim(`  ${note}`)}`);
  print(`${color.bold("board")}  ${device.chip}, seed ${view.seed}, device ${hex(device.ueid).slice(0, 18)}…`);
  heading("governor");
  print(
    facts([
      ["image", `sha256 ${hex(firmware.sha256)}`],
      ["size", `${exactText(firmware.bytes)} bytes of code, ${firmware.pages} pages of memory`],
      ["State block", `${exactText(firmware.stateBytes)} bytes: all that is one device`],
      ["gate", `${state.gate}  (${state.lastCode})`],
      ["boot", `step ${state.bootProgress}, ${state.bootStep}; power-up ${state.bootCount}`],
      [
        "agreement",
        state.agreementVersion === 0 ? "none" : `version ${state.agreementVersion}, ${hex(state.agreement)}`,
      ],
      ["epoch", `${state.epoch}`],
      ["license", state.licenseSequence === 0n ? "none yet" : `sequence ${state.licenseSequence}`],
      ["reports", state.reportSequence === 0n ? "none yet" : `${state.reportSequence}`],
      ["time", state.timeBounds ? timeText(state.timeBounds.lowerMs / 1000) : "unknown until a time proof"],
    ]),
  );
  heading("fuses", `${fuses.words} words of 32 bits`);
  print(
    facts([
      ["device secret", fuses.secretLocked ? "burnt, locked until the next reset" : "readable"],
      ["lifecycle", fuses.tampered ? "tampered" : fuses.manufactured ? "manufactured" : "blank"],
      ["SVN floor", `${fuses.svnFloor}; the governor's is ${state.svn}`],
      ["agreements", `${fuses.agreementSlotsUsed} of ${fuses.agreementSlots} slots used`],
    ]),
  );
  heading("journal", `${countText(journal.records, "record")} in ${wear.flashSectors} sectors of 4 KiB`);
  print(journalTable(journal.newest));
  print(
    facts([
      ["counter", `${exactText(wear.counter)} of ${exactText(wear.counterLife)} steps (${COUNTER_PART.name})`],
      [
        "flash",
        `${countText(wear.sectorErases, "erase")} of ${exactText(FLASH_PART.enduranceErases)} a sector (${FLASH_PART.name})`,
      ],
    ]),
  );
  heading("meter");
  const columns = [{ title: "class" }, ...["done", "budget left", "credit"].map((title) => ({ title, right: true }))];
  print(
    table(
      columns,
      meter.map((row, engineClass) => [
        className(engineClass),
        exactText(row.total),
        exactText(row.budgetLeft),
        exactText(row.credit),
      ]),
    ),
  );
}

function journalTable(records: View["journal"]["newest"]): string {
  const titles = ["sequence", "address", "power-ups", "epoch", "license", "reports", "failures"];
  return table(
    [...titles.map((title) => ({ title, right: true })), { title: "order" }],
    records.map((record) => [
      String(record.sequence),
      `0x${record.address.toString(16).padStart(5, "0")}`,
      String(record.bootCount),
      String(record.epoch),
      String(record.licenseSequence),
      String(record.reportSequence),
      String(record.failures),
      record.action,
    ]),
  );
}
