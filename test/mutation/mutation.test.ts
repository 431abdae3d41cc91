/** Mutants are what they say, asleep they are the governor that ships, and the command refuses what makes no sense. */
import { describe, expect, it } from "vitest";
import { goesOn, life } from "../../attack/life.ts";
import { Rig } from "../rig.ts";
import { kept } from "../streams.ts";
import { mutationCommand } from "./command.ts";
import { EQUIVALENT } from "./equivalent.ts";
import { governorModule } from "./governor.ts";
import { MUTANT_KINDS, MutantGlobal, mutantsOf, reachedIn, withMutants, withReaches } from "./mutants.ts";
import { StandIn } from "./stand-in.ts";

const { bytes, names } = governorModule();
const mutants = mutantsOf(bytes, names);
/** From here on in this file's process. */
const standIn = new StandIn(bytes);

type Exports = Record<string, { value: bigint }>;

/** A life with this mutant awake; 0n wakes none. */
function livesWith(number: bigint, turnsMax = 2n ** 62n): Promise<void> {
  const wake = (exports: object) => {
    (exports as Exports)[MutantGlobal.AWAKE]!.value = number;
    (exports as Exports)[MutantGlobal.TURNS_MAX]!.value = turnsMax;
  };
  return standIn.whilePlaying(standIn.compile(withMutants(bytes, mutants)), wake, liveOn);
}

function liveOn(): void {
  const rig = Rig.ready();
  life(rig);
  goesOn(rig);
}

const numberOf = (id: string) => mutants.find((mutant) => mutant.id === id)!.number;

describe("mutants", () => {
  it("are of all kinds, each with an id of its own, in the functions that decide about work", () => {
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
    expect(new Set(mutants.map(({ kind }) => kind))).toEqual(new Set(MUTANT_KINDS));
    for (const { id } of mutants)
      expect(id).toMatch(/^(gate|journal|meter|objects\/(license|order))[a-zA-Z0-9/#]+:[a-z]+:\d+$/);
  });

  it("are the governor that ships while they sleep", async () => {
    await livesWith(0n);
  });

  it.each([
    "gate/credit/refill:condition:1",
    "meter/quantity/quantityAdd:arithmetic:1",
    "gate/gate/moveGate:omission:5",
  ])("%s does not live that life", async (id) => {
    await expect(livesWith(numberOf(id))).rejects.toThrow();
  });

  it("that turn their loops without end are stopped", async () => {
    await expect(livesWith(0n, 5000n)).rejects.toThrow("hangs");
  });

  it("are come to, or not, by what is played", async () => {
    const reached = new Set<string>();
    const started: Exports[] = [];
    await standIn.whilePlaying(standIn.compile(withReaches(bytes, mutants)), (e) => started.push(e as Exports), liveOn);
    for (const exports of started)
      for (const { id } of reachedIn((name) => exports[name]!.value, mutants)) reached.add(id);
    expect(reached).toContain("gate/credit/refill:condition:1");
    // Nobody tampered with the board.
    expect([...reached].filter((id) => id.startsWith("gate/run/gateTampered"))).toEqual([]);
  });

  it("that nobody can kill are mutants, and stand in one list only", () => {
    const listed = EQUIVALENT.flatMap(({ ids }) => ids);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.filter((id) => !mutants.some((mutant) => mutant.id === id))).toEqual([]);
  });
});

describe("npm run mutation", () => {
  it.each([
    [["--cases", "0"], "--cases is a whole number from 1"],
    [["--lanes", "x"], "--lanes is a whole number from 1"],
    [["--case", "gate/none:condition:1"], 'there is no mutant "gate/none:condition:1"'],
    [["test/none.test.ts"], "there is no test file test/none.test.ts"],
    [["--blows"], "Unknown option"],
  ])("refuses %j", async (args, message) => {
    const { exit, err } = await kept((streams) => mutationCommand(args, streams));
    expect(exit).toBe(2);
    expect(err).toContain(message);
  });

  it("asks the tests that are named, and says who killed what", async () => {
    const args = ["test/firmware/governor/credit.test.ts", "--case", "gate/credit/refill:condition:1", "--json"];
    const { exit, out } = await kept((streams) => mutationCommand(args, streams));
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, mutants: 1, killed: 1, survivors: [] });
  });
});
