/** Attacks by the plug and by the flash chip: cut for budget and for rate, an older flash put back. */
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import type { Attack } from "./attack.ts";
import { atMost, BF16, gate, hold, nothingWorks, SMALL, tensorWork } from "./proof.ts";

const BUDGET = SMALL.budget.get(BF16)!;
const CUTS = 40;

export const POWER: readonly Attack[] = [
  {
    name: "power-cut-for-budget",
    who: "operator",
    hope: "that work between two records is forgotten when the plug is pulled",
    defense: "a slice is reserved in the journal before it is granted; after a cut it counts as done",
    says: ["counted"],
    run(bench) {
      const rig = bench.ready({ sliceTicks: 1000n });
      const random = bench.random("cuts");
      rig.must(rig.send(Command.LICENSE, rig.license(SMALL)));
      for (let cut = 0; cut < CUTS; cut++) {
        rig.board.submit({
          name: "work",
          durationSeconds: 9,
          measured: true,
          work: new Map([[BF16, 9n * 10n ** 14n]]),
        });
        rig.board.advance(random.below(1000) / 1000);
        rig.restart();
        hold(rig.info().totals[BF16]! >= rig.done(BF16), "work was forgotten");
      }
      atMost(rig, BUDGET, "the license");
      return ["counted"];
    },
  },
  {
    name: "power-cut-for-rate",
    who: "operator",
    hope: "a full bucket with each power-up, where a slow order is in force",
    defense: "under a cap the buckets are empty at power-up and fill by ticks",
    says: ["SLOWED"],
    run(bench) {
      const rig = bench.open();
      rig.obey(OrderAction.SLOW, { permille: 10 });
      const before = rig.done(BF16);
      for (let cut = 0; cut < CUTS; cut++) {
        rig.must(rig.send(Command.LICENSE, rig.license()));
        tensorWork(rig, 20);
        rig.restart();
      }
      rig.must(rig.send(Command.LICENSE, rig.license()));
      const done = rig.done(BF16) - before;
      const most = BigInt(20 * CUTS) * 10n ** 13n;
      hold(done <= most, `${done} operations in ${20 * CUTS} seconds: the rate allows ${most}`);
      return [gate(rig)];
    },
  },
  {
    name: "flash-of-before",
    who: "operator",
    hope: "to put the flash back that has the license unspent",
    defense: "each record is bound to the monotonic counter: an older one does not fit it",
    says: ["JOURNAL_ROLLBACK", "GATE_LOCKED", "LOCKED"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license(SMALL);
      const flash = rig.board.flash.image();
      rig.must(rig.send(Command.LICENSE, license));
      tensorWork(rig, 5);
      rig.board.cutPower();
      rig.board.flash.replace(flash);
      const boot = rig.powerCycle();
      nothingWorks(rig);
      return [boot, rig.verdict(Command.LICENSE, license), gate(rig)];
    },
  },
];
