/** Writes the demo's objects to a folder, one file each: examples for `quiesce ... inspect`. */
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Demo } from "./scenario.ts";

/**
 * Makes the folder, and those above it, where they are not there. Throws what the file system throws. (The recursive
 * mode of `mkdirSync` never returns below a folder that takes no entries, such as /proc.)
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolder(parent);
  mkdirSync(folder);
}

/** Writes into a folder that is there. Returns the names of the files. Throws what the file system throws. */
export function saveObjects({ site, orders }: Demo, folder: string): string[] {
  const { recorder } = site;
  const numbered = (name: string, objects: readonly Uint8Array[]) =>
    objects.map((bytes, i) => [`${name}-${i + 1}.cbor`, bytes] as const);
  const files: readonly (readonly [string, Uint8Array | undefined])[] = [
    ["agreement.cbor", site.founding.agreementBytes],
    ["endorsement.cbor", site.endorsement],
    ["certificate.cbor", recorder.certificate],
    ["beacon.cbor", recorder.beaconNewest],
    ["time-proof.cbor", recorder.timeProofs[0]],
    ...[...orders].map(([name, bytes]) => [`order-${name}.cbor`, bytes] as const),
    ...numbered("license", recorder.licenses),
    ...numbered("report", recorder.reports),
    ...numbered("evidence", recorder.evidence),
  ];
  const written = files.filter((file): file is readonly [string, Uint8Array] => file[1] !== undefined);
  for (const [name, bytes] of written) writeFileSync(join(folder, name), bytes);
  return written.map(([name]) => name);
}
