/**
 * A concise module identifier (CoMID, draft-ietf-rats-corim, "Concise Module Identifier"), read for what it says of
 * governors: which images may run on which class of device. Only its reference triples do; and of those only the ones
 * that evidence of a governor can be compared with, as the draft asks ("Rules of Comparison"): a triple that also asks for
 * something else never matches, so it is passed over, and the manifest says so.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import type { Claims } from "../objects/claims.ts";
import { type CborValue, Tagged } from "../protocol/cbor.ts";
import { membersOf, untagged } from "./corim-cbor.ts";

/** One image that may run. */
export interface GovernorReference {
  /** SHA-256 of the image. */
  readonly digest: Uint8Array;
  /** Least security version; 0 where none is named. */
  readonly svnLeast: number;
  /** Where the manifest names exactly one security version: that one. */
  readonly svnMost?: number;
  /** The release, as its maker calls it. */
  readonly version?: string;
  /** Of which devices: as far as the manifest says. */
  readonly vendor?: string;
  readonly model?: string;
  /** Class id in bytes of the vendor's own choice (tag 560): our endorsements' hardware model. */
  readonly classId?: Uint8Array;
  /** Whether it calls the measured element `governor`; one without a key may be any element of its class. */
  readonly isNamed: boolean;
}

export interface Comid {
  readonly id: string;
  readonly measurements: readonly GovernorReference[];
  /** What it holds beside, and why that says nothing of governors. */
  readonly passedOver: readonly string[];
}

/** How a governor's image is called among the measured elements of its class. */
export const GOVERNOR_KEY = "governor";

export const CLASS_BYTES = 560;
export const SVN = 552;
export const SVN_LEAST = 553;

/** `sha-256` in the registry of named information hash algorithms, RFC 6920 section 9.4. */
export const SHA256: readonly CborValue[] = [1, "sha-256"];

export const TEXT_BYTES_MAX = 256;
const ID_BYTES = 16;
const CLASS_ID_BYTES_MAX = 64;
const LIST_MAX = 4096;
const NOTES_MAX = 64;

/** Members of a CoMID and, below, of what is in it. */
export const COMID = { TAG_IDENTITY: 1, ENTITIES: 2, LINKED_TAGS: 3, TRIPLES: 4 } as const;
export const TAG_ID = 0;
const TAG_VERSION = 1;
const REFERENCE_TRIPLES = 0;
export const ENVIRONMENT = { CLASS: 0, INSTANCE: 1, GROUP: 2 } as const;
export const CLASS = { ID: 0, VENDOR: 1, MODEL: 2, LAYER: 3, INDEX: 4 } as const;
export const MEASUREMENT = { KEY: 0, VALUES: 1, AUTHORITY: 2 } as const;
export const VALUES = { VERSION: 0, SVN: 1, DIGESTS: 2, NAME: 11 } as const;
const VERSION = { VERSION: 0, SCHEME: 1 } as const;

/** Tags of class ids: UUID, OID, bytes. */
const CLASS_ID_TAGS = [37, 111, CLASS_BYTES];

/** Throws a `Refusal`; extensions are passed over where the draft has a socket for them, and refused where it has none. */
export function readComid(value: CborValue): Comid {
  const comid = membersOf(value, "CoMID");
  const identity = comid.map(COMID.TAG_IDENTITY);
  const id = readId(identity, TAG_ID);
  identity.optional(TAG_VERSION, (label) => identity.u64(label));
  identity.end();
  comid.optional(COMID.ENTITIES, (label) => comid.array(label, 1, LIST_MAX));
  comid.optional(COMID.LINKED_TAGS, (label) => comid.array(label, 1, LIST_MAX));

  const passedOver: string[] = [];
  const triples = comid.value(COMID.TRIPLES);
  if (!(triples instanceof Map) || triples.size === 0) comid.refuse("the triples are no map, or none");
  for (const label of (triples as Map<CborValue, CborValue>).keys()) {
    if (label !== REFERENCE_TRIPLES && passedOver.length < NOTES_MAX) passedOver.push(`triples ${String(label)}`);
  }
  const members = comid.nested(triples);
  const references = members.optional(REFERENCE_TRIPLES, (label) =>
    members.list(label, 1, LIST_MAX, (records, index) => readRecord(records.array(index, 2))),
  );
  return {
    id,
    measurements: (references ?? []).filter((one) => typeof one !== "string"),
    passedOver: [
      ...passedOver,
      ...(references ?? []).flatMap((one, index) => (typeof one === "string" ? [`reference ${index}: ${one}`] : [])),
    ].slice(0, NOTES_MAX),
  };
}

