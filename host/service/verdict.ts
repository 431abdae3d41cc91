/**
 * What is kept of each appraisal: the claims of an attestation result, which are signed when somebody asks for them.
 *
 * Every license has one, and most say the same of other evidence. So what they say is encoded once, and evidence, device,
 * nonce and time are put in their places: encoding each anew costs as much as encoding the license.
 */
import type { Policy } from "../policy/policy.ts";
import { earOf, encodeEar } from "../rats/ear.ts";
import type { VerifierErrorCode } from "../verifier/errors.ts";
import type { EvidenceItem } from "./evidence-item.ts";

const VERIFIER = { developer: "Quiesce", build: "1" };

/** What stands in the places of a form: each found there once, and nothing that claims say by themselves. */
const MARKS = {
  evidenceDigest: new Uint8Array(32).fill(0xd1),
  ueid: Uint8Array.of(1, ...new Uint8Array(32).fill(0xd2)),
  /** Four bytes long from 1970's first day on to 2106. */
  seconds: 0xd3d4d5d6,
} as const;
const SECONDS_LEAST = 65_536;

interface Form {
  readonly bytes: Uint8Array;
  readonly evidenceDigest: number;
  readonly ueid: number;
  readonly nonce: number;
  readonly seconds: number;
}

/** By what they say: few, but policies come and go. */
const forms = new Map<string, Form>();
const FORMS_MAX = 256;

/** Bytes that `encodeEar` would give. */
export function verdictOn(
  { purpose: wanted, digest, evidence }: EvidenceItem,
  policy: Policy,
  nowMs: number,
  refusal?: VerifierErrorCode,
): Uint8Array {
  const purpose = wanted === "recovery" ? ("recovery" as const) : ("license" as const);
  const { ueid, nonce } = evidence;
  const said = { purpose, refusal, policyIds: [`urn:x-quiesce:policy:${policy.name}`] };
  const seconds = Math.floor(nowMs / 1000);
  const isShaped = ueid.length === MARKS.ueid.length && seconds >= SECONDS_LEAST;
  if (!isShaped) return encodeEar(earOf({ ...said, evidenceDigest: digest, ueid, nonce }, VERIFIER, seconds));
  const form = formOf(said, nonce.length);
  const bytes = form.bytes.slice();
  bytes.set(digest, form.evidenceDigest);
  bytes.set(ueid, form.ueid);
  bytes.set(nonce, form.nonce);
  new DataView(bytes.buffer).setUint32(form.seconds, seconds);
  return bytes;
}

type Said = Pick<Parameters<typeof earOf>[0], "purpose" | "refusal" | "policyIds">;

function formOf(said: Said, nonceBytes: number): Form {
  const name = `${nonceBytes} ${said.purpose} ${said.refusal ?? ""} ${said.policyIds}`;
  let form = forms.get(name);
  if (!form) {
    if (forms.size === FORMS_MAX) forms.clear();
    form = newForm(said, nonceBytes);
    forms.set(name, form);
  }
  return form;
}

function newForm(said: Said, nonceBytes: number): Form {
  const { evidenceDigest, ueid, seconds } = MARKS;
  const nonce = new Uint8Array(nonceBytes).fill(0xd7);
  const bytes = encodeEar(earOf({ ...said, evidenceDigest, ueid, nonce }, VERIFIER, seconds));
  const time = new Uint8Array(4);
  new DataView(time.buffer).setUint32(0, seconds);
  return {
    bytes,
    evidenceDigest: placeOf(evidenceDigest, bytes),
    ueid: placeOf(ueid, bytes),
    nonce: placeOf(nonce, bytes),
    seconds: placeOf(time, bytes),
  };
}

function placeOf(mark: Uint8Array, bytes: Uint8Array): number {
  const within = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const place = within.indexOf(mark);
  if (place < 0 || within.lastIndexOf(mark) !== place) throw new Error("a mark of a verdict's form is not there once");
  return place;
}
