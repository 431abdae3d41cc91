/**
 * The verifier's use cases over the store: which part does what. What is decided stands in host/verifier, as functions;
 * what is kept, in host/store; here is what reads, locks, signs and writes, in the order that makes it durable.
 */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import type { FrostCommitment } from "../keys/frost.ts";
import { signSign1Async } from "../keys/signer.ts";
import { verifyAgreement } from "../objects/agreement.ts";
import { StoreError } from "../store/errors.ts";
import { hexOf, sameBytes } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { OrderRequest } from "../verifier/order-book.ts";
import { readSigned } from "../verifier/signed.ts";
import { readVerdict } from "./answer-rows.ts";
import { Answers } from "./answers.ts";
import { readAudit, writeAudit } from "./audit.ts";
import { Beacons } from "./beacons.ts";
import { CompletedLicenses } from "./completed-licenses.ts";
import { CompletedRecoveries } from "./completed-recoveries.ts";
import type { ServiceContext } from "./context.ts";
import { readDevice, sumsOf } from "./device-rows.ts";
import { Events } from "./events.ts";
import { readEvidenceItem } from "./evidence-item.ts";
import { Frost } from "./frost.ts";
import { FrostGathering } from "./frost-gathering.ts";
import { GroupLicenses } from "./group-licenses.ts";
import { GroupOrders } from "./group-orders.ts";
import { leakView } from "./leak-view.ts";
import { OfflineLicenses } from "./offline-licenses.ts";
import { Openings } from "./openings.ts";
import { Orders, orderView } from "./orders.ts";
import { Registry } from "./registry.ts";
import { ReportBatches } from "./report-batches.ts";
import type * as api from "./service.ts";
import { booksRows, readUsage } from "./usage.ts";

const NO_AAD = new Uint8Array(0);

export class SqlService implements api.VerifierService {
  readonly #context: ServiceContext;
  readonly #answers: Answers;
  readonly #frost: Frost;
  readonly #reports: ReportBatches;
  readonly #registry: Registry;
  readonly #orders: Orders;
  readonly #offline: OfflineLicenses;
  readonly #completed: CompletedLicenses;
  readonly #recovered: CompletedRecoveries;
  readonly #openings: Openings;
  readonly #beacons: Beacons;
  readonly #events = new Events();
  readonly #watch: NodeJS.Timeout | undefined;
  #seenVersion = -1;

  /** `beaconMs`: how often beacons are pushed to whoever listens, and other processes' orders looked for; 0: never. */
  constructor(context: ServiceContext, beaconMs = 0) {
    this.#context = context;
    this.#answers = new Answers(context);
    const gathering = new FrostGathering(context);
    const orders = new GroupOrders(context, gathering);
    const licenses = new GroupLicenses(context, gathering);
    this.#frost = new Frost(context, gathering, { answers: this.#answers, orders, licenses });
    this.#reports = new ReportBatches(context);
    this.#registry = new Registry(context);
    this.#orders = new Orders(context, orders, () => void quietly(() => this.#tell()));
    this.#offline = new OfflineLicenses(context, licenses);
    this.#completed = new CompletedLicenses(context);
    this.#recovered = new CompletedRecoveries(context);
    this.#openings = new Openings(context);
    this.#beacons = new Beacons(context);
    if (beaconMs > 0) {
      this.#watch = setInterval(() => void this.#push(), beaconMs);
      this.#watch.unref();
    }
  }

