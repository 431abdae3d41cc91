/** Policies, verdicts and leak bounds as tables. */
import type { Derived } from "../../policy/derive.ts";
import type { BoardLeak, LeakBound } from "../../policy/leak.ts";
import type { Policy } from "../../policy/policy.ts";
import { CHECK_NAMES, type Objection } from "../../policy/verdict.ts";
import { classKey, className, durationText, plainText, workText } from "../names.ts";
import { color, facts, print, table } from "../output.ts";

/** Operations as thresholds are written: `1.23e+24 FLOP`. */
function operationsText(operations: bigint): string {
  return operations < 1_000_000n
    ? `${operations} FLOP`
    : `${Number(operations).toExponential(3).replace("e+", "e")} FLOP`;
}

/** A hundred years: longer than that no hardware lasts. */
const SECONDS_SHOWN_MAX = 3_155_695_200;

function secondsText(seconds: number | undefined): string {
  if (seconds === undefined) return "not bounded";
  return seconds >= SECONDS_SHOWN_MAX ? "100 years or more" : durationText(seconds);
}

export function showPolicies(policies: readonly Policy[]): void {
  const columns = [{ title: "name" }, { title: "what" }];
  print(
    table(
      columns,
      policies.map(({ name, title }) => [name, title ?? ""]),
      "",
    ),
  );
}

export function showVerdict(objections: readonly Objection[]): void {
  const rows = CHECK_NAMES.map((check) => {
    const messages = objections.filter((objection) => objection.check === check).map(({ message }) => message);
    return [check, messages.length === 0 ? color.green("ok") : color.red(plainText(messages.join("; ")))];
  });
  print(table([{ title: "check" }, { title: "" }], rows, ""));
}

export function showBound(bound: LeakBound): void {
  print("After a pause is ordered, whatever the operator does, the fleet can still do at most:\n");
  print(
    facts([
      ["operations", operationsText(bound.operations)],
      ["for", secondsText(bound.seconds)],
      ["bounded by", bound.boundedBy],
    ]),
  );
  print("");
  const limits = Object.entries(bound.alone).map(([name, { operations, seconds }]) => [
    name,
    operationsText(operations),
    secondsText(seconds),
  ]);
  print(table([{ title: "this limit alone" }, { title: "operations", right: true }, { title: "for" }], limits));
  for (const { name, boards, workByClass, operations } of bound.perBoard) {
    print("");
    const title = plainText(name);
    const rows = [...workByClass].map(([engineClass, work]) => [className(engineClass), workText(work, engineClass)]);
    rows.push(["counted operations", operationsText(operations)]);
    print(table([{ title: `one ${title} of ${boards}` }, { title: "at most", right: true }], rows));
  }
}

export function boundJson(bound: LeakBound): unknown {
  return {
    operations: bound.operations,
    seconds: bound.seconds ?? null,
    boundedBy: bound.boundedBy,
    workByClass: workJson(bound),
    alone: Object.fromEntries(
      Object.entries(bound.alone).map(([name, { operations, seconds }]) => [
        name,
        { operations, seconds: seconds ?? null },
      ]),
    ),
    perBoard: bound.perBoard.map((board) => ({
      name: board.name,
      boards: board.boards,
      operations: board.operations,
      seconds: board.seconds ?? null,
      workByClass: workJson(board),
    })),
  };
}

function workJson({ workByClass }: BoardLeak): unknown {
  return Object.fromEntries([...workByClass].map(([engineClass, work]) => [classKey(engineClass), work]));
}

/** Whether the terms as they stand keep the leak, and what each limit may be at most. */
export function showDerived(leak: bigint, derived: Derived, bound: LeakBound): void {
  print(`To keep what leaks after a pause within ${operationsText(leak)}:\n`);
  const rows = [
    ["lease at most", limitText(derived.leaseSecondsMax, secondsText)],
    ["or license at most", limitText(derived.licenseSecondsMax, secondsText)],
    ["or budget of a license at most", limitText(derived.licenseOperationsMax, operationsText)],
    ["at the fleet's peak the leak is", secondsText(derived.peakSeconds)],
  ] as const;
  print(facts(rows));
  const keeps = bound.operations <= leak;
  print("");
  print(
    `As it stands ${operationsText(bound.operations)} can leak, bounded by the ${bound.boundedBy}: ${keeps ? color.green("kept") : color.red("not kept")}`,
  );
}

function limitText<T>(limit: T | undefined, text: (limit: T) => string): string {
  return limit === undefined ? "no value keeps it" : text(limit);
}
