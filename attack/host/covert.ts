/** What a governor could tell beside what it must: every field is of fixed size, and determined by its state. */
import { Command } from "../../firmware/protocol/commands.ts";
import { decodeEvidence, encodeEvidence } from "../../host/objects/evidence.ts";
import { parseSign1 } from "../../host/protocol/cose.ts";
import type { Rig } from "../rig.ts";
import type { Attack } from "./attack.ts";
import { hold, tensorWork } from "./proof.ts";

const NONCE = new Uint8Array(32).fill(7);

function evidenceOf(rig: Rig): Uint8Array {
  return rig.ask(Command.EVIDENCE, NONCE)[1] as Uint8Array;
}

export const COVERT: readonly Attack[] = [
  {
    name: "channel-in-the-signature",
    who: "maker of another governor",
    hope: "to hide a message in the signatures that this one makes",
    defense:
      "Ed25519 is deterministic (RFC 8032): the same claims give the same bytes, however often and after a reset",
    says: ["the same bytes"],
    run(bench) {
      const rig = bench.open();
      tensorWork(rig, 10);
      const { bytes } = rig.report();
      const before = evidenceOf(rig);
      hold(Buffer.compare(before, evidenceOf(rig)) === 0, "the same state gave other evidence");
      rig.restart();
      const again = rig.report(Command.REPORT_AGAIN).bytes;
      return [Buffer.compare(bytes, again) === 0 ? "the same bytes" : "other bytes"];
    },
  },
  {
    name: "channel-in-what-is-drawn-by-lot",
    who: "maker of another governor",
    hope: "to hide a message in fields that nothing determines",
    defense: "two boards with one life differ in challenge and boot seed only, 32 bytes each, and in no length",
    says: ["bootSeed", "challenge"],
    run(bench) {
      const [one, other] = [bench.open(), bench.open()];
      const random = bench.random("the other's chance");
      other.board.trng.fill = (destination) => random.fill(destination);
      const claims = [one, other].map((rig) => {
        rig.restart();
        tensorWork(rig, 10);
        return decodeEvidence(parseSign1(evidenceOf(rig)).payload);
      });
      const [a, b] = claims as [(typeof claims)[0], (typeof claims)[0]];
      hold(encodeEvidence(a).length === encodeEvidence(b).length, "chance changes a length");
      const differs = ([name, value]: [string, unknown]) => show(value) !== show(b[name as keyof typeof b]);
      return Object.entries(a)
        .filter(differs)
        .map(([name]) => name)
        .sort();
    },
  },
];

function show(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? String(item) : item));
}
