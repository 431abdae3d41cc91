/**
 * A verifier over HTTP, as the types of `VerifierService`: a method per row of the API's table (docs/verifier.md). What it
 * refuses is thrown as the same `VerifierError` that a verifier in this process would throw, or as a `ClientError`.
 */
import { Limit } from "../../firmware/protocol/limits.ts";
import type { FrostCommitment } from "../keys/frost.ts";
import { HASH_BYTES } from "../log/merkle.ts";
import { TILE_BYTES, tilePath } from "../log/tiles.ts";
import { encodeLicenseRequest } from "../objects/license-request.ts";
import { encodeReportBatch } from "../objects/report-batch.ts";
import type {
  AuditEntry,
  Delivery,
  DeviceQuery,
  DeviceStatus,
  DeviceView,
  DraftView,
  FrostShareRequest,
  FrostSubject,
  HeadAnswer,
  HeadsView,
  LeakView,
  LicenseCall,
  LogTile,
  LogView,
  NonceAnswer,
  OfflineLicenseCall,
  OpeningWanted,
  OrderView,
  Page,
  Registration,
  ReportItem,
  ServiceEvent,
  SignedAnswer,
  UsageKey,
  UsageRow,
} from "../service/service.ts";
import type { BooksRow } from "../verifier/books.ts";
import { hexOf } from "../verifier/bytes.ts";
import type { OrderRequest } from "../verifier/order-book.ts";
import { Doc, objectText, worksJson } from "./document.ts";
import { ClientError } from "./errors.ts";
import { Media } from "./media.ts";
import type { ClientOptions } from "./options.ts";
import { MoreSignatures } from "./problem.ts";
import { EventParser } from "./sse.ts";
import { type Call, type HttpAnswer, Transport, type TransportParts } from "./transport.ts";
import * as views from "./views.ts";

/** Verifiers send a comment at least this often; a stream that is silent longer is dead. */
const EVENTS_SILENCE_MS = 60_000;

/** How often the same request may be sent. */
const ONCE = { isIdempotent: false };
const AGAIN = { isIdempotent: true };
type Times = { readonly isIdempotent: boolean };
type Method = Call["method"];

export class VerifierClient {
  readonly #transport: Transport;
  #beacon: { readonly etag: string; readonly bytes: Uint8Array } | undefined;

  /** Connects nothing yet. Throws `ClientError` (`client/options`). */
  constructor(options: ClientOptions, parts?: TransportParts) {
    this.#transport = new Transport(options, parts);
  }

