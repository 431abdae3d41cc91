/** The small facts that the agent keeps of a board beside reports and licenses, as JSON. */
import { CLASS_KEYS, classKeyOf } from "../../policy/classes.ts";
import type { InstalledLicense } from "../store.ts";

export interface BoardRecord {
  readonly license: InstalledLicense | undefined;
  /** Up to which report each verifier has all of them, by its name. */
  readonly delivered: Map<string, bigint>;
  /** SHA-256 of the attestation key's certificate that each verifier has, in hex. */
  readonly enrolled: Map<string, string>;
}

export function emptyRecord(): BoardRecord {
  return { license: undefined, delivered: new Map(), enrolled: new Map() };
}

export function recordBytes({ license, delivered, enrolled }: BoardRecord): Uint8Array {
  const document = {
    version: 1,
    license: license && {
      ...license,
      sequence: license.sequence.toString(),
      budget: Object.fromEntries([...license.budget].map(([c, work]) => [classKeyOf(c), work.toString()])),
    },
    delivered: Object.fromEntries([...delivered].map(([name, sequence]) => [name, sequence.toString()])),
    enrolled: Object.fromEntries(enrolled),
  };
  return new TextEncoder().encode(JSON.stringify(document, undefined, 2));
}

/** Undefined for a file that is none of these: what it said is found out again. */
export function readRecord(bytes: Uint8Array): BoardRecord | undefined {
  try {
    const document = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (document.version !== 1) return undefined;
    const texts = (value: object) => Object.entries(value).map(([name, text]) => [name, String(text)] as const);
    return {
      license: document.license && readLicense(document.license),
      delivered: new Map(texts(document.delivered).map(([name, text]) => [name, BigInt(text)])),
      enrolled: new Map(texts(document.enrolled)),
    };
  } catch {
    return undefined;
  }
}

function readLicense(document: Record<string, unknown>): InstalledLicense | undefined {
  const { sequence, budget, seconds, epoch, bootCount, uptimeSeconds } = document;
  // Without them nobody could say what is left of it: then it counts as used up.
  if (![seconds, epoch, bootCount, uptimeSeconds].every(Number.isFinite)) return undefined;
  return {
    sequence: BigInt(sequence as string),
    budget: new Map(Object.entries(budget as object).map(([key, text]) => [CLASS_KEYS.get(key)!, BigInt(text)])),
    seconds: Number(seconds),
    epoch: Number(epoch),
    bootCount: Number(bootCount),
    uptimeSeconds: Number(uptimeSeconds),
  };
}