  async about() {
    const { agreement, agreementDigest, orders } = await this.#context.shared.now();
    const here = new Set(this.#context.parties.kidsHere(agreement).map(hexOf));
    return {
      agreementVersion: agreement.version,
      agreementDigest,
      parties: agreement.parties.map(({ name, kid }) => ({ name, kid, here: here.has(hexOf(kid)) })),
      epoch: orders.epochNewest,
      nowMs: this.#context.clock(),
    };
  }

  async agreementsAfter(version: number): Promise<readonly Uint8Array[]> {
    const shared = await this.#context.shared.now();
    await this.#context.log.coverShared(shared);
    const { agreements } = shared;
    return agreements.filter((one) => one.version > version).map(({ bytes }) => bytes);
  }

  async amend(bytes: Uint8Array): Promise<{ version: number }> {
    const { store, shared, log } = this.#context;
    const version = await store.write(async (tx) => {
      const state = await shared.locked(tx, true);
      const { agreement: inForce, agreementBytes } = state;
      if (sameBytes(bytes, agreementBytes)) return inForce.version;
      const read = () => verifyAgreement(bytes, inForce);
      const { agreement, digest } = readSigned("agreement/malformed", "agreement/signature", read);
      await tx.insertInto("agreements").values({ version: agreement.version, digest, bytes }).execute();
      await shared.changed(tx);
      await log.append(tx, [{ type: ObjectType.AGREEMENT, bytes }], state);
      return agreement.version;
    });
    await this.#tell();
    return { version };
  }

  enrol(endorsement: Uint8Array, certificate: Uint8Array, registration?: Partial<api.Registration>) {
    return this.#registry.enrol(endorsement, certificate, registration);
  }

  device(ueid: Uint8Array): Promise<api.DeviceView> {
    return this.#registry.device(ueid);
  }

  devices(query: api.DeviceQuery): Promise<api.Page<api.DeviceView>> {
    return this.#registry.page(query);
  }

  changeDevice(ueid: Uint8Array, change: Partial<api.Registration> & { status?: api.DeviceStatus }) {
    return this.#registry.change(ueid, change);
  }

  async nonce(ueid: Uint8Array): Promise<api.NonceAnswer> {
    await this.#context.attesters.know(ueid);
    const nowMs = this.#context.clock();
    const { nonces } = this.#context;
    return { nonce: nonces.give(ueid, nowMs), expiresMs: nowMs + nonces.lifetimeMs };
  }

  async license(call: api.LicenseCall): Promise<api.SignedAnswer> {
    return this.#frost.answer(await readEvidenceItem(this.#context, "license", call));
  }

  importLicense(bytes: Uint8Array): Promise<void> {
    return this.#completed.take(bytes);
  }

  offlineLicense(call: api.OfflineLicenseCall): Promise<api.SignedAnswer> {
    return this.#offline.issue(call);
  }

  async recovery(call: Omit<api.LicenseCall, "terms">): Promise<api.SignedAnswer> {
    return this.#frost.answer(await readEvidenceItem(this.#context, "recovery", call));
  }

  importRecovery(bytes: Uint8Array): Promise<void> {
    return this.#recovered.take(bytes);
  }

  async frostCommitment(group: Uint8Array): Promise<FrostCommitment> {
    return this.#frost.commitment(group);
  }

  frostShare(request: api.FrostShareRequest): Promise<Uint8Array> {
    return this.#frost.share(request);
  }

  async appraise(evidence: Uint8Array, nonces?: readonly Uint8Array[]): Promise<Uint8Array> {
    const item = await readEvidenceItem(this.#context, "appraisal", { evidence, nonces });
    await this.#answers.ask(item);
    return item.digest;
  }

  async verdict(evidenceDigest: Uint8Array): Promise<Uint8Array> {
    const { store, verdictSigner } = this.#context;
    const claims = await readVerdict(store.db, evidenceDigest);
    if (!claims) throw new VerifierError("verdict/unknown", hexOf(evidenceDigest));
    return signSign1Async(claims, verdictSigner, NO_AAD);
  }

  reports(items: readonly api.ReportItem[]): Promise<readonly api.ReportOutcome[]> {
    return this.#reports.take(items);
  }

  openingsWanted(ueid: Uint8Array): Promise<readonly api.OpeningWanted[]> {
    return this.#openings.wanted(ueid);
  }

  open(opening: Uint8Array): Promise<void> {
    return this.#openings.open(opening);
  }

  ordersAfter(epoch: number): Promise<readonly api.OrderView[]> {
    return this.#orders.after(epoch);
  }

  proposeOrder(request: OrderRequest): Promise<api.DraftView> {
    return this.#orders.propose(request);
  }

  importOrder(bytes: Uint8Array): Promise<api.DraftView> {
    return this.#orders.import(bytes);
  }

  drafts(): Promise<readonly api.DraftView[]> {
    return this.#orders.drafts();
  }

  draft(id: number): Promise<api.DraftView> {
    return this.#orders.draft(id);
  }

  approveOrder(id: number, party: string): Promise<api.DraftView> {
    return this.#orders.approve(id, party);
  }

  delivery(epoch: number): Promise<api.Delivery> {
    return this.#orders.delivery(epoch);
  }

  beacon(): Promise<Uint8Array> {
    return this.#beacons.beacon();
  }

  timeProof(nonce: Uint8Array): Promise<Uint8Array> {
    return this.#beacons.timeProof(nonce);
  }

  async books(ueid: Uint8Array) {
    return booksRows(sumsOf((await readDevice(this.#context.store, ueid)).state));
  }

  usage(by: api.UsageKey): Promise<readonly api.UsageRow[]> {
    return readUsage(this.#context.store.db, by);
  }

  leak(): Promise<api.LeakView> {
    return leakView(this.#context);
  }

  audit(query: { cursor?: string; limit?: number }): Promise<api.Page<api.AuditEntry>> {
    return readAudit(this.#context.store, query);
  }

  record(entry: Omit<api.AuditEntry, "id" | "atMs">): Promise<void> {
    return writeAudit(this.#context.store, { ...entry, atMs: this.#context.clock() });
  }

  logProof(digest: Uint8Array, from: number): Promise<Uint8Array> {
    return this.#context.log.proof(digest, from);
  }

  log(): Promise<api.LogView> {
    return this.#context.log.view();
  }

  logCheckpoint(): Promise<string> {
    return this.#context.log.checkpoint();
  }

  logTile(tile: api.LogTile): Promise<Uint8Array> {
    return this.#context.log.tile(tile);
  }

  logEntries(bundle: Omit<api.LogTile, "level">): Promise<readonly Uint8Array[]> {
    return this.#context.log.entries(bundle);
  }

  offerLogHead(text: string): Promise<api.HeadAnswer> {
    return this.#context.log.heads.offer(text);
  }

  logHeads(): Promise<api.HeadsView> {
    return this.#context.log.heads.view();
  }

  subscribe(listener: (event: api.ServiceEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  async ready(): Promise<boolean> {
    try {
      await this.#context.shared.now();
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.#context.log.close();
    await this.#context.store.close();
  }

  /** Orders and agreements that are new since the last time, whichever process made them so. */
  async #tell(): Promise<void> {
    const shared = await this.#context.shared.now();
    const { version, orders, agreement } = shared;
    if (version === this.#seenVersion) return;
    await this.#context.log.coverShared(shared);
    this.#seenVersion = version;
    if (!this.#events.isHeard) return;
    this.#events.emit({ type: "agreement", version: agreement.version });
    const newest = orders.newest;
    if (newest) this.#events.emit({ type: "order", order: orderView(newest) });
  }

  async #push(): Promise<void> {
    if (!this.#events.isHeard) return;
    await quietly(async () => {
      await this.#tell();
      this.#events.emit({ type: "beacon", bytes: await this.beacon() });
    });
  }
}

/** A verifier without the time authorities' keys has no beacons; a store that is away, or closed by now, is told by `ready`. */
async function quietly(push: () => Promise<void>): Promise<void> {
  try {
    await push();
  } catch (error) {
    if (!(error instanceof VerifierError) && !(error instanceof StoreError)) throw error;
  }
}
