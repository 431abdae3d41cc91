/** A witness as its configuration says: key, store, logs. */
import { KeyFolder } from "../keys/folder.ts";
import { Keystore, OpenKeystore } from "../keys/keystore.ts";
import { readPassphrase } from "../keys/passphrase.ts";
import { chooseKey, type KeyInfo, type KeySource } from "../keys/signer.ts";
import { SignerProcess } from "../keys/signer-process.ts";
import { type NoteKey, NoteType, noteKey } from "../log/note.ts";
import type { WitnessConfig } from "./config.ts";
import { type Conflict, WitnessStore } from "./store.ts";
import { Witness } from "./witness.ts";

export interface OpenWitness {
  readonly witness: Witness;
  readonly store: WitnessStore;
  close(): Promise<void>;
}

export interface OpenWitnessOptions {
  /** Told how long each commit took. */
  readonly committed?: (seconds: number) => void;
  readonly onConflict?: (conflict: Conflict) => void;
}

/** Throws `KeyError` and `StoreError`. */
export async function openWitness(config: WitnessConfig, options: OpenWitnessOptions = {}): Promise<OpenWitness> {
  const keys = await sourceOf(config);
  let store: WitnessStore | undefined;
  try {
    const chosen = chooseKey(await keys.list(), config.kid);
    const signer = await keys.signer(chosen.kid);
    store = WitnessStore.open(config.folder, options.committed);
    const { onConflict } = options;
    const witness = new Witness({
      key: noteKey(config.name, NoteType.COSIGNATURE, signer.publicKey),
      signer,
      logs: config.logs,
      store,
      nowSeconds: () => Math.floor(Date.now() / 1000),
      ...(onConflict && { onConflict }),
    });
    const opened = store;
    const close = async () => {
      opened.close();
      await keys.close();
    };
    return { witness, store, close };
  } catch (error) {
    store?.close();
    await keys.close();
    throw error;
  }
}

/** The key's public half, which takes no passphrase. Throws `KeyError`. */
export async function witnessKeyOf(config: WitnessConfig): Promise<NoteKey> {
  if (config.signer === undefined) return keyOf(config, new Keystore(new KeyFolder(config.keystore.folder)).list());
  const keys = new SignerProcess(config.signer);
  try {
    return keyOf(config, await keys.list());
  } finally {
    await keys.close();
  }
}

function keyOf({ name, kid }: WitnessConfig, keys: readonly KeyInfo[]): NoteKey {
  return noteKey(name, NoteType.COSIGNATURE, chooseKey(keys, kid).publicKey);
}

async function sourceOf({ signer, keystore }: WitnessConfig): Promise<KeySource> {
  if (signer !== undefined) return new SignerProcess(signer);
  const store = new Keystore(new KeyFolder(keystore.folder));
  return new OpenKeystore(store, await readPassphrase({ file: keystore.passphraseFile }));
}
