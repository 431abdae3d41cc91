/** The verifier's log: what is whole is in it, is public before it is handed out, and is proved to whoever asks. */
import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { KeyError } from "../../../host/keys/errors.ts";
import { type Checkpoint, openCheckpoint } from "../../../host/log/checkpoint.ts";
import { cosignatureMessage } from "../../../host/log/cosignature.ts";
import { commitmentOf, decodeEntry, type LogEntry, subjectKey } from "../../../host/log/entry.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../../../host/log/merkle.ts";
import { SubjectIndex } from "../../../host/log/subject-index.ts";
import { consistencyProof, TILE_WIDTH, treeRoot } from "../../../host/log/tiles.ts";
import { decodeLogProof, receiptToBeSigned } from "../../../host/objects/log-proof.ts";
import { ed25519Verify } from "../../../host/protocol/ed25519.ts";
import { contentChecks } from "../../../host/service/checks/content.ts";
import { LogCosigner } from "../../../host/service/log/cosigner.ts";
import { cosignaturesOn, newestHead, writeHead } from "../../../host/service/log/heads.ts";
import { StoreError } from "../../../host/store/errors.ts";
import { fsck } from "../../../host/store/fsck.ts";
import { eventually } from "../eventually.ts";
import { engines } from "../store/engines.ts";
import { digestOf, LOG_KEY, LOG_SIGNER, type Logged, loggedOn } from "./logged-world.ts";
import { asyncSigner, codeOf, REQUEST, ServiceWorld, whole } from "./world.ts";

type Service = ServiceWorld["service"];

const NOTHING = { size: 0, root: new Uint8Array(0) };

async function entriesOf(service: Service): Promise<LogEntry[]> {
  const { size } = openCheckpoint(await service.logCheckpoint(), LOG_KEY);
  const entries: LogEntry[] = [];
  for (let index = 0; index * TILE_WIDTH < size; index += 1) {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    entries.push(...(await service.logEntries({ index, width })).map(decodeEntry));
  }
  return entries;
}

async function checkpointOf(service: Service) {
  return openCheckpoint(await service.logCheckpoint(), LOG_KEY);
}

/** As a governor does, of a message in the plain. */
async function verifyProof(
  { world, witnesses }: Logged,
  message: Uint8Array,
  from: Pick<Checkpoint, "size" | "root"> = NOTHING,
) {
  const proof = decodeLogProof(await world.service.logProof(digestOf(message), from.size));
  const { index, size, path, root, receiptSignature, cosignatures, consistency } = proof;
  const entry = (await entriesOf(world.service))[index]!;
  expect(entry).toMatchObject({ kind: "plain", message });
  const [data] = await world.service.logEntries({ index: 0, width: index + 1 }).then((all) => all.slice(index));
  expect(verifyInclusion(index, size, leafHash(data!), path, root)).toBe(true);
  expect(ed25519Verify(receiptSignature, receiptToBeSigned(root), LOG_SIGNER.publicKey)).toBe(true);
  const { body } = openCheckpoint(await world.service.logCheckpoint(), LOG_KEY);
  const text = body.replace(/\n.*\n.*\n$/, `\n${size}\n${Buffer.from(root).toString("base64")}\n`);
  expect(ed25519Verify(proof.checkpointSignature, Buffer.from(text), LOG_SIGNER.publicKey)).toBe(true);
  for (const { witness, seconds, signature } of cosignatures) {
    const { publicKey } = witnesses[witness]!.key;
    expect(ed25519Verify(signature, cosignatureMessage(text, seconds), publicKey)).toBe(true);
  }
  if (from.size > 0) expect(verifyConsistency(from.size, size, from.root, root, consistency)).toBe(true);
  else expect(consistency).toEqual([]);
  return proof;
}

async function faultsOf({ store }: ServiceWorld): Promise<unknown[]> {
  const faults = [];
  for await (const fault of fsck(store, contentChecks())) faults.push(fault);
  return faults;
}

/** A signer that can be away, and that says what it was asked to sign. */
function fickleSigner() {
  const state = { isAway: false, asked: 0, held: Promise.resolve() };
  const sign = async (message: Uint8Array): Promise<Uint8Array> => {
    state.asked += 1;
    await state.held;
    if (state.isAway) throw new KeyError("keys/signer-lost");
    return LOG_SIGNER.sign(message);
  };
  return { state, signer: { ...asyncSigner(LOG_SIGNER), sign } };
}

