/**
 * Writes a CoRIM that holds reference values of governors, for vendors and for tests: deterministic CBOR, one CoMID, and
 * each image in a triple of its own, since a triple is one state that a device may be in (draft-ietf-rats-corim,
 * "Reference Values Triple"). No profile: nothing in it goes beyond the draft, so that every reader may read it.
 */
import { type CborValue, Tagged } from "../protocol/cbor.ts";
import {
  CLASS,
  CLASS_BYTES,
  COMID,
  ENVIRONMENT,
  GOVERNOR_KEY,
  type GovernorReference,
  MEASUREMENT,
  SHA256,
  SVN,
  SVN_LEAST,
  TAG_ID,
  VALUES,
} from "./comid.ts";
import { CORIM, CORIM_TAG, readCorim } from "./corim.ts";
import { encodeForeign } from "./corim-cbor.ts";
import { validityValue } from "./validity.ts";

/** What a vendor says of its governors. */
export interface ManifestDraft {
  /** Of the manifest: unique to its maker. */
  readonly id: string;
  readonly measurements: readonly Omit<GovernorReference, "isNamed">[];
  readonly validity?: { readonly notBeforeSeconds?: number; readonly notAfterSeconds: number };
}

/** Throws a `CorimError` or a `Refusal` for what `readCorim` would not read. */
export function encodeCorim({ id, measurements, validity }: ManifestDraft): Uint8Array {
  const comid = new Map<number, CborValue>([
    [COMID.TAG_IDENTITY, new Map([[TAG_ID, id]])],
    [COMID.TRIPLES, new Map([[0, measurements.map(tripleOf)]])],
  ]);
  const corim = new Map<number, CborValue>([
    [CORIM.ID, id],
    [CORIM.TAGS, [new Tagged(CORIM_TAG.COMID, encodeForeign(comid))]],
  ]);
  if (validity) corim.set(CORIM.VALIDITY, validityValue(validity.notAfterSeconds, validity.notBeforeSeconds));
  const bytes = encodeForeign(new Tagged(CORIM_TAG.UNSIGNED, corim));
  readCorim(bytes);
  return bytes;
}

function tripleOf(reference: ManifestDraft["measurements"][number]): CborValue {
  const { digest, svnLeast, svnMost, version, vendor, model, classId } = reference;
  const deviceClass = members([
    [CLASS.ID, classId && new Tagged(CLASS_BYTES, classId)],
    [CLASS.VENDOR, vendor],
    [CLASS.MODEL, model],
  ]);
  const values = members([
    [VALUES.VERSION, version === undefined ? undefined : new Map([[0, version]])],
    [VALUES.SVN, new Tagged(svnMost === undefined ? SVN_LEAST : SVN, svnLeast)],
    [VALUES.DIGESTS, [[SHA256[0]!, digest]]],
  ]);
  const measurement = members([
    [MEASUREMENT.KEY, GOVERNOR_KEY],
    [MEASUREMENT.VALUES, values],
  ]);
  return [new Map([[ENVIRONMENT.CLASS, deviceClass]]), [measurement]];
}

function members(entries: readonly (readonly [number, CborValue | undefined])[]): CborValue {
  return new Map(entries.filter(([, value]) => value !== undefined) as [number, CborValue][]);
}
