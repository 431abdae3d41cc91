/** Attacks with objects in the wrong place: every kind of signed object offered as every other. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { signAgreement } from "../../host/objects/agreement.ts";
import { agreementOf, PARTIES, type Rig } from "../rig.ts";
import type { Attack } from "./attack.ts";
import { distinct, hold, nothingWorks } from "./proof.ts";

/** Good objects of every kind, with the command that takes them; none takes what the governor signs. */
function everyObject(rig: Rig): [name: string, command: Command | undefined, object: Uint8Array][] {
  return [
    ["license", Command.LICENSE, rig.license()],
    ["order", Command.ORDER, rig.order(OrderAction.PAUSE)],
    ["resume", Command.ORDER, rig.order(OrderAction.RESUME)],
    ["beacon", Command.BEACON, rig.beacon()],
    ["time proof", Command.TIME_PROOF, rig.timeProof()],
    ["recovery", Command.RECOVER, rig.recovery()],
    ["agreement", Command.AGREEMENT, signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2))],
    ["report", undefined, rig.report().bytes],
    ["evidence", undefined, rig.ask(Command.EVIDENCE, new Uint8Array(32))[1] as Uint8Array],
    ["certificate", undefined, rig.ask(Command.IDENTITY)[1] as Uint8Array],
  ];
}

const TAKERS = [
  Command.AGREEMENT,
  Command.TIME_PROOF,
  Command.BEACON,
  Command.LICENSE,
  Command.ORDER,
  Command.RECOVER,
] as const;

export const OBJECTS: readonly Attack[] = [
  {
    name: "report-as-license",
    who: "operator",
    hope: "that the governor takes its own signature for the quorum's",
    defense: "a license is a COSE_Sign by the parties, a report a COSE_Sign1 under another AAD",
    says: ["COSE_TAG"],
    run(bench) {
      const rig = bench.ready();
      const verdict = rig.verdict(Command.LICENSE, rig.report().bytes);
      nothingWorks(rig);
      return [verdict];
    },
  },
  {
    name: "every-object-as-every-other",
    who: "operator",
    hope: "that a signature on one kind of object serves as another",
    defense: "each kind has its own form, claims and external AAD",
    says: ["refused"],
    run(bench) {
      const rig = bench.ready();
      const objects = everyObject(rig);
      const before = rig.board.snapshot();
      const said: string[] = [];
      for (const [name, own, object] of objects) {
        for (const command of TAKERS.filter((taker) => taker !== own)) {
          rig.board.restore(before);
          const verdict = rig.verdict(command, object);
          hold(verdict !== "OK", `a ${name} was taken by command ${command}`);
          nothingWorks(rig);
          said.push("refused");
        }
      }
      hold(said.length === 53, `${said.length} pairs were tried`);
      return distinct(said);
    },
  },
];
