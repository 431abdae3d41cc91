/**
 * The governor that ships, made over for faults. Functions of plain arithmetic (field, hashes) get no places: they turn
 * through thousands of them in every signature, and what they compute wrongly is a wrong number, no decision. The calls of
 * them are hit, and so is all that decides about what they gave.
 */
import { instructionsOf, Op } from "../instrument/instructions.ts";
import { Cursor, WasmModule } from "../instrument/module.ts";
import { Machine } from "./machine.ts";
import { SCENES, type Scene } from "./scenes.ts";
import { ARGUMENTS_MAX, type FaultKind, type FaultSite, withFaults } from "./sites.ts";
import { Trial } from "./trial.ts";

/** A function that passes more places than these in judging one license computes; it does not decide. */
const PLACES_MAX = 2000;
/** A site that is passed more than twice as often in one call is hit this often from its first time and from its last. */
const ENDS = 8;
/** Calls that turn loops this often are worth remembering. */
const TURNS_WORTH = 500n;
/** The scene in which functions are looked at: both of its signatures are computed. */
const MEASURED = "license-forged";

/** The places of one kind in a scene's call. */
export type Passed = { at: Uint32Array; sites: Uint32Array };

export class FaultBench {
  readonly scenes: readonly Scene[];
  readonly sites: readonly FaultSite[];
  readonly stateBytes: number;
  readonly #machine: Machine;
  readonly #noting: Machine;
  readonly #passed = new Map<Scene, Record<FaultKind, Passed>>();
  #trial: Trial | undefined;

  constructor(bytes: Uint8Array, scenes: readonly Scene[] = SCENES) {
    this.scenes = scenes;
    const hits = decidingIn(bytes);
    const watched = costlyIn(bytes);
    const made = withFaults(bytes, { hits, watched });
    this.sites = made.sites;
    this.#machine = new Machine(made);
    this.#noting = new Machine(withFaults(bytes, { hits, noted: true }));
    this.stateBytes = this.#machine.stateBytes;
  }

  trialOf(scene: Scene): Trial {
    if (this.#trial?.scene !== scene.name) this.#trial = new Trial(this.#machine, scene);
    return this.#trial;
  }

  /** The places that the scene's call passes, by kind, counted from 1 over all kinds. */
  passedIn(scene: Scene): Record<FaultKind, Passed> {
    const known = this.#passed.get(scene) ?? this.#look(scene);
    this.#passed.set(scene, known);
    return known;
  }

  #look(scene: Scene): Record<FaultKind, Passed> {
    const passed = sitesPassed(this.#noting, scene);
    const chosen = firstAndLast(passed);
    const of = (kind: FaultKind): Passed => {
      const at = chosen.filter((place) => this.sites[passed[place - 1]!]!.kind === kind);
      return { at: Uint32Array.from(at), sites: Uint32Array.from(at, (place) => passed[place - 1]!) };
    };
    return { branch: of("branch"), skip: of("skip"), result: of("result"), load: of("load") };
  }
}

/** Places of a site that is passed again and again: the first and the last of them. Of the others, all. */
function firstAndLast(passed: readonly number[]): number[] {
  const bySite = new Map<number, number[]>();
  for (const [i, site] of passed.entries()) {
    const places = bySite.get(site);
    if (places) places.push(i + 1);
    else bySite.set(site, [i + 1]);
  }
  const chosen = [...bySite.values()].flatMap((places) =>
    places.length <= 2 * ENDS ? places : [...places.slice(0, ENDS), ...places.slice(-ENDS)],
  );
  return chosen.sort((a, b) => a - b);
}

function sitesPassed(machine: Machine, scene: Scene): number[] {
  const sites: number[] = [];
  machine.onSite = (site) => sites.push(site);
  const { passed } = new Trial(machine, scene);
  machine.onSite = undefined;
  return sites.slice(0, Number(passed));
}

function measured(): Scene {
  return SCENES.find(({ name }) => name === MEASURED)!;
}

function decidingIn(bytes: Uint8Array): (body: number) => boolean {
  const made = withFaults(bytes, { noted: true });
  const places = new Map<number, number>();
  for (const site of sitesPassed(new Machine(made), measured())) {
    const { body } = made.sites[site]!;
    places.set(body, (places.get(body) ?? 0) + 1);
  }
  return (body) => (places.get(body) ?? 0) <= PLACES_MAX;
}

/** Functions that compute long, from memory and arguments alone. */
function costlyIn(bytes: Uint8Array): Set<number> {
  const pure = pureIn(new WasmModule(bytes));
  const machine = new Machine(withFaults(bytes, { hits: () => false, watched: pure }));
  const costly = new Set<number>();
  machine.onTurns = (body, turns) => {
    if (turns >= TURNS_WORTH) costly.add(body);
  };
  new Trial(machine, measured());
  return costly;
}

/** Own functions that neither call the silicon nor anything that does, and whose arguments can be looked at. */
function pureIn(module: WasmModule): Set<number> {
  const imported = module.importedFunctions;
  const callees = module.bodies.map(({ code }) => calleesIn(code));
  const pure = new Set(callees.keys());
  const isPure = (callee: number) => callee >= imported && pure.has(callee - imported);
  for (let before = -1; before !== pure.size; ) {
    before = pure.size;
    for (const body of pure) if (!callees[body]!.every(isPure)) pure.delete(body);
  }
  const { signatures } = module;
  return new Set(
    [...pure].filter((body) => signatures[module.typeOf(imported + body)]!.parameters.length <= ARGUMENTS_MAX),
  );
}

function calleesIn(code: Uint8Array): number[] {
  const calls = [...instructionsOf(code)].filter(({ op }) => op === Op.CALL);
  return calls.map(({ start }) => new Cursor(code, start + 1).unsigned());
}
