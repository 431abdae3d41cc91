/** Attacks on the meter: work that nobody declared, or declared as less; counters that are reset or at their end. */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { COUNTER_PART } from "../../sim-board/parts/counter.ts";
import type { Attack } from "./attack.ts";
import { BF16, COPY, gate, hold, nothingWorks, tensorWork, work } from "./proof.ts";
import { renew, verifierOf, verifierSays } from "./verifier.ts";

const FP8 = EngineClass.TENSOR_FP8;
/** Steps of the counter that are kept back from grants, and some for work. */
const COUNTER_LIFE = 256 + 20;

export const METER: readonly Attack[] = [
  {
    name: "engine-undeclared",
    who: "operator",
    hope: "to work on an engine that the license does not speak of",
    defense: "classes are default-deny: no credit, no work, and the report says how often it was tried",
    says: ["denied"],
    run(bench) {
      const rig = bench.open();
      const done = work(rig, 60, { work: new Map([[FP8, 10n ** 15n]]) })[FP8]!;
      hold(done === 0n, `${done} operations of a class without credit`);
      return [rig.report().report.denied[FP8]! > 0n ? "denied" : "not counted"];
    },
  },
  {
    name: "size-misdeclared",
    who: "operator",
    hope: "to pass a hundred times the work off as a small job",
    defense: "nothing that a host declares is counted: totals come from the hardware's counters, slice by slice",
    says: ["counted whole"],
    run(bench) {
      const rig = bench.open();
      const small = { name: "a small job", measured: true, work: new Map([[BF16, 10n ** 16n]]) };
      const done = work(rig, 200, small)[BF16]!;
      hold(done > 0n, "nothing was done");
      return [rig.report().report.totals[BF16] === done ? "counted whole" : "counted as something else"];
    },
  },
  {
    name: "accelerator-reset-alone",
    who: "operator",
    hope: "to lose the work counters by resetting the accelerator without the governor",
    defense: "a counter that runs backward locks the gate, and what was out counts as done",
    says: ["LOCKED", "METER_REGRESSED"],
    run(bench) {
      const rig = bench.open();
      tensorWork(rig, 10);
      rig.must(rig.send(Command.REPORT));
      rig.board.accelerator.reset();
      rig.board.advance(2);
      const reason = rig.lastReason;
      nothingWorks(rig);
      hold(rig.info().totals[BF16]! >= rig.done(BF16), "work was forgotten");
      return [gate(rig), reason];
    },
  },
  {
    name: "counter-frozen",
    who: "maker of the accelerator",
    hope: "that work is not counted, since the hardware's work counter stands still",
    defense:
      "two measures must agree: credit used up and work counted; what the counter leaves out locks the gate, and all that was out counts as done",
    says: ["LOCKED", "METER_UNCOUNTED"],
    run(bench) {
      const rig = bench.open();
      tensorWork(rig, 10);
      const { accelerator } = rig.board;
      const stuckAt = accelerator.retiredOf(BF16);
      const honest = accelerator.retiredOf.bind(accelerator);
      accelerator.retiredOf = (engineClass) => (engineClass === BF16 ? stuckAt : honest(engineClass));
      tensorWork(rig, 10);
      const reason = rig.lastReason;
      nothingWorks(rig);
      hold(rig.info().totals[BF16]! >= rig.done(BF16), "work was forgotten");
      return [gate(rig), reason];
    },
  },
  {
    name: "counter-at-its-end",
    who: "operator",
    hope: "to wear the monotonic counter out, so that nothing can be recorded any more",
    defense: "the last steps are kept back from grants: the gate closes in order, usage is reported, nothing wraps",
    says: ["IDLE", "JOURNAL_COUNTER_WORN", "OK"],
    run(bench) {
      const rig = bench.open({ sliceTicks: 1000n }, { counterLifeSteps: COUNTER_LIFE });
      for (let minute = 0; minute < 5; minute++) {
        work(rig, 60);
        rig.must(rig.send(Command.BEACON, rig.beacon()));
      }
      const reason = rig.lastReason;
      nothingWorks(rig);
      const told = rig.verdict(Command.REPORT);
      hold(rig.info().totals[BF16]! >= rig.done(BF16), "work was forgotten");
      return [gate(rig), reason, told];
    },
  },
  {
    name: "counter-spent-by-resets",
    who: "operator",
    hope: "to bring the device to its end by cutting the power: it never boots again, nor pauses",
    defense: "one step a boot wears the operator's own board, toward closed",
    says: ["JOURNAL_COUNTER_WORN", "LOCKED"],
    run(bench) {
      const rig = bench.open({}, { counterLifeSteps: COUNTER_LIFE });
      let said = "OK";
      for (let boots = 0; said === "OK" && boots < COUNTER_LIFE; boots++) said = rig.powerCycle();
      nothingWorks(rig);
      hold(rig.board.counter.read() <= COUNTER_PART.lifeSteps, "the counter wrapped");
      return [said, gate(rig)];
    },
  },
  {
    name: "usage-never-reported",
    who: "operator",
    hope: "to work on and on without reporting",
    defense:
      "evidence names the newest report, and what is not with the verifier gets no next license; the totals are in it too",
    says: ["evidence/report-missing"],
    run(bench) {
      const rig = bench.ready();
      const verifier = verifierOf(rig);
      renew(rig, verifier);
      const done = work(rig, 60)[COPY]!;
      hold(done > 0n, "nothing was done");
      rig.must(rig.send(Command.REPORT));
      return [verifierSays(() => renew(rig, verifier))];
    },
  },
];
