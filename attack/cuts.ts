/** Power cuts: a whole life of a device, cut at each of its operations on flash, fuses, counter and gate. */
import { type Campaign, type Cases, runCases } from "./campaign.ts";
import { goesOn, life, losesPower } from "./life.ts";
import { Rig } from "./rig.ts";

export const cuts: Campaign = {
  name: "cuts",
  about: "the power cut at every operation of a whole life: license, work, report, pause, drain, resume",
  claim: "the device boots, has counted all of its work, and can be licensed and paused",
  run: (options) => runCases("cuts", operationCuts(), options),
};

function operationCuts(): Cases {
  const rig = Rig.ready();
  const from = rig.board.snapshot();
  const first = rig.board.supply.operations;
  life(rig);
  const count = rig.board.supply.operations - first;
  return {
    count,
    idOf: (index) => `op${index}`,
    indexOf(id) {
      const index = /^op(\d{1,6})$/.exec(id)?.[1];
      return index !== undefined && Number(index) < count ? Number(index) : undefined;
    },
    run(index) {
      rig.board.restore(from);
      rig.board.supply.cutAfterOperations(index);
      losesPower(() => life(rig));
      rig.board.supply.clear();
      goesOn(rig);
      return "went on";
    },
  };
}
