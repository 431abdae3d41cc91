import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KeyFolder } from "../../../host/keys/folder.ts";
import { lockThatOpens, newLock, openKey, Stretcher, sealKey } from "../../../host/keys/key-file.ts";
import { OpenKeystore } from "../../../host/keys/keystore.ts";
import { chooseKey, kidText } from "../../../host/keys/signer.ts";
import { ed25519Signer, ed25519Verify } from "../../../host/protocol/cose-key.ts";
import { codeOf, keystoreAt, LOW_COST, passphrase, temporaryKeys } from "./folder.ts";

const message = new TextEncoder().encode("message");
const statuses = (store: ReturnType<typeof keystoreAt>) =>
  Object.fromEntries(store.list().map(({ kid, status }) => [kidText(kid), status]));

async function storeWithKey() {
  const path = temporaryKeys();
  const store = keystoreAt(path);
  const key = await store.create("Party A", passphrase());
  return { path, store, key, file: join(path, `${kidText(key.kid)}.key`) };
}

describe("a keystore", () => {
  it("keeps a key that signs after it was unlocked", async () => {
    const { store, key } = await storeWithKey();
    const signer = await store.unlock(key.kid, passphrase());
    expect(ed25519Verify(signer.sign(message), message, key.publicKey)).toBe(true);
    expect(store.list()).toEqual([key]);
  });

  it("takes a seed for a simulation, whose keys are the same in every run, and leaves the caller's copy alone", async () => {
    const seed = new Uint8Array(32).fill(7);
    const { kid } = ed25519Signer(seed);
    const store = keystoreAt(temporaryKeys());
    const key = await store.import("Party A", seed, passphrase());
    expect(key).toMatchObject({ kid, label: "Party A", status: "active" });
    expect(seed).toEqual(new Uint8Array(32).fill(7));
    const signer = await store.unlock(kid, passphrase());
    expect(signer.sign(message)).toEqual(ed25519Signer(seed).sign(message));
    await expect(async () => store.import("Party A", seed.subarray(1), passphrase())).rejects.toThrow(/32 bytes/);
    expect(await codeOf(() => store.import("Party A", seed, passphrase()))).toBe("keys/exists");
    expect(store.list()).toHaveLength(1);
  });

  it("opens to its owner alone, folder and files", async () => {
    const { path, file } = await storeWithKey();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path)).toHaveLength(1);
  });

  it("refuses files and folders that others can reach", async () => {
    const { path, store, key, file } = await storeWithKey();
    chmodSync(file, 0o640);
    expect(await codeOf(() => store.unlock(key.kid, passphrase()))).toBe("keys/permissions");
    chmodSync(path, 0o755);
    expect(await codeOf(() => new KeyFolder(path))).toBe("keys/permissions");
  });

  it("refuses what is no folder, and what is not there", async () => {
    const { path, file } = await storeWithKey();
    expect(await codeOf(() => new KeyFolder(file))).toBe("keys/folder");
    expect(await codeOf(() => new KeyFolder(join(path, "none")))).toBe("keys/folder");
    expect(await codeOf(() => KeyFolder.make(join(file, "below")))).toBe("keys/io");
    symlinkSync(path, `${path}-link`);
    expect(await codeOf(() => new KeyFolder(`${path}-link`))).toBe("keys/folder");
  });

  it("refuses links and folders in place of key files", async () => {
    const { path, store, key, file } = await storeWithKey();
    renameSync(file, join(path, "elsewhere"));
    symlinkSync(join(path, "elsewhere"), file);
    expect(await codeOf(() => store.unlock(key.kid, passphrase()))).toBe("keys/symlink");
    const other = join(path, "0123456789abcdef.key");
    mkdirSync(other);
    expect(await codeOf(() => store.unlock(Buffer.from("0123456789abcdef", "hex"), passphrase()))).toBe("keys/symlink");
  });

  it("refuses over-long files, and those of one key under the name of another", async () => {
    const { path, store, key, file } = await storeWithKey();
    writeFileSync(join(path, "0123456789abcdef.key"), readFileSync(file), { mode: 0o600 });
    expect(await codeOf(() => store.list())).toBe("keys/corrupt");
    writeFileSync(file, new Uint8Array(2000));
    expect(await codeOf(() => store.unlock(key.kid, passphrase()))).toBe("keys/too-long");
  });

  it("says which file is damaged", async () => {
    const { store, file } = await storeWithKey();
    writeFileSync(file, "x");
    expect(() => store.list()).toThrow(/[0-9a-f]{16}\.key/);
  });

  it("overwrites nothing", async () => {
    const { path, file } = await storeWithKey();
    const name = file.slice(path.length + 1);
    expect(await codeOf(() => new KeyFolder(path).create(name, new Uint8Array(1)))).toBe("keys/exists");
  });

  it("has no key of an unknown kid, and none for a wrong passphrase", async () => {
    const { store, key } = await storeWithKey();
    const wrong = new Uint8Array(20);
    expect(await codeOf(() => store.unlock(new Uint8Array(8), passphrase()))).toBe("keys/unknown");
    expect(await codeOf(() => store.unlock(key.kid, wrong))).toBe("keys/passphrase");
    expect(await codeOf(() => store.rotate(key.kid, wrong))).toBe("keys/passphrase");
    expect(await codeOf(() => store.retire(key.kid, wrong, true))).toBe("keys/passphrase");
    expect(statuses(store)).toEqual({ [kidText(key.kid)]: "active" });
  });

  it("leaves alone what is no key file", async () => {
    const { path, store, key } = await storeWithKey();
    writeFileSync(join(path, "README"), "not a key");
    writeFileSync(join(path, ".new-0000000000000000"), "left by a power cut");
    expect(store.list()).toEqual([key]);
  });

  it("takes one change at a time, and says who is at it", async () => {
    const { path, store, key } = await storeWithKey();
    const made = store.create("first", passphrase());
    expect(await codeOf(() => store.rotate(key.kid, passphrase()))).toBe("keys/locked");
    await made;
    writeFileSync(join(path, ".lock"), "4194304\n");
    await expect(store.create("second", passphrase())).rejects.toThrow(/process 4194304.*delete .*\.lock/);
    expect(store.list()).toHaveLength(2);
  });

  it("lets go of the folder after a change that failed", async () => {
    const { store } = await storeWithKey();
    expect(await codeOf(() => store.create("", passphrase()))).toBe("keys/label");
    await store.create("Party B", passphrase());
  });

  it("is opened by one stretch of the passphrase, and by none of another's", async () => {
    const { path, store } = await storeWithKey();
    const second = await store.create("Party B", passphrase());
    const foreign = await store.create("Party C", passphrase("another one"));
    const saltsOf = () => {
      const files = new KeyFolder(path).names(/key$/).map((name) => readFileSync(join(path, name)));
      return Promise.all(files.map((file) => lockThatOpens(file, passphrase(), new Stretcher())));
    };
    const salts = (await saltsOf())
      .filter((lock) => lock !== undefined)
      .map(({ salt }) => Buffer.from(salt).toString("hex"));
    expect([salts.length, new Set(salts).size]).toEqual([2, 1]);
    // What it held is wiped, and worked out anew.
    await store.forget();
    expect((await store.unlock(second.kid, passphrase())).kid).toEqual(second.kid);
    expect(await codeOf(() => store.unlock(foreign.kid, passphrase()))).toBe("keys/passphrase");
    expect((await store.unlock(foreign.kid, passphrase("another one"))).kid).toEqual(foreign.kid);
  });

  it("forgets at any time, and no key is sealed under what it wiped", async () => {
    const { store, key } = await storeWithKey();
    const stretcher = new Stretcher();
    const lock = newLock(LOW_COST);
    await stretcher.stretch(passphrase(), lock);
    const seed = new Uint8Array(32).fill(7);
    const { kid, publicKey } = ed25519Signer(seed);
    const header = { kid, publicKey, createdSeconds: 1, label: "X", status: "active" as const };
    const forgotten = stretcher.forget();
    for (let turn = 0; turn < 5; turn++) {
      const file = await sealKey(header, seed, passphrase(), lock, stretcher);
      expect((await openKey(file, passphrase())).seed).toEqual(Buffer.from(seed));
      void stretcher.forget();
    }
    await forgotten;
    await Promise.all([store.forget(), store.create("Party B", passphrase()), store.forget()]);
    expect((await store.unlock(key.kid, passphrase())).kid).toEqual(key.kid);
  });

  it("unlocks one key once for many that ask at the same time", async () => {
    const { store, key } = await storeWithKey();
    const source = new OpenKeystore(store, passphrase());
    const signers = await Promise.all(Array.from({ length: 20 }, () => source.signer(key.kid)));
    const signatures = await Promise.all(signers.map((signer) => signer.sign(message)));
    expect(new Set(signatures.map((signature) => Buffer.from(signature).toString("hex"))).size).toBe(1);
    await source.close();
    expect(await codeOf(() => source.signer(key.kid))).toBe("keys/passphrase");
  });
});