describe.each(engines)("the log on $engine", ({ place }) => {
  const logged = loggedOn(place);

  it("has everything that is whole, in the order in which it came to be, and its index after each batch", async () => {
    const { world } = await logged();
    const { service } = world;
    const device = await world.enrolled();
    const license = await world.license(device);
    let draft = await service.proposeOrder({ action: OrderAction.PAUSE });
    draft = await service.approveOrder(draft.id, "north");
    expect(draft.active).toBe(true);
    await world.amend({ leaseSeconds: 400 });
    const entries = await entriesOf(service);
    expect(entries.map((entry) => (entry.kind === "index" ? "index" : entry.type))).toEqual([
      ObjectType.AGREEMENT,
      "index",
      ObjectType.LICENSE,
      "index",
      ObjectType.ORDER,
      "index",
      ObjectType.AGREEMENT,
      "index",
    ]);
    expect(entries[2]).toMatchObject({ message: license });
    expect(entries[4]).toMatchObject({ message: draft.bytes });
    let index = SubjectIndex.EMPTY;
    const data = await service.logEntries({ index: 0, width: entries.length });
    for (const [leaf, entry] of entries.entries()) {
      if (entry.kind === "index") expect(entry).toMatchObject({ subjects: index.count, root: index.root });
      index = index.withEntry(leaf, data[leaf]!);
    }
    expect(index.get(subjectKey(device.ueid))).toMatchObject({ count: 1 });
    expect(await faultsOf(world)).toEqual([]);
  });

  it("hands out nothing that no signed head covers, and finds it again when it can sign", async () => {
    const { signer, state } = fickleSigner();
    const { world } = await logged({ signer });
    const device = await world.enrolled();
    const evidence = await world.evidence(device);
    state.isAway = true;
    expect(await codeOf(world.service.license({ evidence, terms: REQUEST }))).toBe("log/unpublished");
    const before = await checkpointOf(world.service);
    state.isAway = false;
    const answer = await world.service.license({ evidence, terms: REQUEST });
    expect(answer).toMatchObject({ complete: true, repeated: true });
    const after = await checkpointOf(world.service);
    expect(after.size).toBe(before.size + 2);
    const order = await world.service.proposeOrder({ action: OrderAction.PAUSE });
    state.isAway = true;
    expect(await codeOf(world.service.approveOrder(order.id, "north"))).toBe("log/unpublished");
    expect(await codeOf(world.service.ordersAfter(0))).toBe("log/unpublished");
    expect(await codeOf(world.service.draft(order.id))).toBe("log/unpublished");
    expect(await codeOf(world.service.agreementsAfter(0))).toBe("log/unpublished");
    state.isAway = false;
    expect(await world.service.ordersAfter(0)).toHaveLength(1);
    expect((await world.service.draft(order.id)).active).toBe(true);
    expect(await faultsOf(world)).toEqual([]);
  });

  it("keeps a license back for as long as its head takes", async () => {
    const { signer, state } = fickleSigner();
    const { world } = await logged({ signer });
    const evidence = await world.evidence(await world.enrolled());
    let release = () => {};
    state.held = new Promise((resolve) => (release = resolve));
    const { asked } = state;
    let isAnswered = false;
    const asking = world.service.license({ evidence, terms: REQUEST }).finally(() => (isAnswered = true));
    await eventually(() => expect(state.asked).toBeGreaterThan(asked));
    expect(isAnswered).toBe(false);
    expect((await world.service.log()).size).toBe(2);
    release();
    await asking;
    expect((await world.service.log()).size).toBe(4);
  });

  it("proves a message from any head that was public before", async () => {
    const all = await logged();
    const { world } = all;
    const devices = [await world.enrolled("one"), await world.enrolled("two")];
    const first = await world.license(devices[0]!);
    const { size, root } = await verifyProof(all, first);
    for (let i = 0; i < 3; i += 1) {
      devices[1]!.install(await world.license(devices[1]!));
    }
    const last = await world.license(devices[1]!);
    const proof = await verifyProof(all, last, { size, root });
    expect(proof.size).toBeGreaterThan(size);
    expect(proof.cosignatures).toHaveLength(2);
    await verifyProof(all, first, { size, root });
    await verifyProof(all, last, { size: proof.size, root: proof.root });
  });

  it("waits for no witness to hand out, and has no proof without the quorum", async () => {
    const { world, witnesses, ...rest } = await logged({ witnesses: 3 });
    await Promise.all(witnesses.slice(1).map((witness) => witness.stop()));
    const license = await world.license(await world.enrolled());
    expect(await codeOf(world.service.logProof(digestOf(license), 0))).toBe("log/not-cosigned");
    await eventually(async () => {
      const { witnesses: views } = await world.service.log();
      expect(views.map(({ problem }) => problem !== undefined)).toEqual([false, true, true]);
    });
    await witnesses[1]!.start();
    await eventually(() => verifyProof({ world, witnesses, ...rest }, license).then(() => {}), 10_000);
    expect((await world.service.log()).cosignedSize).toBe(4);
  });

  it("does not wait for a witness that never answers, where the others are enough", async () => {
    const all = await logged();
    let release = () => {};
    all.witnesses[0]!.held = new Promise((resolve) => (release = resolve));
    for (const name of ["one", "two", "three"]) {
      const license = await all.world.license(await all.world.enrolled(name));
      await eventually(async () => {
        const { cosignatures } = await verifyProof(all, license);
        expect(cosignatures.map(({ witness }) => witness)).toEqual([1, 2]);
      });
    }
    release();
    await eventually(async () => {
      const { size, witnesses } = await all.world.service.log();
      expect(witnesses.map((witness) => witness.size)).toEqual([size, size, size]);
    });
  });

  it("has a head cosigned that another process published, where nobody kept the cosignature", async () => {
    const { world, log } = await logged({ witnesses: 1 });
    await world.license(await world.enrolled());
    const { store } = world;
    const newest = (await newestHead(store.db))!;
    await eventually(async () => expect(await cosignaturesOn(store.db, newest.size)).toHaveLength(1));
    await store.write(async (tx) => {
      await tx.deleteFrom("log_cosignatures").execute();
      await tx.deleteFrom("log_heads").where("size", "=", newest.size).execute();
    });
    const cosigner = new LogCosigner({
      store,
      key: LOG_KEY,
      witnesses: log.witnesses,
      // The other process publishes once this one has read what the newest head is.
      quorum: async () => {
        await store.write((tx) => writeHead(tx, newest));
        return 1;
      },
    });
    await cosigner.ask(false);
    expect(cosigner.isRolledBack).toBe(false);
    expect(cosigner.views()).toMatchObject([{ size: newest.size, seconds: expect.any(Number) }]);
    expect(await cosignaturesOn(store.db, newest.size)).toHaveLength(1);
    await cosigner.close();
  });

  it("has heads cosigned anew when their cosignatures grow old", async () => {
    const all = await logged({ terms: { checkpointSecondsMax: 60 } });
    const license = await all.world.license(await all.world.enrolled());
    const before = await verifyProof(all, license);
    all.world.nowMs += 50_000;
    const after = await verifyProof(all, license);
    expect(after.size).toBe(before.size);
    const nowSeconds = Math.floor(all.world.nowMs / 1000);
    expect(after.cosignatures.map(({ seconds }) => seconds)).toEqual([nowSeconds, nowSeconds]);
    for (const witness of all.witnesses) await witness.stop();
    all.world.nowMs += 61_000;
    expect(await codeOf(all.world.service.logProof(digestOf(license), 0))).toBe("log/not-cosigned");
  });

  it("holds commitments where the agreement wants them, and the salt goes with the proof", async () => {
    const { world } = await logged({ terms: { commitments: true } });
    const device = await world.enrolled();
    const license = await world.license(device);
    const proof = decodeLogProof(await world.service.logProof(digestOf(license), 0));
    const entry = (await entriesOf(world.service))[proof.index]!;
    expect(entry).toEqual({
      kind: "commitment",
      type: ObjectType.LICENSE,
      commitment: commitmentOf(proof.salt!, license),
      subjects: [subjectKey(device.ueid)],
    });
    expect(await faultsOf(world)).toEqual([]);
  });

  it("logs what was signed before there was a log", async () => {
    const where = place();
    const before = await ServiceWorld.open(where);
    const device = await before.enrolled();
    const licenses = [await before.license(device)];
    device.install(licenses[0]!);
    licenses.push(await before.license(device));
    await before.store.write(async (tx) => {
      const tables = [
        "log_cosignatures",
        "log_heads",
        "log_subjects",
        "log_tiles",
        "log_entries",
        "log_state",
      ] as const;
      for (const table of tables) await tx.deleteFrom(table).execute();
      await tx.deleteFrom("meta").where("key", "=", "log-begun").execute();
    });
    await before.close();
    const after = await ServiceWorld.open(where);
    try {
      const { size } = await after.service.log();
      const entries = (await after.service.logEntries({ index: 0, width: size })).map(decodeEntry);
      expect(entries.map((entry) => (entry.kind === "plain" ? entry.type : entry.kind))).toEqual([
        ObjectType.AGREEMENT,
        "index",
        ObjectType.LICENSE,
        ObjectType.LICENSE,
        "index",
      ]);
      expect(await faultsOf(after)).toEqual([]);
    } finally {
      await after.close();
    }
  });

  it("is told apart from another one under its name by what devices were shown", async () => {
    const { world } = await logged();
    const device = await world.enrolled();
    const license = await world.license(device);
    const proof = decodeLogProof(await world.service.logProof(digestOf(license), 0));
    const asked = (size: bigint, root: Uint8Array) =>
      world.evidence(device, { logHead: { size, root } }).then((evidence) => world.service.license({ evidence }));
    expect(await codeOf(asked(BigInt(proof.size), new Uint8Array(32)))).toBe("evidence/log-forked");
    expect(await codeOf(asked(1000n, proof.root))).toBe("evidence/log-forked");
    expect(await codeOf(asked(2n ** 63n, proof.root))).toBe("evidence/log-forked");
    expect(await codeOf(asked(BigInt(proof.size), proof.root))).toBeUndefined();
  });

  it("goes on from what is committed after a transaction that came to nothing", async () => {
    const { world } = await logged();
    const device = await world.enrolled();
    await world.store.write(async (tx) =>
      tx
        .insertInto("meta")
        .values({ key: "x", value: new Uint8Array(1) })
        .execute(),
    );
    const evidence = await world.evidence(device);
    const { write } = world.store;
    let isFailing = true;
    Object.defineProperty(world.store, "write", {
      value: (work: Parameters<typeof write>[0]) =>
        write(async (tx) => {
          const result = await work(tx);
          if (isFailing) throw new StoreError("store/unavailable", "taken back");
          return result;
        }),
    });
    await expect(world.service.license({ evidence, terms: REQUEST })).rejects.toMatchObject({
      code: "store/unavailable",
    });
    isFailing = false;
    await world.service.license({ evidence, terms: REQUEST });
    expect((await checkpointOf(world.service)).size).toBe(4);
    expect(await faultsOf(world)).toEqual([]);
  });

  it("serves tiles of what is public, of any width, and nothing else", async () => {
    const { world } = await logged();
    const { service } = world;
    const device = await world.enrolled();
    for (let i = 0; i < 4; i += 1) device.install(await world.license(device));
    const { size, root } = await checkpointOf(service);
    const source = { tile: (level: number, index: number, width: number) => service.logTile({ level, index, width }) };
    expect(await treeRoot(source, size)).toEqual(root);
    for (const width of [1, size - 1]) {
      const entries = await service.logEntries({ index: 0, width });
      const hashes = await service.logTile({ level: 0, index: 0, width });
      expect(Buffer.concat(entries.map(leafHash))).toEqual(Buffer.from(hashes));
    }
    for (const [level, index, width] of [
      [0, 0, size + 1],
      [0, 1, 1],
      [1, 0, 1],
      [63, 0, 1],
      [0, 2 ** 40, 256],
    ] as const) {
      expect(await codeOf(service.logTile({ level, index, width }))).toBe("log/tile-unknown");
    }
    expect(await codeOf(service.logEntries({ index: 0, width: size + 1 }))).toBe("log/tile-unknown");
  });

  it("tells who has seen more of it than it has, and signs nothing more: a backup was put back", async () => {
    const all = await logged();
    await verifyProof(all, await all.world.license(await all.world.enrolled()));
    const forgetful = await ServiceWorld.open(place(), all.options);
    try {
      await eventually(async () => {
        const { witnesses } = await forgetful.service.log();
        expect(witnesses.filter(({ problem }) => problem?.includes("log/rolled-back"))).toHaveLength(3);
      });
      const { size } = await forgetful.service.log();
      const device = await forgetful.enrolled();
      expect(await codeOf(forgetful.license(device))).toBe("log/rolled-back");
      expect((await forgetful.service.log()).size).toBe(size);
    } finally {
      await forgetful.close();
    }
  });
});

