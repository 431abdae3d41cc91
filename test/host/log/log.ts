/** A log with real keys for tests: it grows, signs, is cosigned, and serves its files, true or changed, over HTTP. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { checkpointBody } from "../../../host/log/checkpoint.ts";
import { signCosignature } from "../../../host/log/cosignature.ts";
import { commitmentOf, encodeEntry, type LogEntry, subjectKey } from "../../../host/log/entry.ts";
import { type LogKeys, logKeys } from "../../../host/log/log-keys.ts";
import { leafHash } from "../../../host/log/merkle.ts";
import { formatNote, signNote } from "../../../host/log/note.ts";
import { SubjectIndex } from "../../../host/log/subject-index.ts";
import {
  bundlePath,
  encodeBundle,
  parsePath,
  TILE_WIDTH,
  tilePath,
  tilesOf,
  tileWidth,
} from "../../../host/log/tiles.ts";
import { agreementDigest } from "../../../host/objects/agreement.ts";
import { type License, signLicense } from "../../../host/objects/license.ts";
import { agreementOf, PARTIES } from "../../rig.ts";
import { logPair, witnessPair } from "./keys.ts";
import { MemoryTree } from "./tree.ts";

const ORIGIN = "log.example/one";
export const LOG = logPair(ORIGIN, 1);
export const WITNESSES = [101, 102, 103].map((seed) => witnessPair(`witness.example/${seed}`, seed));
export const KEYS: LogKeys = logKeys(
  LOG.key,
  WITNESSES.map(({ key }) => key),
  2,
);
/** Where the tests' time begins, Unix seconds. */
export const T0 = 1_800_000_000;

const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

export class TestLog {
  readonly entries: Uint8Array[] = [];
  readonly tree = new MemoryTree();
  index = SubjectIndex.EMPTY;
  note = "";
  /** What is served instead: undefined is not there. */
  readonly changed = new Map<string, (bytes: Uint8Array) => Uint8Array | undefined>();

  get size(): number {
    return this.entries.length;
  }

  /** A batch, and the index entry that ends it. */
  async append(...batch: readonly LogEntry[]): Promise<void> {
    await this.appendRaw(batch.map(encodeEntry));
    await this.appendRaw([encodeEntry({ kind: "index", subjects: this.index.count, root: this.index.root })]);
  }

  async appendRaw(leaves: readonly Uint8Array[]): Promise<void> {
    for (const bytes of leaves) {
      this.index = this.index.withEntry(this.entries.length, bytes);
      this.entries.push(bytes);
    }
    await this.tree.append(leaves.map(leafHash));
  }

  /** A head of all entries, cosigned by so many of the witnesses. */
  async sign(seconds: number, cosigners: number = WITNESSES.length, times: readonly number[] = []): Promise<string> {
    const body = checkpointBody({ origin: ORIGIN, size: this.size, root: this.tree.root });
    const cosigned = WITNESSES.slice(0, cosigners).map(({ key, signer }, at) =>
      signCosignature(body, key, signer, times[at] ?? seconds),
    );
    this.note = formatNote(body, [await signNote(body, LOG.key, LOG.signer), ...(await Promise.all(cosigned))]);
    return this.note;
  }

  /** Another log under the same key that has the first `size` entries. */
  async fork(size: number): Promise<TestLog> {
    const fork = new TestLog();
    await fork.appendRaw(this.entries.slice(0, size));
    return fork;
  }

  /** Names of all files at the present size. */
  paths(): string[] {
    const tiles = [...tilesOf(this.size)].map(({ level, index, width }) => tilePath(level, index, width));
    const bundles = [...tilesOf(this.size)].filter(({ level }) => level === 0);
    return ["checkpoint", ...tiles, ...bundles.map(({ index, width }) => bundlePath(index, width))];
  }

  async file(path: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#true(path);
    const change = this.changed.get(path);
    return bytes && change ? change(bytes) : bytes;
  }

  async #true(path: string): Promise<Uint8Array | undefined> {
    if (path === "checkpoint") return utf8(this.note);
    const name = parsePath(path);
    if (!name || name.width > tileWidth(name.level ?? 0, name.index, this.size)) return undefined;
    const { level, index, width } = name;
    if (level !== undefined) return this.tree.tile(level, index, width);
    return encodeBundle(this.entries.slice(index * TILE_WIDTH, index * TILE_WIDTH + width));
  }

  async writeTo(folder: string): Promise<void> {
    for (const path of this.paths()) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), (await this.file(path))!);
    }
  }
}

/** Serves whatever log `logOf` gives at the moment, below `/log`. */
export async function serveLog(logOf: () => TestLog, { gzip = false } = {}) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url!.replace(/^\/log\//, "");
    asked.push(path);
    const bytes = await logOf().file(path);
    if (!bytes) return void response.writeHead(404).end("not here");
    response.setHeader(
      "content-type",
      path === "checkpoint" ? "text/plain; charset=utf-8" : "application/octet-stream",
    );
    if (gzip) response.setHeader("content-encoding", "gzip");
    response.end(gzip ? gzipSync(bytes) : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/log/`,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A device by a number. */
export function ueidOf(device: number): Uint8Array {
  const ueid = new Uint8Array(33).fill(device);
  ueid[0] = 1;
  return ueid;
}

export const AGREEMENT = agreementOf();
const DIGEST = agreementDigest(AGREEMENT);

/** A license as two parties signed it. */
export function licenseMessage(change: Partial<License>): Uint8Array {
  const license: License = {
    notBeforeSeconds: T0,
    expirySeconds: T0 + 3600,
    agreementDigest: DIGEST,
    epoch: 0,
    sequence: 1n,
    budget: new Map([[2, 10n ** 15n]]),
    ticksMax: 3_600_000n,
    svnLeast: 0,
    ...change,
  };
  return signLicense(license, PARTIES.slice(0, 2));
}

export function licenseEntry(device: number, sequence = 1n): LogEntry {
  return { kind: "plain", type: ObjectType.LICENSE, message: licenseMessage({ ueid: ueidOf(device), sequence }) };
}

/** Cheap entries by the hundred: commitments that name one device each. */
export function commitmentEntry(device: number, salt = 0): LogEntry {
  return {
    kind: "commitment",
    type: ObjectType.LICENSE,
    commitment: commitmentOf(new Uint8Array(32).fill(salt), utf8(`license of ${device}`)),
    subjects: [subjectKey(ueidOf(device))],
  };
}
