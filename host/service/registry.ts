/** The registry of devices: enrolment, whose they are, in which state, page by page. */
import type { Transaction } from "kysely";
import { keyId } from "../protocol/cose.ts";
import type { Tables } from "../store/store.ts";
import { hexOf } from "../verifier/bytes.ts";
import { VerifierError } from "../verifier/errors.ts";
import { enrolDevice, modelText } from "../verifier/registry.ts";
import type { ServiceContext } from "./context.ts";
import {
  type DeviceRow,
  deviceRow,
  deviceView,
  insertDevice,
  readDevice,
  readDevices,
  writeDevices,
} from "./device-rows.ts";
import type { DeviceState } from "./device-state.ts";
import type { DeviceQuery, DeviceStatus, DeviceView, Enrolled, Page, Registration } from "./service.ts";
import { UsageChanges } from "./usage.ts";

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
const NAME_CHARACTERS_MAX = 128;
/** Attestation keys of one device that are kept: one for each governor image that reports may still be signed by. */
export const CERTIFICATES_MAX = 16;

export class Registry {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Makes a device known, or its new attestation key. What is not said of it stays, or is the default. */
  async enrol(
    endorsement: Uint8Array,
    certificate: Uint8Array,
    registration: Partial<Registration> = {},
  ): Promise<Enrolled> {
    checkRegistration(registration);
    const { store, shared, settings, clock } = this.#context;
    const grounds = await shared.now();
    // Judged before the transaction: nobody waits for signatures of who may be a stranger.
    const judged = enrolDevice(endorsement, certificate, grounds.references, grounds.agreement, () => undefined);
    return store.write(async (tx) => {
      await shared.locked(tx);
      for (;;) {
        const before = (await readDevices(tx, [judged.ueid], store.forUpdate)).get(hexOf(judged.ueid));
        const record = enrolDevice(
          endorsement,
          certificate,
          grounds.references,
          grounds.agreement,
          () => before?.state.record,
        );
        const certificates = record.certificates.slice(-CERTIFICATES_MAX);
        const state: DeviceState = {
          ...(before?.state ?? { offline: [], licenses: 0, recoveries: 0 }),
          record: { ...record, certificates },
        };
        const nowMs = clock();
        const row: Omit<DeviceRow, "id"> = {
          status: "active",
          enrolledMs: nowMs,
          seenMs: 0,
          epoch: 0,
          ...before,
          model: modelText(record.endorsement),
          registration: { ...settings().registration, ...before?.registration, ...given(registration) },
          state,
        };
        const id = before?.id ?? (await insertDevice(tx, row));
        // Another process enrolled it since it was looked for: it is there now, and stays.
        if (id === undefined) continue;
        const after = { ...row, id };
        if (before) await writeDevices(tx, [{ before, after }]);
        await this.#keep(tx, after, endorsement, certificate, nowMs);
        const usage = new UsageChanges();
        usage.add(before, after);
        await usage.write(store, tx, this.#context.slot);
        return { ...deviceView(after), isNew: before === undefined };
      }
    });
  }

  async device(ueid: Uint8Array): Promise<DeviceView> {
    return deviceView(await readDevice(this.#context.store, ueid));
  }

  async change(ueid: Uint8Array, change: Partial<Registration> & { status?: DeviceStatus }): Promise<DeviceView> {
    const { status, ...registration } = change;
    checkRegistration(registration);
    const { store } = this.#context;
    return store.write(async (tx) => {
      const before = (await readDevices(tx, [ueid], store.forUpdate)).get(hexOf(ueid));
      if (!before) throw new VerifierError("device/unknown", hexOf(ueid));
      const after: DeviceRow = {
        ...before,
        status: status ?? before.status,
        registration: { ...before.registration, ...given(registration) },
      };
      await writeDevices(tx, [{ before, after }]);
      const usage = new UsageChanges();
      usage.add(before, after);
      await usage.write(store, tx, this.#context.slot);
      return deviceView(after);
    });
  }

  async page({ owner, site, model, status, cursor, limit = PAGE_DEFAULT }: DeviceQuery): Promise<Page<DeviceView>> {
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
      throw new VerifierError("device/query", `limit ${limit} is not 1 to ${PAGE_MAX}`);
    }
    const after = cursor === undefined ? 0 : cursorId(cursor, "device/query");
    let query = this.#context.store.db.selectFrom("devices").selectAll().where("id", ">", after);
    for (const [column, value] of Object.entries({ owner, site, model, status })) {
      if (value !== undefined) query = query.where(column as "owner", "=", value);
    }
    const rows = await query
      .orderBy("id")
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit);
    return {
      items: items.map((row) => deviceView(deviceRow(row))),
      cursor: rows.length > limit ? String(items.at(-1)!.id) : undefined,
    };
  }

  /** The objects as they came: state is what was concluded from them. */
  async #keep(
    tx: Transaction<Tables>,
    row: DeviceRow,
    endorsement: Uint8Array,
    certificate: Uint8Array,
    nowMs: number,
  ) {
    await tx
      .insertInto("endorsements")
      .values({ device_id: row.id, bytes: endorsement })
      .onConflict((on) => on.column("device_id").doUpdateSet({ bytes: endorsement }))
      .execute();
    const { attestationPublicKey, measurement } = row.state.record.certificates.at(-1)!;
    const values = { device_id: row.id, public_key: attestationPublicKey, measurement, bytes: certificate };
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("certificates")
      .values({ kid: keyId(attestationPublicKey), ...values, added_ms: nowMs })
      .onConflict((on) => on.column("kid").doUpdateSet(values).where("certificates.device_id", "=", row.id))
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) throw new VerifierError("certificate/key", hexOf(row.state.record.ueid));
  }
}

/** The id that a page ended with. */
export function cursorId(cursor: string, code: "device/query" | "audit/query"): number {
  const id = Number(cursor);
  if (!/^[0-9]{1,16}$/.test(cursor) || !Number.isSafeInteger(id)) throw new VerifierError(code, "the cursor is none");
  return id;
}

/** Only what was said. */
function given(registration: Partial<Registration>): Partial<Registration> {
  return Object.fromEntries(Object.entries(registration).filter(([, value]) => value !== undefined));
}

export function checkRegistration({ owner, site, profile }: Partial<Registration>): void {
  for (const [what, name] of Object.entries({ owner, site })) {
    if (name === undefined) continue;
    const isName = name.length <= NAME_CHARACTERS_MAX && name.isWellFormed() && !/\p{Cc}/u.test(name);
    if (!isName)
      throw new VerifierError("device/registration", `${what} is not 0 to ${NAME_CHARACTERS_MAX} characters`);
  }
  if (profile !== undefined && profile !== "training" && profile !== "inference") {
    throw new VerifierError("device/registration", "profile is neither training nor inference");
  }
}
