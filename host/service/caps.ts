/**
 * What a policy's caps count by: boards licensed now, and operations licensed in a period, for a party, a site, a model or
 * the fleet. Counted in one place: read before a batch is decided, added to while it is, written with it.
 *
 * Operations are kept in units of 2^40, each license rounded up, so that sums fit SQL's integers. A period is kept in
 * sixteen buckets; the oldest, which only partly lies in the period, counts as a whole. Both err to the strict side.
 */
import type { Transaction } from "kysely";
import type { License } from "../objects/license.ts";
import { countedOperations } from "../policy/counting.ts";
import type { Policy, PolicyCap } from "../policy/policy.ts";
import { type PolicyDevice, type PolicyUsage, type ScopeUsage, scopeKey } from "../policy/verdict.ts";
import type { Tables } from "../store/store.ts";
import { hexOf } from "../verifier/bytes.ts";
import type { DeviceRow } from "./device-rows.ts";

const UNIT = 2n ** 40n;
const BUCKETS = 16n;

interface Scope {
  readonly cap: PolicyCap;
  readonly key: string;
  readonly bucketSeconds: number;
  boards: bigint;
  operations: bigint;
  /** Units that this batch adds. */
  added: bigint;
  /** Boards of the scope that are licensed now, by UEID in hex, as far as the batch knows. */
  readonly licensed: Set<string>;
}

/** Whether deciding by the policy takes sums over many devices: then issuing goes one transaction at a time. */
export function hasSums({ caps, fixedSets }: Policy): boolean {
  return (caps?.length ?? 0) > 0 || fixedSets !== undefined;
}

export class CapSums {
  readonly #policy: Policy;
  readonly #nowSeconds: number;
  readonly #scopes = new Map<string, Scope>();
  readonly #licensed: Set<string>;

  private constructor(policy: Policy, nowSeconds: number, licensed: Set<string>) {
    this.#policy = policy;
    this.#nowSeconds = nowSeconds;
    this.#licensed = licensed;
  }

  static async read(
    tx: Transaction<Tables>,
    policy: Policy,
    devices: readonly (readonly [DeviceRow, PolicyDevice])[],
    nowSeconds: number,
  ): Promise<CapSums> {
    const sums = new CapSums(policy, nowSeconds, policy.fixedSets ? await licensedNow(tx, nowSeconds) : new Set());
    for (const [row, device] of devices) {
      const isLicensed = (row.state.issued?.expirySeconds ?? 0) > nowSeconds;
      for (const cap of policy.caps ?? []) {
        const key = scopeKey(cap, device);
        const scope = sums.#scopes.get(key) ?? (await readScope(tx, cap, key, device, nowSeconds));
        if (isLicensed) scope.licensed.add(hexOf(row.state.record.ueid));
        sums.#scopes.set(key, scope);
      }
    }
    return sums;
  }

  /** For the verdict on a license of this device. */
  usage(row: DeviceRow, device: PolicyDevice): PolicyUsage {
    const { issued, offline, record } = row.state;
    const ueid = hexOf(record.ueid);
    const scopes = new Map<string, ScopeUsage>();
    for (const cap of this.#policy.caps ?? []) {
      const scope = this.#scopes.get(scopeKey(cap, device));
      if (!scope) continue;
      const others = scope.boards - (scope.licensed.has(ueid) ? 1n : 0n);
      scopes.set(scope.key, { boards: others, operations: scope.operations });
    }
    const installed = issued && issued.sequence === record.books.licenseSequence ? issued : undefined;
    return {
      nowSeconds: this.#nowSeconds,
      inForce: installed && { ...installed, budgetLeft: leftOf(row) },
      offlineLicenses: BigInt(offline.filter(({ expirySeconds }) => expirySeconds > this.#nowSeconds).length),
      licensedUeids: this.#policy.fixedSets ? [...this.#licensed].filter((one) => one !== ueid) : [],
      scopes,
    };
  }

  /** A license was decided on. */
  add(row: DeviceRow, device: PolicyDevice, license: License): void {
    const ueid = hexOf(row.state.record.ueid);
    this.#licensed.add(ueid);
    const operations = countedOperations(license.budget, this.#policy.counting);
    for (const cap of this.#policy.caps ?? []) {
      const scope = this.#scopes.get(scopeKey(cap, device));
      if (!scope) continue;
      if (!scope.licensed.has(ueid)) {
        scope.licensed.add(ueid);
        scope.boards += 1n;
      }
      const units = (operations + UNIT - 1n) / UNIT;
      scope.operations += units * UNIT;
      scope.added += units;
    }
  }

  async write(tx: Transaction<Tables>): Promise<void> {
    for (const { key, cap, bucketSeconds, added } of this.#scopes.values()) {
      if (added === 0n || cap.operationsMax === undefined) continue;
      await tx
        .insertInto("cap_usage")
        .values({ scope: key, bucket_seconds: bucketSeconds, units: added })
        .onConflict((on) =>
          on.columns(["scope", "bucket_seconds"]).doUpdateSet((eb) => ({
            units: eb("cap_usage.units", "+", eb.ref("excluded.units")),
          })),
        )
        .execute();
    }
  }
}

function leftOf({ state }: DeviceRow): ReadonlyMap<number, bigint> {
  return new Map(state.record.books.left.map((left, engineClass) => [engineClass, left]));
}

async function licensedNow(tx: Transaction<Tables>, nowSeconds: number): Promise<Set<string>> {
  const rows = await tx.selectFrom("devices").select("ueid").where("licensed_until_seconds", ">", nowSeconds).execute();
  return new Set(rows.map(({ ueid }) => hexOf(ueid)));
}

async function readScope(
  tx: Transaction<Tables>,
  cap: PolicyCap,
  key: string,
  device: PolicyDevice,
  nowSeconds: number,
): Promise<Scope> {
  const { periodSeconds } = cap;
  const width = periodSeconds === undefined ? undefined : Number((periodSeconds + BUCKETS - 1n) / BUCKETS);
  const bucketSeconds = width === undefined ? 0 : Math.floor(nowSeconds / width) * width;
  const scope = { cap, key, bucketSeconds, added: 0n, licensed: new Set<string>() };
  return {
    ...scope,
    operations: cap.operationsMax === undefined ? 0n : await operationsSince(tx, key, periodSeconds, width, nowSeconds),
    boards: cap.boardsMax === undefined ? 0n : await boardsLicensed(tx, cap, device, nowSeconds),
  };
}

async function operationsSince(
  tx: Transaction<Tables>,
  key: string,
  periodSeconds: bigint | undefined,
  width: number | undefined,
  nowSeconds: number,
): Promise<bigint> {
  const since = periodSeconds === undefined ? 0 : nowSeconds - Number(periodSeconds) - width!;
  const rows = await tx
    .selectFrom("cap_usage")
    .select("units")
    .where("scope", "=", key)
    .where("bucket_seconds", ">=", since)
    .execute();
  return rows.reduce((sum, { units }) => sum + units * UNIT, 0n);
}

async function boardsLicensed(
  tx: Transaction<Tables>,
  { per }: PolicyCap,
  device: PolicyDevice,
  nowSeconds: number,
): Promise<bigint> {
  let query = tx
    .selectFrom("devices")
    .select((eb) => eb.fn.countAll<number | bigint>().as("boards"))
    .where("licensed_until_seconds", ">", nowSeconds);
  if (per !== "fleet") query = query.where(per === "party" ? "owner" : per, "=", device[per]);
  return BigInt((await query.executeTakeFirstOrThrow()).boards);
}
