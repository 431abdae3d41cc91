/** Sizes of the governor, beside those of another build of it and against the limits: for programs, and for people. */
import { type Column, table } from "../../host/cli/output.ts";
import { IMAGE_BYTES_MAX, PAGE_BYTES, PAGES_MAX, STATE_BYTES_MAX } from "./limits.ts";
import { freeBytes, type RegionKind } from "./memory-map.ts";
import type { Sized, Sizes } from "./sizes.ts";

/** What it is compared with, or why with nothing. */
export type Against = { commit: string; sizes: Sizes } | { why: string };

export type LimitLine = { name: string; value: number; most: number; holds: boolean };

type Changed = Sized & { before: number };

const ROWS = 15;
const KINDS: readonly RegionKind[] = ["State", "mailbox", "ROM", "scratch"];
const right = (title: string): Column => ({ title, right: true });

export function limitsOf({ bytes, pages, places }: Sizes): LimitLine[] {
  const line = (name: string, value: number, most: number) => ({ name, value, most, holds: value <= most });
  return [
    line("module, bytes", bytes, IMAGE_BYTES_MAX),
    line("memory, pages", pages, PAGES_MAX),
    line("State block, bytes", places.stateBytes, STATE_BYTES_MAX),
  ];
}

export function forPrograms(sizes: Sizes, against: Against): object {
  const { bytes, sections, sources, functions, stateParts, regions } = sizes;
  return {
    limits: limitsOf(sizes),
    module: { bytes, sections, sources: bySize(sources), functions: bySize(functions) },
    memory: { free: freeBytes(regions), kinds: kindsOf(sizes), state: stateParts, regions },
    main:
      "why" in against
        ? against
        : {
            commit: against.commit,
            bytes: against.sizes.bytes,
            sections: changes(sections, against.sizes.sections),
            functions: changes(functions, against.sizes.functions),
          },
  };
}

/** `all`: every row, and not only the largest. */
export function forPeople(sizes: Sizes, against: Against, all: boolean): string {
  const before = "why" in against ? undefined : against.sizes;
  const part = <T>(rows: readonly T[]) => (all ? rows : rows.slice(0, ROWS));
  const difference = (now: Sized, others: readonly Sized[] | undefined) =>
    others === undefined ? "" : delta(now.bytes, others.find(({ name }) => name === now.name)?.bytes ?? 0);
  const blocks = [
    titled(
      "limits",
      [{ title: "limit" }, right("now"), right("most"), { title: "" }],
      limitsOf(sizes).map(({ name, value, most, holds }) => [name, figure(value), figure(most), holds ? "" : "BROKEN"]),
    ),
    "why" in against ? `not compared with main: ${against.why}` : changedSince(against.commit, sizes, against.sizes),
    titled(
      "sections of the module",
      [{ title: "section" }, right("bytes"), right("main")],
      bySize(sizes.sections).map((one) => [one.name, figure(one.bytes), difference(one, before?.sections)]),
    ),
    titled(
      `sources, by code and constants${of(part(sizes.sources), sizes.sources)}`,
      [{ title: "source" }, right("code"), right("constants"), right("bytes"), right("main")],
      part(bySize(sizes.sources)).map((one) => [
        one.name,
        figure(one.code),
        figure(one.data),
        figure(one.bytes),
        difference(one, before?.sources),
      ]),
    ),
    titled(
      `functions${of(part(sizes.functions), sizes.functions)}`,
      [{ title: "function" }, right("bytes"), right("main")],
      part(bySize(sizes.functions)).map((one) => [one.name, figure(one.bytes), difference(one, before?.functions)]),
    ),
    memory(sizes),
    all ? regionTable(sizes) : largestScratch(sizes),
  ];
  return blocks.join("\n\n");
}

function changedSince(commit: string, now: Sizes, before: Sizes): string {
  const rows = changes(now.functions, before.functions);
  if (rows.length === 0 && now.bytes === before.bytes) return `against main (${commit}): no difference`;
  return titled(
    `against main (${commit}): ${delta(now.bytes, before.bytes)} bytes, ${rows.length} functions of another size`,
    [{ title: "function" }, right("main"), right("now"), right("difference")],
    rows.map(({ name, before, bytes }) => [name, figure(before), figure(bytes), delta(bytes, before)]),
  );
}

function memory(sizes: Sizes): string {
  const kinds = kindsOf(sizes).map(({ name, bytes }) => [name, figure(bytes)]);
  const parts = sizes.stateParts.map(({ name, bytes }) => [`  State: ${name}`, figure(bytes)]);
  return titled(
    "memory",
    [{ title: "what" }, right("bytes")],
    [
      ...kinds.toSpliced(1, 0, ...parts),
      ["free", figure(freeBytes(sizes.regions))],
      ["all", figure(PAGES_MAX * PAGE_BYTES)],
    ],
  );
}

function largestScratch({ regions }: Sizes): string {
  const sources = new Map<string, number>();
  const scratch = regions.filter(({ kind }) => kind === "scratch");
  for (const { source, bytes } of scratch) sources.set(source, (sources.get(source) ?? 0) + bytes);
  const rows = bySize([...sources].map(([name, bytes]) => ({ name, bytes })));
  const part = rows.slice(0, ROWS);
  return titled(
    `scratch${of(part, rows)}`,
    [{ title: "source" }, right("bytes")],
    part.map(({ name, bytes }) => [name, figure(bytes)]),
  );
}

function regionTable({ regions }: Sizes): string {
  return titled(
    "memory, by address",
    [right("address"), right("bytes"), { title: "kind" }, { title: "source" }, { title: "name" }],
    regions.map(({ address, bytes, kind, source, name }) => [figure(address), figure(bytes), kind, source, name]),
  );
}

function kindsOf({ regions }: Sizes): Sized[] {
  return KINDS.map((kind) => ({
    name: kind,
    bytes: regions.filter((region) => region.kind === kind).reduce((sum, { bytes }) => sum + bytes, 0),
  }));
}

/** What has another size than before, is new or gone; the largest difference first. */
export function changes(now: readonly Sized[], before: readonly Sized[]): Changed[] {
  const sizes = new Map<string, Changed>();
  for (const { name, bytes } of before) sizes.set(name, { name, before: bytes, bytes: 0 });
  for (const { name, bytes } of now) sizes.set(name, { name, before: sizes.get(name)?.before ?? 0, bytes });
  const size = (one: Changed) => Math.abs(one.bytes - one.before);
  return [...sizes.values()].filter((one) => size(one) > 0).sort((a, b) => size(b) - size(a));
}

function bySize<T extends Sized>(sized: readonly T[]): T[] {
  return sized.toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

function titled(title: string, columns: Column[], rows: string[][]): string {
  return `${title}\n${table(columns, rows)}`;
}

function of(shown: readonly unknown[], all: readonly unknown[]): string {
  return shown.length < all.length ? `, the largest ${shown.length} of ${all.length} (--all shows every one)` : "";
}

function figure(value: number): string {
  return value.toLocaleString("en-US");
}

function delta(now: number, before: number): string {
  if (now === before) return "=";
  return `${now > before ? "+" : "-"}${figure(Math.abs(now - before))}`;
}