  async about(): Promise<views.About> {
    return views.readAbout(await this.#get("/v1"));
  }

  async agreementsAfter(version: number): Promise<readonly Uint8Array[]> {
    return (await this.#get(`/v1/agreements?after=${version}`)).objects("agreements");
  }

  async amend(bytes: Uint8Array): Promise<{ readonly version: number }> {
    return { version: (await this.#docOf("POST", "/v1/agreements", Media.COSE, bytes, ONCE)).uint("version") };
  }

  async nonce(ueid: Uint8Array): Promise<NonceAnswer> {
    const doc = await this.#postJson("/v1/nonces", { ueid: hexOf(ueid) }, AGAIN);
    return { nonce: doc.hex("nonce", Limit.NONCE_BYTES), expiresMs: doc.uint("expiresMs") };
  }

  license(call: LicenseCall): Promise<SignedAnswer> {
    return this.#signed("/v1/licenses", ...licenseBody(call));
  }

  /** A license with its whole quorum that others signed: reports and evidence will speak of it. */
  async importLicense(bytes: Uint8Array): Promise<void> {
    await this.#send("POST", "/v1/licenses/import", Media.CWT, AGAIN, { type: Media.CWT, bytes });
  }

  offlineLicense({ ueids, terms, notBeforeSeconds, draft }: OfflineLicenseCall): Promise<SignedAnswer> {
    const { budget, ticksMax, windowSeconds, rate, drain } = terms;
    const document = {
      ueids: ueids.map(hexOf),
      terms: {
        budget: worksJson(budget),
        ticksMax: ticksMax.toString(),
        windowSeconds,
        rate: worksJson(rate),
        drain: worksJson(drain),
      },
      notBeforeSeconds,
      draft: draft && objectText(draft),
    };
    return this.#signed("/v1/licenses/offline", Media.JSON, jsonBytes(document), ONCE);
  }

  recovery(call: Omit<LicenseCall, "terms">): Promise<SignedAnswer> {
    return this.#signed("/v1/recoveries", ...licenseBody(call));
  }

  /** A recovery with its whole quorum that others signed: the device goes on from what it says. */
  async importRecovery(bytes: Uint8Array): Promise<void> {
    await this.#send("POST", "/v1/recoveries/import", Media.CWT, AGAIN, { type: Media.CWT, bytes });
  }

  /** Sent once: each makes a nonce at the holder. */
  async frostCommitment(group: Uint8Array): Promise<FrostCommitment> {
    return views.readFrostCommitment(await this.#postJson("/v1/frost/commitments", { group: hexOf(group) }, ONCE));
  }

  /** Sent once: the commitment is used up, whatever becomes of the answer. */
  async frostShare(request: FrostShareRequest): Promise<Uint8Array> {
    const { group, draft, message, commitments } = request;
    const document = {
      group: hexOf(group),
      ...purposeJson(request),
      draft: objectText(draft),
      message: objectText(message),
      commitments: commitments.map(({ holder, hiding, binding }) => ({
        holder,
        hiding: hexOf(hiding),
        binding: hexOf(binding),
      })),
    };
    return (await this.#postJson("/v1/frost/shares", document, ONCE)).hex("share", Limit.PUBLIC_KEY_BYTES);
  }

  /** Gives the evidence's digest. `nonces`: of all verifiers that judge it, where they are several. */
  async appraise(evidence: Uint8Array, nonces?: readonly Uint8Array[]): Promise<Uint8Array> {
    const doc = await this.#docOf("POST", "/v1/evidence", ...licenseBody({ evidence, nonces }));
    return doc.hex("digest", Limit.DIGEST_BYTES);
  }

  verdict(evidenceDigest: Uint8Array): Promise<Uint8Array> {
    return this.#getBytes(`/v1/verdicts/${hexOf(evidenceDigest)}`, Media.EAT);
  }

  /** One outcome for each, in order. */
  async reports(items: readonly ReportItem[]): Promise<readonly views.UploadOutcome[]> {
    const doc = await this.#docOf("POST", "/v1/reports", Media.REPORTS, encodeReportBatch(items), AGAIN);
    const outcomes = doc.docs("results").map(views.readUploadOutcome);
    return outcomes.length === items.length
      ? outcomes
      : doc.refuse(`has ${outcomes.length} results for ${items.length}`);
  }

  async openingsWanted(ueid: Uint8Array): Promise<readonly OpeningWanted[]> {
    return (await this.#get(`/v1/openings?ueid=${hexOf(ueid)}`)).docs("openings").map(views.readOpeningWanted);
  }

  async open(opening: Uint8Array): Promise<void> {
    await this.#send("POST", "/v1/openings", Media.JSON, AGAIN, { type: Media.OPENING, bytes: opening });
  }

  /** Whose it is and where it stands is believed only of a client that says who it is. */
  async enrol(endorsement: Uint8Array, certificate: Uint8Array, of: Partial<Registration> = {}): Promise<DeviceView> {
    const document = { endorsement: objectText(endorsement), certificate: objectText(certificate), ...of };
    return views.readDevice(await this.#postJson("/v1/devices", document, AGAIN));
  }

  async device(ueid: Uint8Array): Promise<DeviceView> {
    return views.readDevice(await this.#get(`/v1/devices/${hexOf(ueid)}`));
  }

  async devices(query: DeviceQuery = {}): Promise<Page<DeviceView>> {
    return readPage(await this.#get(`/v1/devices${queryText(query)}`), views.readDevice);
  }

  async changeDevice(ueid: Uint8Array, change: Partial<Registration> & { status?: DeviceStatus }): Promise<DeviceView> {
    const path = `/v1/devices/${hexOf(ueid)}`;
    return views.readDevice(await this.#docOf("PATCH", path, Media.JSON, jsonBytes(change), AGAIN));
  }

  async books(ueid: Uint8Array): Promise<readonly BooksRow[]> {
    return (await this.#get(`/v1/devices/${hexOf(ueid)}/books`)).docs("books").map(views.readBooksRow);
  }

  async ordersAfter(epoch: number): Promise<readonly OrderView[]> {
    return (await this.#get(`/v1/orders?after=${epoch}`)).docs("orders").map(views.readOrder);
  }

  order(epoch: number): Promise<Uint8Array> {
    return this.#getBytes(`/v1/orders/${epoch}`, Media.COSE);
  }

  async proposeOrder({
    action,
    permille,
    scope,
    drain,
    drainTicks,
    notBeforeSeconds,
  }: OrderRequest): Promise<DraftView> {
    const document = {
      action: views.actionName(action),
      permille,
      scope: scope?.map(hexOf),
      drain: worksJson(drain),
      drainTicks: drainTicks?.toString(),
      notBeforeSeconds,
    };
    return views.readDraft(await this.#postJson("/v1/orders", document, ONCE));
  }

  /** A draft or a whole order from another verifier. */
  async importOrder(bytes: Uint8Array): Promise<DraftView> {
    return views.readDraft(await this.#docOf("POST", "/v1/orders", Media.COSE, bytes, ONCE));
  }

  async drafts(): Promise<readonly DraftView[]> {
    return (await this.#get("/v1/orders/drafts")).docs("drafts").map(views.readDraft);
  }

  async draft(id: number): Promise<DraftView> {
    return views.readDraft(await this.#get(`/v1/orders/drafts/${id}`));
  }

  async approveOrder(id: number, party: string): Promise<DraftView> {
    return views.readDraft(await this.#postJson(`/v1/orders/drafts/${id}/approvals`, { party }, ONCE));
  }

  async delivery(epoch: number): Promise<Delivery> {
    return views.readDelivery(await this.#get(`/v1/orders/${epoch}/delivery`));
  }

  /** A verifier that has no newer one is not asked for its bytes again. */
  async beacon(): Promise<Uint8Array> {
    const before = this.#beacon;
    const headers = before && { headers: [["if-none-match", before.etag]] as const };
    const call = { method: "GET", path: "/v1/beacon", accept: Media.COSE, ...AGAIN, ...headers } as const;
    const answer = await this.#transport.request({ ...call, answerBytesMax: Limit.MESSAGE_BYTES_MAX });
    if (answer.status === 304 && before) return before.bytes;
    const bytes = bytesOf(answer, Media.COSE);
    this.#beacon = answer.etag === undefined ? undefined : { etag: answer.etag, bytes };
    return bytes;
  }

  async timeProof(nonce: Uint8Array): Promise<Uint8Array> {
    const body = { type: Media.JSON, bytes: jsonBytes({ nonce: hexOf(nonce) }) };
    return bytesOf(await this.#send("POST", "/v1/time-proofs", Media.COSE, AGAIN, body), Media.COSE);
  }

  /** Hashes of the log that the verifier keeps (C2SP tlog-tiles). */
  async logTile({ level, index, width }: LogTile): Promise<Uint8Array> {
    const path = `/log/${tilePath(level, index, width)}`;
    const call = { method: "GET", path, accept: Media.OCTETS, ...AGAIN, answerBytesMax: TILE_BYTES } as const;
    const { type, body } = await this.#transport.request(call);
    if (type === Media.OCTETS && body.length === width * HASH_BYTES) return body;
    throw new ClientError("client/answer", `${body.length} bytes of ${type || "nothing"} instead of a tile`);
  }

  /** Heads of the agreements' logs that the verifier knows of, and split views. */
  async logHeads(): Promise<HeadsView> {
    return views.readLogHeads(await this.#get("/v1/log/heads"));
  }

  /** Shows it one, in the form of `add-checkpoint` (C2SP tlog-witness). */
  async offerLogHead(text: string): Promise<HeadAnswer> {
    const bytes = new TextEncoder().encode(text);
    return views.readHeadAnswer(await this.#docOf("POST", "/v1/log/heads", Media.TEXT, bytes, AGAIN));
  }

  async usage(by: UsageKey): Promise<readonly UsageRow[]> {
    return (await this.#get(`/v1/usage?by=${by}`)).docs("usage").map(views.readUsageRow);
  }

  async leak(): Promise<LeakView> {
    return views.readLeak(await this.#get("/v1/leak-bound"));
  }

  /** As docs/policy.md describes it. */
  async policy(): Promise<Readonly<Record<string, unknown>>> {
    return (await this.#get("/v1/policy")).value;
  }

  async audit(query: { readonly cursor?: string; readonly limit?: number } = {}): Promise<Page<AuditEntry>> {
    return readPage(await this.#get(`/v1/audit${queryText(query)}`), views.readAuditEntry);
  }

  /** Only where the verifier's clock is a simulated one. */
  async setClock(nowMs: number): Promise<void> {
    const body = { type: Media.JSON, bytes: jsonBytes({ nowMs }) };
    await this.#send("PUT", "/v1/simulation/clock", Media.JSON, AGAIN, body);
  }

  /**
   * What happens at the verifier from now on, until the stream breaks off, which it does by rejecting. The first item is
   * `undefined`: the verifier listens, and what happened before can be asked for without a gap.
   */
  async *events(): AsyncGenerator<ServiceEvent | undefined> {
    const parser = new EventParser();
    let isFirst = true;
    for await (const bytes of this.#transport.stream("/v1/events", Media.EVENTS, EVENTS_SILENCE_MS)) {
      if (isFirst) yield undefined;
      isFirst = false;
      for (const { type, data } of parser.take(bytes)) {
        const event = views.readEvent(type, Doc.parse(Buffer.from(data), "event"));
        if (event) yield event;
      }
    }
    throw new ClientError("client/connect", "the stream of events ended");
  }

  /** For a governor that holds the log's head of `from` entries; 0: none. */
  logProof(digest: Uint8Array, from: number): Promise<Uint8Array> {
    return this.#getBytes(`/v1/log/proofs/${hexOf(digest)}?from=${from}`, Media.LOG_PROOF);
  }

  async log(): Promise<LogView> {
    return views.readLog(await this.#get("/v1/log"));
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #signed(path: string, type: string, bytes: Uint8Array, times: Times): Promise<SignedAnswer> {
    try {
      const answer = await this.#send("POST", path, Media.CWT, times, { type, bytes });
      return { complete: true, bytes: bytesOf(answer, Media.CWT), repeated: answer.status === 200 };
    } catch (error) {
      if (!(error instanceof MoreSignatures)) throw error;
      const doc = new Doc(error.members, "problem");
      return { complete: false, draft: doc.bytes("draft"), have: doc.uint("have"), need: doc.uint("need") };
    }
  }

  #postJson(path: string, document: object, times: Times): Promise<Doc> {
    return this.#docOf("POST", path, Media.JSON, jsonBytes(document), times);
  }

  async #get(path: string): Promise<Doc> {
    return docOf(await this.#send("GET", path, Media.JSON, AGAIN), path);
  }

  async #getBytes(path: string, type: string): Promise<Uint8Array> {
    return bytesOf(await this.#send("GET", path, type, AGAIN), type);
  }

  async #docOf(method: Method, path: string, type: string, bytes: Uint8Array, times: Times): Promise<Doc> {
    return docOf(await this.#send(method, path, Media.JSON, times, { type, bytes }), path);
  }

  #send(method: Method, path: string, accept: string, times: Times, body?: Call["body"]): Promise<HttpAnswer> {
    return this.#transport.request({ method, path, accept, body, ...times });
  }
}

function licenseBody(call: LicenseCall): [type: string, bytes: Uint8Array, times: Times] {
  const { evidence, terms, draft, nonces } = call;
  if (terms === undefined && draft === undefined && nonces === undefined) return [Media.EAT, evidence, AGAIN];
  return [Media.LICENSE_REQUEST, encodeLicenseRequest(call), AGAIN];
}

function docOf(answer: HttpAnswer, path: string): Doc {
  if (answer.type !== Media.JSON) throw new ClientError("client/answer", `${answer.type || "nothing"} from ${path}`);
  return Doc.parse(answer.body, path);
}

function bytesOf({ type, body }: HttpAnswer, wanted: string): Uint8Array {
  if (type !== wanted) throw new ClientError("client/answer", `${type || "nothing"} instead of ${wanted}`);
  if (body.length > Limit.MESSAGE_BYTES_MAX) throw new ClientError("client/too-large", `${body.length} bytes`);
  return body;
}

function readPage<T>(doc: Doc, read: (doc: Doc) => T): Page<T> {
  return { items: doc.docs("items").map(read), cursor: doc.optional("cursor", (name) => doc.text(name)) };
}

function jsonBytes(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}

function queryText(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? "" : `?${parameters}`;
}

function purposeJson(subject: FrostSubject) {
  const { purpose } = subject;
  if (!("evidence" in subject)) return { purpose };
  return { purpose, evidence: objectText(subject.evidence), nonces: subject.nonces?.map(hexOf) };
}