describe("a rotation", () => {
  it("leaves the old key signing beside the new one until it is retired", async () => {
    const { store, key: old } = await storeWithKey();
    const fresh = await store.rotate(old.kid, passphrase());
    expect(fresh).toMatchObject({ label: old.label, replaces: old.kid });
    expect(statuses(store)).toEqual({ [kidText(old.kid)]: "retiring", [kidText(fresh.kid)]: "active" });
    for (const { kid, publicKey } of [old, fresh]) {
      const signer = await store.unlock(kid, passphrase());
      expect(ed25519Verify(signer.sign(message), message, publicKey)).toBe(true);
    }
    await store.retire(old.kid, passphrase());
    expect(statuses(store)).toEqual({ [kidText(old.kid)]: "retired", [kidText(fresh.kid)]: "active" });
    expect(await codeOf(() => store.unlock(old.kid, passphrase()))).toBe("keys/retired");
    expect(await codeOf(() => store.retire(old.kid, passphrase()))).toBe("keys/retired");
    expect(await codeOf(() => store.rotate(old.kid, passphrase()))).toBe("keys/retired");
  });

  it("happens once to a key", async () => {
    const { store, key } = await storeWithKey();
    await store.rotate(key.kid, passphrase());
    expect(await codeOf(() => store.rotate(key.kid, passphrase()))).toBe("keys/rotated");
  });

  it("comes before a key is retired, unless its owner insists", async () => {
    const { store, key } = await storeWithKey();
    expect(await codeOf(() => store.retire(key.kid, passphrase()))).toBe("keys/active");
    await store.retire(key.kid, passphrase(), true);
    expect(statuses(store)).toEqual({ [kidText(key.kid)]: "retired" });
  });

  it("takes the key that the agreement knows while both sign, else the new one", async () => {
    const { store, key: old } = await storeWithKey();
    const fresh = await store.rotate(old.kid, passphrase());
    const keys = store.list();
    expect(chooseKey(keys, undefined).kid).toEqual(fresh.kid);
    expect(chooseKey(keys, old.kid).kid).toEqual(old.kid);
    expect(chooseKey(keys, undefined, [old]).kid).toEqual(old.kid);
    expect(await codeOf(() => chooseKey(keys, undefined, [old, fresh]))).toBe("keys/ambiguous");
    expect(await codeOf(() => chooseKey(keys, undefined, []))).toBe("keys/unknown");
    expect(await codeOf(() => chooseKey(keys, new Uint8Array(8)))).toBe("keys/unknown");
  });

  it("goes on for as many keys as the folder may hold", async () => {
    const { store } = await storeWithKey();
    for (let count = 1; count < 64; count++) await store.create(`key ${count}`, passphrase());
    expect(await codeOf(() => store.create("one more", passphrase()))).toBe("keys/full");
  });
});
