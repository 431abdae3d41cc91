/** Single faults: every instruction that decides or has an effect, on every path that can open the gate, hit once. */
import { AttackSucceeded, type Campaign, type Cases, runCases } from "./campaign.ts";
import { FaultBench, type Passed } from "./faults/bench.ts";
import type { Scene } from "./faults/scenes.ts";
import { FAULT_KINDS, type FaultKind } from "./faults/sites.ts";
import { governorImage } from "./rig.ts";

export const faults: Campaign = {
  name: "faults",
  about: "one fault at each instruction that decides or acts, on each path that could open the gate where it must not",
  claim: "the accelerator gets no credit that no valid license gives",
  run: (options) => runCases("faults", singleFaults(new FaultBench(governorImage().bytes)), options),
};

/** Faults of one kind in one scene. */
type Group = {
  kind: FaultKind;
  scene: Scene;
  first: number;
  count: number;
  caseAt(index: number): { id: string; run(): string };
  indexOf(rest: string): number | undefined;
};

/** By kind, so that a share of them meets every kind; then by scene. */
export function singleFaults(bench: FaultBench): Cases {
  const groups = groupsOf(bench);
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const caseAt = (index: number) => {
    const group = groups.findLast(({ first }) => first <= index)!;
    return group.caseAt(index - group.first);
  };
  return {
    count,
    idOf: (index) => caseAt(index).id,
    indexOf(id) {
      const [scene, kind, rest = ""] = id.split(":");
      const group = groups.find((one) => one.scene.name === scene && one.kind === kind);
      const index = group?.indexOf(rest);
      return index === undefined ? undefined : group!.first + index;
    },
    run: (index) => caseAt(index).run(),
  };
}

function groupsOf(bench: FaultBench): Group[] {
  const passed = new Map(bench.scenes.map((scene) => [scene, bench.passedIn(scene)]));
  const groups = FAULT_KINDS.flatMap((kind) =>
    bench.scenes.map((scene) => placesGroup(bench, scene, kind, passed.get(scene)![kind])),
  );
  let next = 0;
  return groups
    .filter(({ count }) => count > 0)
    .map((group) => {
      const first = next;
      next += group.count;
      return { ...group, first };
    });
}

/** Every place in turn, and at each every way in which it can be hit. */
function placesGroup(bench: FaultBench, scene: Scene, kind: FaultKind, { at, sites }: Passed): Omit<Group, "first"> {
  const modesAt = (place: number) => bench.sites[sites[place]!]!.modes;
  const firsts = new Uint32Array(at.length + 1);
  for (const place of at.keys()) firsts[place + 1] = firsts[place]! + modesAt(place).length;
  return {
    kind,
    scene,
    count: firsts.at(-1)!,
    caseAt(index) {
      const place = lastAtMost(firsts, index);
      const mode = index - firsts[place]!;
      const site = bench.sites[sites[place]!]!;
      return {
        id: `${scene.name}:${kind}:${at[place]}.${mode}`,
        run: () =>
          explained(`${kind} at byte ${site.at} of function ${site.body}`, () => {
            const fault = { at: BigInt(at[place]!), mode: site.modes[mode]! };
            return `${kind}: ${bench.trialOf(scene).run([fault])}`;
          }),
      };
    },
    indexOf(rest) {
      const [, wanted, mode] = /^(\d{1,9})\.(\d{1,2})$/.exec(rest) ?? [];
      const place = at.indexOf(Number(wanted));
      return place >= 0 && Number(mode) < modesAt(place).length ? firsts[place]! + Number(mode) : undefined;
    },
  };
}

/** A finding says where it was. */
function explained(where: string, act: () => string): string {
  try {
    return act();
  } catch (error) {
    if (error instanceof AttackSucceeded) throw new AttackSucceeded(`${where}: ${error.message}`);
    throw error;
  }
}

/** Index of the last number that is no more than `value`, in ascending ones. */
function lastAtMost(numbers: Uint32Array, value: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