const [, postgres] = engines;

describe.runIf(postgres !== undefined)("two processes with one log", () => {
  const place = postgres?.place();
  const logged = loggedOn(() => place!);

  it("append in turn, publish one tree, and each proves what the other has logged", async () => {
    const { world, options } = await logged();
    const second = await ServiceWorld.open(place!, options);
    try {
      const devices = await Promise.all(Array.from({ length: 12 }, (_, i) => world.enrolled(`device ${i}`)));
      const heads: { size: number; root: Uint8Array }[] = [];
      const licenses = await Promise.all(
        devices.map(async (device, i) => {
          const { service } = i % 2 === 0 ? world : second;
          const { nonce } = await service.nonce(device.ueid);
          const license = whole(await service.license({ evidence: device.evidence({ nonce }), terms: REQUEST }));
          heads.push(await checkpointOf(service));
          return license;
        }),
      );
      const newest = await checkpointOf(world.service);
      expect(newest.size).toBeGreaterThan(12);
      for (const license of licenses) {
        const proof = decodeLogProof(await second.service.logProof(digestOf(license), 0));
        expect(proof.cosignatures).toHaveLength(2);
      }
      const tile = (level: number, index: number, width: number) => second.service.logTile({ level, index, width });
      for (const { size, root } of heads) {
        const path = size === newest.size ? [] : await consistencyProof({ tile }, size, newest.size);
        expect(verifyConsistency(size, newest.size, root, newest.root, path)).toBe(true);
      }
      expect(await faultsOf(world)).toEqual([]);
    } finally {
      await second.close();
    }
  });
});
