/**
 * A campaign tries one kind of attack on the governor that ships, case by case. Every case has an id that replays it
 * alone, a verdict in one word (what the attack came to), or a finding: something that must not be.
 */
import { Random } from "../sim-board/random.ts";

export interface Campaign {
  readonly name: string;
  /** What is tried, in one line for people. */
  readonly about: string;
  /** What must hold in every case, in one line. */
  readonly claim: string;
  /** Whether coverage guides it: then it takes a corpus and gives one. */
  readonly guided?: boolean;
  /** Whether it goes on for as long as it may: its cases have no end. */
  readonly takesMinutes?: boolean;
  /** The share that tests run, where a case takes long. */
  readonly casesInTests?: number;
  run(options: CampaignOptions): Outcome | Promise<Outcome>;
}

export interface CampaignOptions {
  /** All that is random comes from it. */
  readonly seed: string;
  /** At most so many cases, spread over all there are. */
  readonly casesMax?: number;
  /** At most so long, where the campaign takes minutes. */
  readonly minutes?: number;
  /** This case alone. */
  readonly only?: string;
  /** Of a guided campaign: cases to begin with. */
  readonly corpus?: readonly string[];
  /** Hears how far it is. */
  readonly progress?: (at: Progress) => void;
}

/** In cases; in seconds where a campaign has so many minutes. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly findings: number;
}

export interface Outcome {
  readonly campaign: string;
  readonly seed: string;
  /** Cases there are. */
  readonly cases: number;
  /** Cases that ran. */
  readonly tried: number;
  /** How many cases came to what. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly findingCount: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** Of a campaign of named cases: each that ran. */
  readonly each?: readonly CaseResult[];
  /** Of a guided campaign: few cases that together take every branch that was taken, and how many those are. */
  readonly corpus?: { readonly inputs: readonly string[]; readonly reached: number; readonly branches: number };
  /** What happened in all of them together, where a case is a whole life. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** What one case came to; no verdict for a finding. */
export interface CaseResult {
  readonly id: string;
  readonly verdict?: string;
}

export interface Finding {
  /** Replays the case. */
  readonly id: string;
  readonly what: string;
}

/** Thrown by a case in which something happened that must not. */
export class AttackSucceeded extends Error {
  override readonly name = "AttackSucceeded";
}

/** The cases of a campaign, by number. */
export interface Cases {
  readonly count: number;
  /** Few, each with a name that says what it is: people want to see every one. */
  readonly named?: boolean;
  /** The id of a case, short and without spaces. */
  idOf(index: number): string;
  /** The number of the case with this id; undefined for none. */
  indexOf(id: string): number | undefined;
  /** What the case came to, in a word or two. @throws AttackSucceeded or InvariantBroken for a finding. */
  run(index: number): string;
}

/** No case has this id. */
export class UnknownCase extends Error {
  override readonly name = "UnknownCase";
}

const FINDINGS_SHOWN = 100;
/** What a case may throw to say that it found something; all else is a fault of the campaign. */
const FINDING_NAMES: ReadonlySet<string> = new Set(["AttackSucceeded", "InvariantBroken"]);

/** Runs the cases that the options ask for. @throws UnknownCase */
export function runCases(campaign: string, cases: Cases, options: CampaignOptions): Outcome {
  const { seed, only, progress } = options;
  const chosen = only === undefined ? choose(cases.count, options) : [caseOf(cases, only)];
  const tally = new Tally();
  const each: CaseResult[] = [];
  for (const [done, index] of chosen.entries()) {
    const id = cases.idOf(index);
    const { verdict, found } = judge(cases, index);
    tally.add(id, verdict, found);
    if (cases.named) each.push({ id, ...(found === undefined && { verdict }) });
    progress?.({ done: done + 1, total: chosen.length, findings: tally.findingCount });
  }
  const outcome = { campaign, seed, cases: cases.count, tried: chosen.length, ...tally.outcome };
  return cases.named ? { ...outcome, each } : outcome;
}

/** What cases came to. */
export class Tally {
  readonly #verdicts: Record<string, number> = {};
  readonly #findings: Finding[] = [];
  findingCount = 0;

  /** `found`: what must not be. */
  add(id: string, verdict: string, found?: string): void {
    const word = found === undefined ? verdict : "FOUND";
    this.#verdicts[word] = (this.#verdicts[word] ?? 0) + 1;
    if (found === undefined) return;
    this.findingCount++;
    if (this.#findings.length < FINDINGS_SHOWN) this.#findings.push({ id, what: found });
  }

  get outcome() {
    return { verdicts: this.#verdicts, findingCount: this.findingCount, findings: this.#findings };
  }
}

function caseOf(cases: Cases, id: string): number {
  const index = cases.indexOf(id);
  if (index === undefined) throw new UnknownCase(`there is no case "${id}"`);
  return index;
}

/** Numbers of cases, spread evenly, one drawn from each stretch. */
function choose(count: number, { seed, casesMax }: CampaignOptions): number[] {
  if (casesMax === undefined || casesMax >= count) return Array.from({ length: count }, (_, i) => i);
  const random = new Random(`cases ${seed}`);
  return Array.from({ length: casesMax }, (_, i) => {
    const first = Math.floor((i * count) / casesMax);
    const next = Math.floor(((i + 1) * count) / casesMax);
    return first + random.below(next - first);
  });
}

function judge(cases: Cases, index: number): { verdict: string; found?: string } {
  try {
    return { verdict: cases.run(index) };
  } catch (error) {
    return { verdict: "", found: findingOf(error) };
  }
}

/** What a case that threw this has found. @throws the error where it is no finding. */
export function findingOf(error: unknown): string {
  const { name, message } = error as Error;
  if (!FINDING_NAMES.has(name)) throw error;
  return message;
}
