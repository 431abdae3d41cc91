/** Where the bytes of a governor module are. */
import { Section, WasmModule } from "../../attack/instrument/module.ts";
import { functionNames } from "../compile.ts";
import { wasmMemory } from "../wasm.ts";
import { type Places, placesOf } from "./abi.ts";
import type { Build } from "./build.ts";
import { PAGES_MAX } from "./limits.ts";
import { type Region, regionsOf, sourceAndName, statePartsOf } from "./memory-map.ts";

export type Sized = { name: string; bytes: number };

export type Sizes = {
  bytes: number;
  sections: Sized[];
  /** The module's own functions, by their full names. */
  functions: Sized[];
  /** Code and constants of each source file. */
  sources: (Sized & { code: number; data: number })[];
  /** Of memory that it asks for. */
  pages: number;
  places: Places;
  stateParts: Sized[];
  regions: Region[];
};

export function sizesOf({ shipped, named }: Build): Sizes {
  const module = new WasmModule(shipped.bytes);
  const places = placesOf(shipped.bytes, wasmMemory(PAGES_MAX));
  const regions = regionsOf(named.text, places);
  const names = functionNames(shipped.text).slice(module.importedFunctions);
  const functions = module.bodies.map(({ bytes }, i) => ({ name: names[i]!, bytes }));
  const sectionNames = new Map(Object.entries(Section).map(([name, id]) => [id as number, name.toLowerCase()]));
  return {
    bytes: shipped.bytes.length,
    sections: module.sections.map(({ id, bytes }) => ({ name: sectionNames.get(id)!.replace("_", " "), bytes })),
    functions,
    sources: sourcesOf(functions, module.data, regions),
    pages: module.importedMemoryPages,
    places,
    stateParts: statePartsOf(named.text, places),
    regions,
  };
}

function sourcesOf(
  functions: readonly Sized[],
  data: readonly { address: number; length: number }[],
  regions: readonly Region[],
): Sizes["sources"] {
  const sources = new Map<string, { code: number; data: number }>();
  const sourceOf = (name: string) => {
    const source = sources.get(name) ?? { code: 0, data: 0 };
    sources.set(name, source);
    return source;
  };
  for (const { name, bytes } of functions) sourceOf(sourceAndName(name)[0]).code += bytes;
  for (const { address, length } of data) {
    const region = regions.find((one) => address >= one.address && address < one.address + one.bytes);
    if (region === undefined) throw new Error(`constants at ${address}, where the unoptimized build has nothing`);
    sourceOf(region.source).data += length;
  }
  return [...sources].map(([name, { code, data }]) => ({ name, code, data, bytes: code + data }));
}
