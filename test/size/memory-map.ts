/**
 * The governor's memory, region by region. The module that ships names nothing in it; but an unoptimized build of the
 * same sources lays out the same memory, with a segment for each piece and a global for most of their addresses.
 */
import type { Places } from "./abi.ts";
import { PAGE_BYTES, PAGES_MAX } from "./limits.ts";

export type RegionKind = "State" | "mailbox" | "ROM" | "scratch";

export type Region = { address: number; bytes: number; kind: RegionKind; source: string; name: string };

/** AssemblyScript's head of an object: a static array lies behind one. */
const OBJECT_HEAD_BYTES = 20;
/** What no global points to: messages of the library's assertions. */
const UNNAMED = "~lib/text";

type Segment = { address: number; bytes: number; isZero: boolean };
type Global = { name: string; value: number };

/** All regions in order of address. @throws Error if the shipped module lays its memory out in another way. */
export function regionsOf(namedText: string, places: Places): Region[] {
  const globals = globalsOf(namedText);
  let next = 0;
  const regions = segmentsOf(namedText).map(({ address, bytes, isZero }): Region => {
    // Globals and segments both come in the order of the sources: a number that happens to be an address can't mislead.
    const index = globals.findIndex(
      ({ value }, i) => i >= next && (value === address || value === address + OBJECT_HEAD_BYTES),
    );
    if (index >= 0) next = index + 1;
    const [source, name] = sourceAndName(index >= 0 ? globals[index]!.name : UNNAMED);
    return { address, bytes, kind: kindOf(address, isZero, places), source, name };
  });
  const state = regions.find(({ kind }) => kind === "State");
  if (state?.bytes !== places.stateBytes || !regions.some(({ kind }) => kind === "mailbox")) {
    throw new Error("the unoptimized build does not lay out its memory as the shipped one does");
  }
  return regions;
}

/** The State block's parts, by the structures of `firmware/state.ts` that lie over it. */
export function statePartsOf(namedText: string, { state, stateBytes }: Places): { name: string; bytes: number }[] {
  const structures = globalsOf(namedText)
    .filter(({ name, value }) => /^firmware\/state\/[a-z]+$/.test(name) && value >= state && value < state + stateBytes)
    .sort((a, b) => a.value - b.value);
  return structures.map(({ name, value }, i) => ({
    name: sourceAndName(name)[1],
    bytes: (structures[i + 1]?.value ?? state + stateBytes) - value,
  }));
}

/** What no region takes, the gaps of alignment and the bytes below the first region included. */
export function freeBytes(regions: readonly Region[]): number {
  return PAGES_MAX * PAGE_BYTES - regions.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** `firmware/crypto/sha512/compress` is `compress` of `firmware/crypto/sha512`; a type in angle brackets has slashes too. */
export function sourceAndName(name: string): [string, string] {
  const slash = name.replace(/<.*$/, "").lastIndexOf("/");
  return slash < 0 ? ["compiler", name] : [name.slice(0, slash), name.slice(slash + 1)];
}

function kindOf(address: number, isZero: boolean, places: Places): RegionKind {
  if (address === places.state) return "State";
  if (address === places.mailbox) return "mailbox";
  return isZero ? "scratch" : "ROM";
}

function segmentsOf(text: string): Segment[] {
  return [...text.matchAll(/^ \(data \$\S+ \(i32\.const (\d+)\) "(.*)"\)$/gm)].map(([, address, content]) => ({
    address: Number(address),
    bytes: content!.replace(/\\(?:[0-9a-f]{2}|.)/g, ".").length,
    isZero: content!.replaceAll("\\00", "") === "",
  }));
}

function globalsOf(text: string): Global[] {
  return [...text.matchAll(/^ \(global \$(\S+) (?:i32|\(mut i32\)) \(i32\.const (\d+)\)\)$/gm)].map(
    ([, name, value]) => ({ name: name!, value: Number(value) }),
  );
}
