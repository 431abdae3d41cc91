/**
 * Who signed a request. The steps come in this order: read, judge times and coverage, find the key, verify, compare the
 * body, remember the nonce. So a store is asked only for what is well formed, and a nonce is used up only by a request
 * that is good in everything else: nobody can spoil another's.
 */
import { ed25519VerifyAsync } from "../protocol/cose-key.ts";
import { CONTENT_DIGEST, checkContentDigest } from "./digest.ts";
import { AuthError } from "./errors.ts";
import { type InnerList, isInnerList, parseDictionary } from "./fields.ts";
import { RequestHeaders } from "./headers.ts";
import {
  CLOCK_SKEW_SECONDS_MAX,
  readParameters,
  requiredComponents,
  SIGNATURE,
  SIGNATURE_INPUT,
  SIGNATURE_TAG,
  type SignatureParameters,
} from "./profile.ts";
import { type AuthRequest, normalAuthority, requestTarget } from "./request.ts";
import { signatureBase } from "./signature-base.ts";
import type { ClientRecord, ClientStore, ReplayStore } from "./stores.ts";

export interface SignatureTrust {
  readonly clients: Pick<ClientStore, "client">;
  readonly replays: ReplayStore;
  /**
   * The names that this service answers to, as `normalAuthority` gives them. A request that was signed for another
   * verifier could else be brought here, where its nonce is new.
   */
  readonly authorities: ReadonlySet<string>;
  readonly nowMs: number;
}

const SIGNATURE_BYTES = 64;

/** Throws an `AuthError`; what a store throws is passed on. */
export async function verifySignature(request: AuthRequest, trust: SignatureTrust): Promise<ClientRecord> {
  const headers = new RequestHeaders(request.headers);
  const { client, parameters } = await verifyHeader(request, headers, trust);
  const digest = headers.value(CONTENT_DIGEST);
  if (digest !== undefined) checkContentDigest(digest, request);
  // Kept beyond its end, since processes that share a store may differ in their clocks.
  const keptUntilMs = (parameters.expiresSeconds + CLOCK_SKEW_SECONDS_MAX) * 1000;
  if (await trust.replays.seen(parameters.keyid, parameters.nonce, keptUntilMs)) throw new AuthError("auth/replayed");
  return client;
}

/** Who signed a request whose body is still to come: worth waiting for, and judged by `verifySignature` when it is here. */
export async function signerAhead(request: AuthRequest, trust: SignatureTrust): Promise<ClientRecord> {
  return (await verifyHeader({ ...request, body: undefined }, new RequestHeaders(request.headers), trust)).client;
}

async function verifyHeader(request: AuthRequest, headers: RequestHeaders, trust: SignatureTrust) {
  const { covered, signature } = signatureOf(headers);
  const parameters = readParameters(covered.parameters);
  checkTimes(parameters, trust.nowMs);
  checkAuthority(request, headers, trust.authorities);
  const base = signatureBase(request, covered, headers);
  const names = new Set(covered.items.map(({ value }) => value));
  for (const name of requiredComponents(request, headers)) {
    if (!names.has(name)) throw new AuthError("auth/coverage", name);
  }
  const client = await trust.clients.client(parameters.keyid);
  if (client === undefined) throw new AuthError("auth/key-unknown", parameters.keyid);
  if (!(await ed25519VerifyAsync(signature, new TextEncoder().encode(base), client.publicKey))) {
    throw new AuthError("auth/signature");
  }
  if (client.revokedMs !== undefined) throw new AuthError("auth/key-revoked", parameters.keyid);
  return { client, parameters };
}

/** The one signature with the profile's tag (RFC 9421 section 3.2); others, of proxies for example, are passed over. */
function signatureOf(headers: RequestHeaders): { covered: InnerList; signature: Uint8Array } {
  const [inputs, values] = [headers.value(SIGNATURE_INPUT), headers.value(SIGNATURE)];
  if (inputs === undefined || values === undefined) throw new AuthError("auth/signature-missing");
  const found: [label: string, covered: InnerList][] = [];
  for (const [label, member] of parseDictionary(inputs, SIGNATURE_INPUT)) {
    if (!isInnerList(member)) throw new AuthError("auth/field-type", `${SIGNATURE_INPUT}, ${label}`);
    if (member.parameters.get("tag") === SIGNATURE_TAG) found.push([label, member]);
  }
  const [first, second] = found;
  if (first === undefined) throw new AuthError("auth/signature-tag");
  if (second !== undefined) throw new AuthError("auth/signature-several");
  const [label, covered] = first;
  const item = parseDictionary(values, SIGNATURE).get(label);
  if (item === undefined) throw new AuthError("auth/signature-label", label);
  if (isInnerList(item) || !(item.value instanceof Uint8Array) || item.parameters.size > 0) {
    throw new AuthError("auth/field-type", `${SIGNATURE}, ${label}`);
  }
  if (item.value.length !== SIGNATURE_BYTES) throw new AuthError("auth/signature-length");
  return { covered, signature: item.value };
}

function checkTimes({ createdSeconds, expiresSeconds }: SignatureParameters, nowMs: number): void {
  if (createdSeconds * 1000 > nowMs + CLOCK_SKEW_SECONDS_MAX * 1000) throw new AuthError("auth/not-yet-valid");
  if (nowMs > expiresSeconds * 1000) throw new AuthError("auth/expired");
}

function checkAuthority(request: AuthRequest, headers: RequestHeaders, ours: ReadonlySet<string>): void {
  const { authority } = requestTarget(request);
  const host = headers.value("host");
  const isOne = host === undefined || normalAuthority(host, request.scheme) === authority;
  if (!isOne || !ours.has(authority)) throw new AuthError("auth/authority");
}
