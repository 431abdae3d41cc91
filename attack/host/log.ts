/** Attacks on the log: whoever has the license quorum with them, and would license, resume or amend in secret. */
import { FlashShape } from "../../firmware/protocol/board.ts";
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { commitmentOf, encodeEntry } from "../../host/log/entry.ts";
import { signAgreement } from "../../host/objects/agreement.ts";
import { BenchLog, logTermsOf, type ProofChange, sizeSeen } from "../log.ts";
import { agreementOf, PARTIES, type Rig } from "../rig.ts";
import type { Attack, Attacker } from "./attack.ts";
import type { Bench } from "./bench.ts";
import { gate, hold, nothingWorks, SMALL } from "./proof.ts";

const LICENSE = Command.LICENSE;
const ORDER = Command.ORDER;

/** A board that has seen an honest log once, and that log: a license of a moment is in it, and over. */
function watched(bench: Bench, commitments = false): { rig: Rig; log: BenchLog } {
  const rig = bench.ready({ log: logTermsOf({ commitments }) });
  const log = new BenchLog(5);
  const license = rig.license({ ...SMALL, ticksMax: 1n });
  rig.must(rig.send(LICENSE, license, log.prove(rig, ObjectType.LICENSE, license)));
  rig.board.advance(1);
  return { rig, log };
}

/** Offers a license that is good but for its proof, which `prove` makes. */
function licensed(
  name: string,
  who: Attacker,
  hope: string,
  defense: string,
  says: string,
  prove: (rig: Rig, log: BenchLog, license: Uint8Array) => Uint8Array | undefined,
  commitments = false,
): Attack {
  return {
    name,
    who,
    hope,
    defense,
    says: [says],
    run(bench) {
      const { rig, log } = watched(bench, commitments);
      const license = rig.license();
      const said = rig.verdict(LICENSE, license, prove(rig, log, license));
      nothingWorks(rig);
      return [said];
    },
  };
}

/** The proof of an honest log, but for what is changed. */
const honest = (change: (rig: Rig) => ProofChange) => (rig: Rig, log: BenchLog, license: Uint8Array) =>
  log.prove(rig, ObjectType.LICENSE, license, change(rig));

function paused(bench: Bench): { rig: Rig; log: BenchLog } {
  const { rig, log } = watched(bench);
  rig.obey(OrderAction.PAUSE);
  return { rig, log };
}

export const LOGS: readonly Attack[] = [
  licensed(
    "license-in-secret",
    "license quorum",
    "to license a friend's device without a trace",
    "under log terms a license is nothing without its proof",
    "LOG_PROOF_MISSING",
    () => undefined,
  ),
  licensed(
    "license-under-another-entry",
    "license quorum",
    "to show the proof of a license that everybody may see, with another one",
    "the governor hashes the entry from the license itself",
    "LOG_INCLUSION",
    (rig, log) => log.prove(rig, ObjectType.LICENSE, rig.license(SMALL)),
  ),
  licensed(
    "license-hidden-from-the-index",
    "log",
    "to log the commitment of a license under no device's name, so that nobody who asks for the device finds it",
    "the governor writes the entry from the devices that the license names",
    "LOG_INCLUSION",
    (rig, log, license) => {
      const salt = new Uint8Array(32);
      const commitment = commitmentOf(salt, license);
      const entry = encodeEntry({ kind: "commitment", type: ObjectType.LICENSE, commitment, subjects: [] });
      return log.proof(log.appendEntry(entry, salt), { at: rig.nowSeconds, from: sizeSeen(rig) });
    },
    true,
  ),
  licensed(
    "log-forked",
    "log and its witnesses",
    "to show the device a log of its own",
    "the device has seen the log before: what it is shown must go on from there",
    "LOG_FORKED",
    (rig, _log, license) => {
      const fork = new BenchLog(5);
      for (let i = 0; i < 9; i++) fork.appendEntry(Uint8Array.of(i));
      return fork.prove(rig, ObjectType.LICENSE, license);
    },
  ),
  licensed(
    "log-rolled-back",
    "log and its witnesses",
    "to put a license into the log's past",
    "no tree is smaller than the one that was seen",
    "LOG_ROLLED_BACK",
    (rig, _log, license) => new BenchLog(2).prove(rig, ObjectType.LICENSE, license),
  ),
  licensed(
    "log-without-witnesses",
    "log",
    "to show the device a head that nobody else will see",
    "a head that no witness has cosigned counts for nothing",
    "LOG_WITNESS_MISSING",
    honest(() => ({ by: [] })),
  ),
  licensed(
    "log-with-a-witness-too-few",
    "log and one witness",
    "the same with a friend among the witnesses",
    "as many witnesses as the agreement says",
    "LOG_WITNESS_QUORUM",
    honest(() => ({ by: [2] })),
  ),
  licensed(
    "log-with-one-witness-twice",
    "log and one witness",
    "that one witness counts as two",
    "witnesses stand in the agreement's order, each once",
    "LOG_WITNESS_UNKNOWN",
    honest(() => ({ by: [2, 2] })),
  ),
  licensed(
    "log-head-hoarded",
    "operator",
    "to use a head of long ago, of before a fork was found",
    "cosignatures are as old as the agreement allows, by the device's own clock",
    "LOG_STALE",
    honest((rig) => ({ at: rig.nowSeconds - 3601 })),
  ),
  licensed(
    "log-of-a-bigger-tree",
    "log",
    "to prove inclusion in a tree that was never cosigned",
    "receipt and checkpoint are of one tree",
    "LOG_TREE_SIZE",
    (rig, log, license) => {
      const index = log.append(ObjectType.LICENSE, license);
      const checkpointSize = log.size;
      log.appendEntry(Uint8Array.of(1));
      return log.proof(index, { at: rig.nowSeconds, from: sizeSeen(rig), checkpointSize });
    },
  ),
  {
    name: "resume-in-secret",
    who: "license quorum",
    hope: "to lift a pause for one device where nobody sees it",
    defense: "a pause may come before its proof, a resume never",
    says: ["LOG_PROOF_MISSING", "PAUSED"],
    run(bench) {
      const { rig } = paused(bench);
      const said = rig.verdict(ORDER, rig.order(OrderAction.RESUME));
      nothingWorks(rig);
      return [said, gate(rig)];
    },
  },
  {
    name: "recovery-in-secret",
    who: "license quorum",
    hope: "to lift a pause by a recovery that says there was none",
    defense: "a recovery is public like a resume",
    says: ["LOG_PROOF_MISSING", "LOCKED"],
    run(bench) {
      const { rig } = paused(bench);
      rig.board.cutPower();
      for (let sector = FlashShape.JOURNAL_SECTOR; sector < rig.board.flash.sectors; sector++) {
        rig.board.flash.erase(sector);
      }
      rig.board.powerOn();
      const said = rig.verdict(Command.RECOVER, rig.recovery());
      nothingWorks(rig);
      return [said, gate(rig)];
    },
  },
  {
    name: "amendment-in-secret",
    who: "license quorum",
    hope: "to amend the agreement so that nothing has to be logged any more",
    defense: "an amendment is public by the terms of the agreement that it amends",
    says: ["LOG_PROOF_MISSING"],
    run(bench) {
      const { rig } = watched(bench);
      const version = rig.info().agreementVersion;
      const said = rig.verdict(Command.AGREEMENT, signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2)));
      hold(rig.info().agreementVersion === version, "the agreement was amended");
      return [said];
    },
  },
];
