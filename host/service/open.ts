/** A verifier as its configuration says: keys, policy, reference values, store, and the service over them. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ClientStore, ReplayStore, TokenStore } from "../auth/stores.ts";
import { KeyFolder } from "../keys/folder.ts";
import { Keystore, OpenKeystore } from "../keys/keystore.ts";
import { readPassphrase } from "../keys/passphrase.ts";
import type { AsyncSigner, KeySource } from "../keys/signer.ts";
import { SignerProcess } from "../keys/signer-process.ts";
import type { BoardKind } from "../policy/fleet.ts";
import { verificationKey } from "../protocol/cose.ts";
import { SqlClientStore, SqlReplayStore, SqlTokenStore } from "../store/auth-stores.ts";
import { openStore, type Store } from "../store/store.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/errors.ts";
import { policyOf } from "./config/policy-of.ts";
import type { ServiceSettings } from "./context.ts";
import { createService, ORIGIN_DEFAULT } from "./create.ts";
import { type FrostSeats, openSeats } from "./frost-seats.ts";
import { readReferences } from "./references.ts";
import type { VerifierService } from "./service.ts";

/** What an open verifier is made of. */
export interface OpenVerifier {
  readonly service: VerifierService;
  readonly tokens: TokenStore;
  readonly clients: ClientStore;
  readonly replays: ReplayStore;
  /** Only where the configuration says that the clock is simulated. */
  readonly setClock?: (nowMs: number) => void;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** What the boards of an accelerator can do at most, by its name. */
  readonly boardKind: (name: string) => BoardKind | undefined;
  /** Told of each durable commit of requests that came together: what metrics count. */
  readonly committed?: (seconds: number, requests: number) => void;
  /** Told of each head of the log that was published. */
  readonly published?: (seconds: number) => void;
}

/** Throws `ConfigError`, `KeyError`, `StoreError`, and a `VerifierError` for an agreement that does not hold. */
export async function openVerifier(
  config: Config,
  { boardKind, committed, published }: OpenOptions,
): Promise<OpenVerifier> {
  const settings = settingsOf(config, boardKind);
  const keys = await openKeys(config);
  let frost: FrostSeats | undefined;
  let store: Store | undefined;
  try {
    const partySigners = await signersOf(keys, config.parties, "parties");
    const timeSigners = await signersOf(keys, config.timeAuthority, "timeAuthority");
    const [verdictSigner] =
      config.verdictKey === undefined ? partySigners : await signersOf(keys, [config.verdictKey], "verdictKey");
    if (!verdictSigner)
      throw new ConfigError(["verdictKey: no party lives here, so it must say which key signs results"]);
    const [logSigner = verdictSigner] =
      config.log.key === undefined ? [] : await signersOf(keys, [config.log.key], "log.key");
    const [peerSigner] = config.peerKey === undefined ? [] : await signersOf(keys, [config.peerKey], "peerKey");
    frost = await openSeats(config, peerSigner);
    store = await openStore(placeOf(config));
    const agreement = readFile(config.agreement, "agreement");
    const { clock, random, setClock } = worldOf(config, [
      agreement,
      ...[...partySigners, ...timeSigners].map(({ kid }) => kid),
    ]);
    const service = await createService(store, {
      settings: () => settings,
      partySigners,
      frost: frost.seats,
      timeSigners,
      verdictSigner,
      log: {
        origin: config.log.origin ?? ORIGIN_DEFAULT,
        signer: logSigner,
        witnesses: config.log.witnesses,
        published,
      },
      clock,
      random,
      agreement,
      beaconMs: config.beaconSeconds * 1000,
      committed,
    });
    const { close: closePeers } = frost;
    const close = async () => {
      await service.close();
      await closePeers();
      await keys.close();
    };
    return {
      service,
      tokens: new SqlTokenStore(store),
      clients: new SqlClientStore(store),
      replays: new SqlReplayStore(store, Date.now),
      setClock,
      close,
    };
  } catch (error) {
    await frost?.close();
    await store?.close();
    await keys.close();
    throw error;
  }
}

/** The store alone: for what looks after it while no verifier runs, or beside one. */
export function placeOf({ databaseUrl, databaseConnections, folder }: Config) {
  if (databaseUrl === undefined) return { folder };
  const readersMax = Math.max(1, Math.floor(databaseConnections / 3));
  return { databaseUrl, readersMax, writersMax: Math.max(1, databaseConnections - readersMax) };
}

function settingsOf(config: Config, boardKind: OpenOptions["boardKind"]): ServiceSettings {
  const models = new Map<string, BoardKind>();
  for (const [model, name] of config.models) {
    const kind = boardKind(name);
    if (!kind) throw new ConfigError([`models.${model}: there is no accelerator ${name}`]);
    models.set(model, kind);
  }
  return {
    policy: policyOf(config),
    references: {
      manufacturers: config.manufacturers.map(verificationKey),
      measurements: readReferences(config.references),
    },
    models,
    registration: config.registration,
    nonceSeconds: config.nonceSeconds,
  };
}

async function openKeys({ signer, keystore }: Config): Promise<KeySource> {
  if (signer !== undefined) return new SignerProcess(signer);
  const store = new Keystore(new KeyFolder(keystore.folder));
  return new OpenKeystore(store, await readPassphrase({ file: keystore.passphraseFile }));
}

/** Of each label every key that signs: while keys overlap, the agreement says which of them is the party's. */
async function signersOf(keys: KeySource, labels: readonly string[], key: string): Promise<AsyncSigner[]> {
  const known = await keys.list();
  const signers: AsyncSigner[] = [];
  for (const label of labels) {
    const mine = known.filter((one) => one.label === label);
    if (mine.length === 0) throw new ConfigError([`${key}: there is no key with the label ${label}`]);
    for (const { kid } of mine) signers.push(await keys.signer(kid));
  }
  return signers;
}

function readFile(path: string, key: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([`${key}: ${path} cannot be read: ${code === "ENOENT" ? "there is no such file" : code}`]);
  }
}

/**
 * Time and chance: the system's, or where the clock is simulated, those that make a run repeatable. `names` tells this
 * verifier from the others of its simulation, which must not draw the same nonces.
 */
function worldOf({ clock }: Config, names: readonly Uint8Array[]) {
  if (clock === "system") {
    return { clock: () => Date.now(), random: (count: number) => new Uint8Array(randomBytes(count)) };
  }
  let nowMs = 0;
  return {
    clock: () => nowMs,
    random: repeatable(names),
    setClock: (ms: number) => {
      nowMs = ms;
    },
  };
}

/** SHA-256 over names and a count: for simulations alone, where nothing is at stake. */
function repeatable(names: readonly Uint8Array[]): (count: number) => Uint8Array {
  const seed = createHash("sha256").update(Buffer.concat(names)).digest();
  let drawn = 0;
  return (count) => {
    const blocks: Buffer[] = [];
    for (let length = 0; length < count; length += 32) {
      blocks.push(createHash("sha256").update(seed).update(`quiesce simulation ${drawn++}`).digest());
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, count));
  };
}