/** A text, or 16 bytes of a UUID (RFC 9562 section 4). */
export function readId(claims: Claims, label: number): string {
  const id = claims.value(label);
  if (id instanceof Uint8Array && id.length === ID_BYTES) {
    const hex = Buffer.from(id).toString("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
  if (typeof id !== "string") return claims.refuse("the id is neither a text nor a UUID");
  if (id.length === 0 || Buffer.byteLength(id) > TEXT_BYTES_MAX) claims.refuse("the id is empty or too long");
  return id;
}

/** A reference for governors, or why it is none. What is of something else is not looked into. */
function readRecord(record: Claims): GovernorReference | string {
  const environment: Claims = record.map(0);
  const isClass = !environment.has(ENVIRONMENT.INSTANCE) && !environment.has(ENVIRONMENT.GROUP);
  environment.optional(ENVIRONMENT.INSTANCE, (label) => environment.value(label));
  environment.optional(ENVIRONMENT.GROUP, (label) => environment.value(label));
  const deviceClass = environment.optional(ENVIRONMENT.CLASS, (label) => readClass(environment.map(label)));
  environment.end();
  const measurements = record.list(1, 1, LIST_MAX, (items, index) =>
    readMeasurement(membersOf(items.value(index), "measurement")),
  );
  if (!isClass) return "it is of one instance or group";
  if (!deviceClass) return record.refuse("an environment without a class, an instance or a group");
  const [measurement] = measurements;
  if (measurements.length > 1 || measurement === undefined) return "it asks for several measured elements at once";
  return typeof measurement === "string" ? measurement : { ...measurement, ...deviceClass };
}

function readClass(members: Claims): Pick<GovernorReference, "vendor" | "model" | "classId"> {
  if (members.left === 0) members.refuse("the class says nothing");
  const classId = members.optional(CLASS.ID, (label) => {
    const id = members.value(label);
    const bytes = id instanceof Tagged && CLASS_ID_TAGS.includes(Number(id.tag)) ? id.value : undefined;
    if (!(bytes instanceof Uint8Array) || bytes.length > CLASS_ID_BYTES_MAX) members.refuse("the class id is none");
    return untagged(id, CLASS_BYTES) === undefined ? undefined : (bytes as Uint8Array);
  });
  const vendor = members.optional(CLASS.VENDOR, (label) => members.text(label, TEXT_BYTES_MAX));
  const model = members.optional(CLASS.MODEL, (label) => members.text(label, TEXT_BYTES_MAX));
  members.optional(CLASS.LAYER, (label) => members.u64(label));
  members.optional(CLASS.INDEX, (label) => members.u64(label));
  members.end();
  return { vendor, model, classId };
}

function readMeasurement(members: Claims): GovernorReference | string {
  const key = members.optional(MEASUREMENT.KEY, (label) => members.value(label));
  const hasAuthority = members.has(MEASUREMENT.AUTHORITY);
  members.optional(MEASUREMENT.AUTHORITY, (label) => members.array(label, 1, LIST_MAX));
  const values = membersOf(members.value(MEASUREMENT.VALUES), "values of a measurement");
  members.end();
  if (key !== undefined && key !== GOVERNOR_KEY) return "it is of another measured element";
  if (hasAuthority) return "it asks who vouches for the measurement";
  const version = values.optional(VALUES.VERSION, (label) => readVersion(values.map(label)));
  const svn = values.optional(VALUES.SVN, (label) => readSvn(values, label)) ?? { svnLeast: 0 };
  const digest = values.optional(VALUES.DIGESTS, (label) => readDigests(values, label));
  values.optional(VALUES.NAME, (label) => values.text(label, TEXT_BYTES_MAX));
  if (values.left > 0) return "it asks for values that evidence of a governor does not have";
  if (digest === undefined) return "it has no SHA-256 digest";
  return { digest, ...svn, version, isNamed: key === GOVERNOR_KEY };
}

function readVersion(members: Claims): string {
  const version = members.text(VERSION.VERSION, TEXT_BYTES_MAX);
  members.optional(VERSION.SCHEME, (label) => members.value(label));
  members.end();
  return version;
}

/** `svn-type-choice`: an exact version, bare or with tag 552, or the least one with tag 553. */
function readSvn(values: Claims, label: number): Pick<GovernorReference, "svnLeast" | "svnMost"> {
  const value = values.value(label);
  const least = untagged(value, SVN_LEAST);
  const svn = least ?? untagged(value, SVN) ?? value;
  if (typeof svn !== "number" || svn < 0 || svn > 0xffffffff) return values.refuse("the security version is none");
  return least === undefined ? { svnLeast: svn, svnMost: svn } : { svnLeast: svn };
}

/** The SHA-256 among digests of one object by different algorithms. */
function readDigests(values: Claims, label: number): Uint8Array | undefined {
  const algorithms = new Set<CborValue>();
  let found: Uint8Array | undefined;
  values.list(label, 1, LIST_MAX, (items: Claims, index) => {
    const digest: Claims = items.array(index, 2);
    const algorithm = digest.value(0);
    if (typeof algorithm !== "number" && typeof algorithm !== "string") digest.refuse("the algorithm is none");
    const isSha256 = SHA256.includes(algorithm);
    const name = isSha256 ? SHA256[0]! : algorithm;
    if (algorithms.has(name)) digest.refuse("two digests by one algorithm");
    algorithms.add(name);
    const bytes = digest.bytes(1, isSha256 ? Limit.DIGEST_BYTES : 1, isSha256 ? Limit.DIGEST_BYTES : TEXT_BYTES_MAX);
    if (isSha256) found = bytes;
  });
  return found;
}
