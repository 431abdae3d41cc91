/** Rows of a store one after the other, and device by device: any number of them in bounded memory. */
import type { Kysely, RawBuilder, Selectable } from "kysely";
import type { TableName } from "../../store/columns.ts";
import type { Finding } from "../../store/fsck.ts";
import { keyText, type Row, rowPages } from "../../store/pages.ts";
import type { Tables } from "../../store/store.ts";
import { type DeviceState, decodeDeviceState } from "../device-state.ts";
import { readOf } from "./read.ts";

export type RowOf<T extends TableName> = Selectable<Tables[T]>;
export type Found = Omit<Finding, "check">;

/** In the order of the primary key, or of another one that an index has. Throws `StoreError`. */
export async function* rowsOf<T extends TableName>(
  db: Kysely<Tables>,
  table: T,
  order?: readonly (keyof RowOf<T> & string)[],
  where?: RawBuilder<unknown>,
): AsyncGenerator<RowOf<T>> {
  for await (const page of rowPages(db, table, undefined, where, order)) yield* page as unknown as RowOf<T>[];
}

export function found<T extends TableName>(table: T, row: Partial<RowOf<T>>, message: string): Found {
  return { table, key: keyText(table, row as unknown as Row), message };
}

export interface CheckedDevice {
  readonly id: number;
  readonly row: RowOf<"devices">;
  readonly state: DeviceState;
}

/** By rising id. Those whose state cannot be read are the check `devices`' to tell. */
export async function* checkedDevices(db: Kysely<Tables>): AsyncGenerator<CheckedDevice> {
  for await (const row of rowsOf(db, "devices")) {
    const state = readOf(() => decodeDeviceState(row.state));
    if ("value" in state) yield { id: row.id, row, state: state.value };
  }
}

/** Rows that belong to devices, for whoever walks through the devices by rising id. */
export class ByDevice<R extends { readonly device_id: number }> {
  readonly #rows: AsyncIterator<R>;
  #next: R | undefined;

  /** Rows by rising device. */
  constructor(rows: AsyncIterable<R>) {
    this.#rows = rows[Symbol.asyncIterator]();
  }

  static licenses(db: Kysely<Tables>, where?: RawBuilder<unknown>): ByDevice<RowOf<"licenses">> {
    return new ByDevice(rowsOf(db, "licenses", ["device_id", "sequence", "kind"], where));
  }

  /** Rows of devices in between are passed over: their devices are not there, or cannot be read. */
  async *of(deviceId: number): AsyncGenerator<R> {
    this.#next ??= await this.#read();
    while (this.#next && this.#next.device_id <= deviceId) {
      if (this.#next.device_id === deviceId) yield this.#next;
      this.#next = await this.#read();
    }
  }

  async #read(): Promise<R | undefined> {
    const { value, done } = await this.#rows.next();
    return done ? undefined : value;
  }
}
