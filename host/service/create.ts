/** A service over an open store: what it keeps once is made on first use, and is the same for all processes of the store. */
import type { AsyncSigner } from "../keys/signer.ts";
import { verifyAgreement } from "../objects/agreement.ts";
import { restoredOf } from "../store/restored.ts";
import type { Store } from "../store/store.ts";
import { NONCE_LIFETIME_MS, Nonces } from "../verifier/nonces.ts";
import { readSigned } from "../verifier/signed.ts";
import { Attesters } from "./attesters.ts";
import type { ServiceSettings } from "./context.ts";
import { canGather, type FrostSeat } from "./frost-gathering.ts";
import { type LogHere, TransparencyLog } from "./log/transparency-log.ts";
import { LocalParties } from "./parties.ts";
import { Shared } from "./shared.ts";
import { SqlService } from "./sql-service.ts";

export interface ServiceOptions {
  readonly settings: () => ServiceSettings;
  /** Keys of parties that are here; whose they are, the agreement says. */
  readonly partySigners: readonly AsyncSigner[];
  /** Shares of keys that no one holds; default none. */
  readonly frost?: readonly FrostSeat[];
  readonly timeSigners: readonly AsyncSigner[];
  /** Signs attestation results. */
  readonly verdictSigner: AsyncSigner;
  /** The log that this verifier keeps; default one that is its own, by the key of its verdicts, without witnesses. */
  readonly log?: LogHere | undefined;
  /** Agreement time in ms. */
  readonly clock: () => number;
  readonly random: (bytes: number) => Uint8Array;
  /** The first agreement, signed by all its parties: taken by a store that has none yet. */
  readonly agreement?: Uint8Array;
  /** How often beacons are pushed; 0: never. */
  readonly beaconMs?: number;
  /** Told of each durable commit of requests that came together. */
  readonly committed?: ((seconds: number, requests: number) => void) | undefined;
}

export const NONCE_SECRET = "nonce-secret";
export const NONCE_SECRET_BYTES = 32;
/** Of a log that nobody gave a name. */
export const ORIGIN_DEFAULT = "verifier.quiesce.invalid/log";
/** Rows that one running sum is spread over where processes share a database. */
const SLOTS = 16;

/** The service closes the store. Throws a `VerifierError` for an agreement that not all its parties signed. */
export async function createService(store: Store, options: ServiceOptions): Promise<SqlService> {
  const { settings, clock, random, frost = [] } = options;
  if (options.agreement) await adopt(store, options.agreement);
  const shared = new Shared(store, () => settings().references);
  const { log: here = { origin: ORIGIN_DEFAULT, signer: options.verdictSigner, witnesses: [] } } = options;
  const log = new TransparencyLog({ ...here, store, shared, clock, random });
  await log.open();
  return new SqlService(
    {
      store,
      shared,
      settings,
      log,
      parties: new LocalParties(
        options.partySigners,
        frost.filter(canGather).map(({ group }) => group),
      ),
      frost,
      timeSigners: options.timeSigners,
      verdictSigner: options.verdictSigner,
      nonces: new Nonces(await secret(store, random), random, () => lifetimeMs(settings())),
      attesters: new Attesters(store),
      clock,
      random,
      slot: store.engine === "sqlite" ? 0 : random(1)[0]! % SLOTS,
      restoredMs: (await restoredOf(store.db))?.restoredMs,
      committed: options.committed,
    },
    options.beaconMs,
  );
}

async function adopt(store: Store, bytes: Uint8Array): Promise<void> {
  const { agreement, digest } = readSigned("agreement/malformed", "agreement/signature", () => verifyAgreement(bytes));
  await store.write(async (tx) => {
    const there = await tx.selectFrom("agreements").select("version").limit(1).executeTakeFirst();
    if (!there) await tx.insertInto("agreements").values({ version: agreement.version, digest, bytes }).execute();
  });
}

function lifetimeMs({ nonceSeconds }: ServiceSettings): number {
  return nonceSeconds === undefined ? NONCE_LIFETIME_MS : nonceSeconds * 1000;
}

/** Drawn by the first process that opens the store. */
async function secret(store: Store, random: (bytes: number) => Uint8Array): Promise<Uint8Array> {
  return store.write(async (tx) => {
    await tx
      .insertInto("meta")
      .values({ key: NONCE_SECRET, value: random(NONCE_SECRET_BYTES) })
      .onConflict((on) => on.column("key").doNothing())
      .execute();
    const row = await tx.selectFrom("meta").select("value").where("key", "=", NONCE_SECRET).executeTakeFirstOrThrow();
    return row.value;
  });
}
