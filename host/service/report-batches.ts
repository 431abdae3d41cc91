/**
 * Usage reports, for all requests that arrive together in one durable transaction: signatures first, then the devices'
 * rows are locked, each report must follow its chain, and what was taken is written.
 */
import type { Transaction } from "kysely";
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { objectAad } from "../objects/aad.ts";
import { decodeUsageReport, type UsageReport } from "../objects/usage-report.ts";
import { type AllWork, workBetween } from "../objects/work.ts";
import { parseSign1, type Sign1Message } from "../protocol/cose.ts";
import { sign1sHold } from "../protocol/cose-async.ts";
import { Batcher, type Result } from "../store/batcher.ts";
import type { Tables } from "../store/store.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { type AttestedReport, judgeReport } from "../verifier/judgement.ts";
import { readSignedAsync } from "../verifier/signed.ts";
import type { StoredReport } from "../verifier/storage.ts";
import type { ServiceContext } from "./context.ts";
import { changesOf, type DeviceRow, readDevices, writeDevices } from "./device-rows.ts";
import {
  type NewReport,
  type ReportKey,
  readReports,
  reportName,
  type WantedOpening,
  writeReports,
} from "./report-rows.ts";
import type { ReportItem, ReportOutcome } from "./service.ts";
import type { SharedState } from "./shared.ts";
import { UsageChanges } from "./usage.ts";

/** A report of a device that is here, whose signature holds once `attested` has judged it. */
interface ReadReport extends AttestedReport {
  readonly item: ReportItem;
  readonly message: Sign1Message;
}

const REPORT_AAD = objectAad(ObjectType.USAGE_REPORT);

const ITEMS_MAX = 256;
const QUEUE_MAX = 8192;
const LANES = { sqlite: 1, postgres: 4 } as const;

/** One request's reports, in order: those of one device follow each other. */
type Request = readonly (ReadReport | VerifierError)[];

export class ReportBatches {
  readonly #context: ServiceContext;
  readonly #batcher: Batcher<Request, readonly ReportOutcome[]>;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#batcher = new Batcher({
      itemsMax: ITEMS_MAX,
      lanes: LANES[context.store.engine],
      queueMax: QUEUE_MAX,
      observe: context.committed,
      run: (requests) => context.store.write((tx) => this.#run(tx, requests)),
    });
  }

  /** What became of each, in order; what was taken is durable. */
  async take(items: readonly ReportItem[]): Promise<readonly ReportOutcome[]> {
    const read = await Promise.all(items.map((item) => this.#read(item)));
    return this.#batcher.ask(await attested(read));
  }

  async #read(item: ReportItem): Promise<ReadReport | VerifierError> {
    try {
      return await readSignedAsync("report/malformed", "report/signature", async () => {
        const message = parseSign1(item.report);
        const report = decodeUsageReport(message.payload);
        const attester = await this.#context.attesters.find(report.ueid, message.kid);
        if (!attester) throw new VerifierError("report/signature", "an unknown key");
        return { item, message, report, attester };
      });
    } catch (error) {
      if (error instanceof VerifierError) return error;
      throw error;
    }
  }

  async #run(tx: Transaction<Tables>, requests: readonly Request[]): Promise<Result<readonly ReportOutcome[]>[]> {
    const { store, shared: state, clock, slot } = this.#context;
    const reports = requests.flat().filter((read): read is ReadReport => !(read instanceof VerifierError));
    const shared = await state.locked(tx);
    const rows = await readDevices(
      tx,
      reports.map(({ report }) => report.ueid),
      store.forUpdate,
    );
    const before = new Map(rows);
    const batch = new ReportBatch(
      rows,
      await readReports(tx, reports.flatMap(storedBefore(rows))),
      shared,
      this.#context,
    );
    const outcomes = requests.map((request) => request.map((read) => batch.take(read)));
    await writeReports(tx, batch.taken, clock());
    const changes = changesOf(before, rows);
    await writeDevices(tx, changes);
    const usage = new UsageChanges();
    for (const change of changes) usage.add(change.before, change.after);
    await usage.write(store, tx, slot);
    return outcomes.map((value) => ({ ok: true, value }));
  }
}

/** The same reports, those whose signature does not hold refused: a request's signatures are judged together. */
async function attested(read: Request): Promise<Request> {
  const reports = read.filter((one): one is ReadReport => !(one instanceof VerifierError));
  const messages = reports.map(({ message, attester }) => ({ message, publicKey: attester }));
  const holds = new Map((await sign1sHold(messages, REPORT_AAD)).map((verdict, i) => [reports[i]!, verdict]));
  return read.map((one) => {
    if (one instanceof VerifierError || holds.get(one)) return one;
    return new VerifierError("report/signature", "the signature does not hold");
  });
}

/** Reports of a sequence that may be here already. */
function storedBefore(rows: ReadonlyMap<string, DeviceRow>) {
  return ({ report }: ReadReport): ReportKey[] => {
    const row = rows.get(hexOf(report.ueid));
    return row && report.sequence <= row.state.record.chain.head.sequence ? [[row.id, report.sequence]] : [];
  };
}

/** The reports of one transaction, one after the other. */
class ReportBatch {
  readonly taken: NewReport[] = [];
  readonly #rows: Map<string, DeviceRow>;
  readonly #stored: Map<string, StoredReport>;
  readonly #shared: SharedState;
  readonly #random: (bytes: number) => Uint8Array;

  constructor(
    rows: Map<string, DeviceRow>,
    stored: Map<string, StoredReport>,
    shared: SharedState,
    { random }: Pick<ServiceContext, "random">,
  ) {
    this.#rows = rows;
    this.#stored = stored;
    this.#shared = shared;
    this.#random = random;
  }

  take(read: ReadReport | VerifierError): ReportOutcome {
    if (read instanceof VerifierError) return refused(read);
    const { item, report } = read;
    const ueid = hexOf(report.ueid);
    const row = this.#rows.get(ueid);
    if (!row) return refused(new VerifierError("device/unknown", ueid));
    const { sequence } = report;
    const name = reportName([row.id, sequence]);
    try {
      const { record } = row.state;
      const known = this.#stored.get(name);
      const { step, device, work } = judgeReport(item.report, read, item.intervals, record, known, this.#shared);
      if (step.repeated) return { status: "repeated", sequence };
      const opening = this.#opening(item, report, workBetween(work, report.totals));
      this.taken.push({ deviceId: row.id, sequence, bytes: item.report, intervals: item.intervals, opening });
      this.#stored.set(name, { report, bytes: item.report, intervals: item.intervals });
      this.#rows.set(ueid, { ...row, state: { ...row.state, record: device } });
      return { status: "taken", sequence };
    } catch (error) {
      if (!(error instanceof VerifierError)) throw error;
      if (error.code === "report/forked" && row.status === "active") {
        this.#rows.set(ueid, { ...row, status: "suspected-fork" });
      }
      return refused(error);
    }
  }

  /** A report that came without its intervals: the device must show one of them, and cannot know which. */
  #opening(
    { intervals }: ReportItem,
    { intervalCount }: UsageReport,
    totalsBefore: AllWork,
  ): WantedOpening | undefined {
    if (intervals !== undefined || intervalCount === 0) return undefined;
    const index = Buffer.from(this.#random(4)).readUInt32BE() % intervalCount;
    return { index, totalsBefore };
  }
}

function refused({ code, message }: VerifierError): ReportOutcome {
  return { status: "refused", code, message };
}
