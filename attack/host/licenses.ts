/** Attacks with licenses: again, another's, of another time, several at once. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { signAgreement } from "../../host/objects/agreement.ts";
import { agreementOf, PARTIES, type Rig } from "../rig.ts";
import type { Attack } from "./attack.ts";
import type { Bench } from "./bench.ts";
import { atMost, BF16, distinct, gate, hold, nothingWorks, SMALL, tensorWork, work } from "./proof.ts";

const LICENSE = Command.LICENSE;
const BUDGET = SMALL.budget.get(BF16)!;

/** A board that has used up its license, and the license. */
function spent(bench: Bench): { rig: Rig; license: Uint8Array } {
  const rig = bench.ready();
  const license = rig.license(SMALL);
  rig.must(rig.send(LICENSE, license));
  work(rig, 60, { work: new Map([[BF16, 10n ** 16n]]) });
  hold(rig.done(BF16) === BUDGET, "an honest license does not give its budget");
  return { rig, license };
}

/** Offers a license for twice as much as this board may have; what it says. */
function refused(rig: Rig, license: Uint8Array): string {
  const verdict = rig.verdict(LICENSE, license);
  nothingWorks(rig);
  return verdict;
}

export const LICENSES: readonly Attack[] = [
  {
    name: "license-replay-in-session",
    who: "operator",
    hope: "the budget once more, from the license that is used up",
    defense: "sequences only rise, and the one that is spent stands in the journal",
    says: ["LICENSE_SEQUENCE_REPLAYED"],
    run(bench) {
      const { rig, license } = spent(bench);
      return [refused(rig, license)];
    },
  },
  {
    name: "license-replay-after-reset",
    who: "operator",
    hope: "that a reset makes the governor forget what is spent",
    defense: "the license is journaled before it gives anything",
    says: ["LICENSE_SEQUENCE_REPLAYED"],
    run(bench) {
      const { rig, license } = spent(bench);
      rig.restart();
      return [refused(rig, license)];
    },
  },
  {
    name: "license-replay-after-10000-resets",
    who: "operator",
    hope: "that the memory of it wears out, over many rounds of the journal",
    defense: "every record holds the whole Ledger; and replays cost a back-off that outlives the power",
    says: ["LICENSE_SEQUENCE_REPLAYED", "LICENSE_BACK_OFF", "LICENSE_SEQUENCE_REPLAYED"],
    run(bench) {
      const { rig, license } = spent(bench);
      const answers: string[] = [];
      for (let resets = 0; resets < bench.repeats; resets++) {
        hold(rig.powerCycle() === "OK", `power-up ${resets} says ${rig.lastReason}`);
        answers.push(rig.verdict(LICENSE, license));
      }
      rig.must(rig.syncTime());
      rig.board.advance(Number(rig.info().backOffTicks) / 1000 + 1);
      return [...distinct(answers), refused(rig, license)];
    },
  },
  {
    name: "license-of-another-device",
    who: "operator with two boards",
    hope: "to run a board on its neighbor's license",
    defense: "a license names the UEID, which is the device key's digest",
    says: ["LICENSE_DEVICE"],
    run(bench) {
      const other = bench.ready({}, { seed: `${bench.seed} other` });
      return [refused(bench.ready(), other.license())];
    },
  },
  {
    name: "license-with-the-challenge-of-another-boot",
    who: "operator",
    hope: "to keep a license for a later boot",
    defense: "an online license answers the challenge of this boot; the next has another",
    says: ["LICENSE_NONCE"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license();
      rig.restart();
      return [refused(rig, license)];
    },
  },
  {
    name: "license-of-an-old-epoch",
    who: "operator",
    hope: "to go on with a license from before an order",
    defense: "a license carries the epoch that it was issued in, and only the present one is taken",
    says: ["LICENSE_EPOCH"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license();
      rig.obey(OrderAction.PAUSE);
      rig.obey(OrderAction.RESUME);
      return [refused(rig, license)];
    },
  },
  {
    name: "license-by-an-old-key",
    who: "holder of one key too few",
    hope: "that a party which left the agreement still counts",
    defense: "the quorum is of the agreement that the fuses name; a kid outside of it counts for nothing",
    says: ["COSE_QUORUM", "LICENSE_AGREEMENT"],
    run(bench) {
      const rig = bench.ready();
      const [north, south] = PARTIES;
      const two = agreementOf({ version: 2, parties: rig.agreement.parties.slice(0, 2) });
      const old = rig.license({}, [north!, south!]);
      rig.must(rig.send(Command.AGREEMENT, signAgreement(two, [north!, south!])));
      const { agreementDigest } = rig.info();
      const left = rig.license({ agreementDigest }, [north!, PARTIES[2]!]);
      return [refused(rig, left), refused(rig, old)];
    },
  },
  {
    name: "license-for-a-later-firmware",
    who: "operator",
    hope: "to run a governor with a known hole on a license that asks for the fixed one",
    defense: "the license, and the agreement, name the least security version",
    says: ["LICENSE_SVN", "LICENSE_SVN"],
    run(bench) {
      const rig = bench.ready();
      const strict = bench.ready({ svnLeast: 2 });
      return [refused(rig, rig.license({ svnLeast: 2 })), refused(strict, strict.license())];
    },
  },
  {
    name: "licenses-out-of-order",
    who: "operator",
    hope: "to use the newer license first and the older one after it",
    defense: "the newer one's sequence voids all before it",
    says: ["LICENSE_SEQUENCE_REPLAYED"],
    run(bench) {
      const rig = bench.ready();
      const older = rig.license({ ...SMALL, nonce: undefined, sequence: 1n });
      rig.must(rig.send(LICENSE, rig.license({ ...SMALL, nonce: undefined, sequence: 2n })));
      const verdict = rig.verdict(LICENSE, older);
      work(rig, 120, { work: new Map([[BF16, 10n ** 16n]]) });
      atMost(rig, BUDGET, "one license");
      return [verdict];
    },
  },
  {
    name: "license-lost-and-found",
    who: "operator",
    hope: "a second budget: a license is said to be lost, another issued, and both are used",
    defense: "both answer one challenge, which is renewed when one of them is installed",
    says: ["LICENSE_NONCE"],
    run(bench) {
      const rig = bench.ready();
      const lost = rig.license({ ...SMALL, sequence: 2n });
      rig.must(rig.send(LICENSE, rig.license({ ...SMALL, sequence: 1n })));
      const verdict = rig.verdict(LICENSE, lost);
      work(rig, 120, { work: new Map([[BF16, 10n ** 16n]]) });
      atMost(rig, BUDGET, "one license");
      return [verdict];
    },
  },
  {
    name: "licenses-stockpiled",
    who: "operator",
    hope: "to pile up a hundred licenses and run on them after a pause",
    defense: "a license sets the allowance and adds nothing; an order voids all that were issued before",
    says: ["OK", "LICENSE_EPOCH"],
    run(bench) {
      const rig = bench.ready();
      const hoard = Array.from({ length: 100 }, (_, i) =>
        rig.license({ ...SMALL, nonce: undefined, sequence: BigInt(i + 1) }),
      );
      const half = hoard.splice(0, 50);
      const installed = half.map((license) => rig.verdict(LICENSE, license));
      work(rig, 120, { work: new Map([[BF16, 10n ** 16n]]) });
      atMost(rig, BUDGET, "one license");
      rig.obey(OrderAction.PAUSE);
      rig.obey(OrderAction.RESUME);
      const after = hoard.map((license) => rig.verdict(LICENSE, license));
      nothingWorks(rig);
      return distinct([...installed, ...after]);
    },
  },
  {
    name: "license-sequence-at-the-end",
    who: "license quorum",
    hope: "to use the sequence up, so that the device can never be licensed again",
    defense: "a license moves the sequence by 1,024 at most",
    says: ["LICENSE_SEQUENCE_JUMP", "OK"],
    run(bench) {
      const rig = bench.ready();
      const jump = refused(rig, rig.license({ sequence: 2n ** 64n - 1n }));
      return [jump, rig.verdict(LICENSE, rig.license())];
    },
  },
  {
    name: "license-over-the-caps",
    who: "license quorum",
    hope: "more than the agreement allows: budget, rate, ticks, drain, a class of its own",
    defense: "the caps are the agreement's, which takes the amend quorum to change",
    says: [
      "LICENSE_BUDGET_OVER_CAP",
      "LICENSE_RATE_OVER_CAP",
      "LICENSE_TICKS_OVER_CAP",
      "LICENSE_DRAIN_OVER_CAP",
      "LICENSE_CLASS",
    ],
    run(bench) {
      const over = [
        { budget: new Map([[BF16, 10n ** 20n + 1n]]) },
        { rate: new Map([[BF16, 10n ** 12n + 1n]]) },
        { ticksMax: 86_400_001n },
        { drain: new Map([[9, 10n ** 12n + 1n]]) },
        { budget: new Map([[0, 1n]]) },
      ];
      return over.map((change) => {
        const rig = bench.ready();
        return refused(rig, rig.license(change));
      });
    },
  },
  {
    name: "license-kept-by-staying-off",
    who: "operator",
    hope: "to switch off with a full license and come back when it suits",
    defense: "a license expires in agreement time, which takes a time proof on a nonce of this boot",
    says: ["IDLE", "LICENSE_SEQUENCE_REPLAYED"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license();
      rig.must(rig.send(LICENSE, license));
      rig.board.powerOff();
      rig.board.advance(7200);
      rig.must(rig.board.powerOn());
      rig.must(rig.syncTime());
      return [gate(rig), refused(rig, license)];
    },
  },
  {
    name: "license-ticks-saved-by-resets",
    who: "operator",
    hope: "to stretch a license of 10 minutes by cutting the power again and again",
    defense: "ticks are spent in the journal a slice period ahead",
    says: ["IDLE"],
    run(bench) {
      const rig = bench.ready();
      rig.must(rig.send(LICENSE, rig.license({ ticksMax: 600_000n })));
      let done = 0n;
      for (let cut = 0; cut < 30; cut++) {
        done += tensorWork(rig, 30);
        rig.restart();
      }
      hold(done <= 600n * 10n ** 14n, `${done} operations in a license of 600 seconds`);
      return [gate(rig)];
    },
  },
];
