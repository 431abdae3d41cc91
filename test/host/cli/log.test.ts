/** `quiesce log`: each command against a log with real keys, good and bad, for people and for programs. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { commitmentOf, encodeEntry, subjectKey } from "../../../host/log/entry.ts";
import { formatVkey } from "../../../host/log/note.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { keyId } from "../../../host/protocol/cose.ts";
import { agreementOf, PARTIES } from "../../rig.ts";
import {
  commitmentEntry,
  LOG,
  licenseEntry,
  licenseMessage,
  serveLog,
  T0,
  TestLog,
  ueidOf,
  WITNESSES,
} from "../log/log.ts";
import { flipped } from "../log/tree.ts";
import { temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const HOUR = 3600;
const ueid = (device: number) => Buffer.from(ueidOf(device)).toString("hex");
const KEYS = ["--log-key", formatVkey(LOG.key), "--witness", ...WITNESSES.map(({ key }) => formatVkey(key))];
const QUORUM = [...KEYS, "--witness-quorum", "2"];
const SALT = new Uint8Array(32).fill(5);

let folder: string;
let mirror: string;
let agreement: string;
let log: TestLog;
let served: Awaited<ReturnType<typeof serveLog>>;
const at = (name: string) => join(folder, name);

async function json(args: readonly string[]) {
  const { exit, stdout, stderr } = await quiesceHere([...args, "--json"]);
  return { exit, stderr, value: stdout === "" ? undefined : JSON.parse(stdout) };
}

function termsWith(commitments: boolean) {
  const member = (name: string, publicKey: Uint8Array) => ({ kid: keyId(publicKey), name, publicKey });
  return agreementOf({
    log: {
      commitments,
      log: member(LOG.key.name, LOG.key.publicKey),
      witnesses: WITNESSES.map(({ key }) => member(key.name, key.publicKey)),
      witnessQuorum: 2,
      checkpointSecondsMax: 300,
      pauseBeforeProof: true,
    },
  });
}

beforeAll(async () => {
  folder = temporaryFolder();
  mirror = at("mirror");
  agreement = at("agreement.cbor");
  writeFileSync(agreement, signAgreement(termsWith(false), PARTIES));
  writeFileSync(at("commitments.cbor"), signAgreement(termsWith(true), PARTIES));
  writeFileSync(at("without.cbor"), signAgreement(agreementOf(), PARTIES));
  writeFileSync(at("license-1.cbor"), licenseMessage({ ueid: ueidOf(1) }));
  writeFileSync(at("license-2.cbor"), licenseMessage({ ueid: ueidOf(2) }));
  log = new TestLog();
  served = await serveLog(() => log);
  for (const [hour, devices] of [[1, 2], [2], [1]].entries()) {
    await log.append(...devices.map((device) => licenseEntry(device, BigInt(hour + 1))));
    if (hour === 0) {
      const message = licenseMessage({ ueid: ueidOf(2) });
      const [commitment, subjects] = [commitmentOf(SALT, message), [subjectKey(ueidOf(2))]];
      await log.append({ kind: "commitment", type: ObjectType.LICENSE, commitment, subjects });
    }
    await log.sign(T0 + hour * HOUR);
    const { exit } = await quiesceHere(["log", "monitor", served.url, "--mirror", mirror, "--once", ...QUORUM]);
    expect(exit).toBe(0);
  }
});

afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

describe("quiesce log monitor", () => {
  it("tells of a head: how many entries, how many new, who cosigned", async () => {
    const into = at("monitor-1");
    const args = ["log", "monitor", served.url, "--mirror", into, "--once", "--agreement", agreement];
    const first = await json(args);
    expect(first).toMatchObject({
      exit: 0,
      value: { ok: true, newEntries: 9, cosigned: true, subjects: 2, checkpoint: { origin: LOG.key.name, size: 9 } },
    });
    const people = await quiesceHere(args);
    expect(people.exit).toBe(0);
    expect(people.stdout).toContain("✓ log.example/one  9 entries, 0 new, 2 devices");
    expect(people.stdout).toContain("cosigned by 3 of 3: witness.example/101 at 2027-01-15T10:00:00Z");
  });

  it("follows a folder too, and warns of a head that lacks witnesses", async () => {
    const lone = new TestLog();
    await lone.append(licenseEntry(1));
    await lone.sign(T0, 1);
    mkdirSync(at("lone"));
    await lone.writeTo(at("lone"));
    const { exit, stdout } = await quiesceHere([
      ...["log", "monitor", at("lone"), "--mirror", at("lone-mirror"), "--once"],
      ...QUORUM,
    ]);
    expect([exit, stdout]).toEqual([0, expect.stringContaining("2 are the quorum: no governor takes this head")]);
  });

  it("ends with its own code at a split view, prints both heads, and keeps them for others to verify", async () => {
    const fork = new TestLog();
    await fork.append(licenseEntry(9), ...Array.from({ length: 7 }, (_, i) => commitmentEntry(i)));
    await fork.sign(T0 + 9 * HOUR);
    mkdirSync(at("fork"));
    await fork.writeTo(at("fork"));
    const args = ["log", "monitor", at("fork"), "--mirror", mirror];
    const { exit, value } = await json([...args, ...QUORUM]);
    expect([exit, value.code, value.first, value.second]).toEqual([5, "log/split-view", log.note, fork.note]);
    const people = await quiesceHere([...args, "--once", ...QUORUM]);
    expect(people.exit).toBe(5);
    expect(people.stdout).toContain(log.note);
    expect(people.stdout).toContain(fork.note);
    const file = join(mirror, "split-view.json");
    const verified = await json(["log", "verify", file, "--log-key", formatVkey(LOG.key)]);
    expect(verified).toMatchObject({ exit: 5, value: { ok: false, kind: "split-view", sizes: [9, 9] } });
    const shown = await quiesceHere(["log", "verify", file, "--log-key", formatVkey(LOG.key)]);
    expect([shown.exit, shown.stdout]).toEqual([5, expect.stringContaining("two heads that contradict each other")]);
    writeFileSync(file, JSON.stringify({ code: "log/split-view", first: log.note, second: log.note }));
    const none = await json(["log", "verify", file, "--log-key", formatVkey(LOG.key)]);
    expect(none).toMatchObject({ exit: 1, value: { ok: false, code: "log/consistency" } });
    rmSync(file);
  });

  it("refuses what is no good log with 1, and what is not there with 4", async () => {
    const bad = await log.fork(log.size);
    await bad.sign(T0);
    bad.changed.set("tile/entries/000.p/9", (bytes) => flipped(bytes, 100));
    const server = await serveLog(() => bad);
    const args = (url: string) => ["log", "monitor", url, "--mirror", at("bad-mirror"), "--once", ...QUORUM];
    const tampered = await quiesceHere(args(server.url));
    expect([tampered.exit, tampered.stderr]).toEqual([1, expect.stringMatching(/^quiesce: log\/tile: .*entry 0/)]);
    expect(await json(args(server.url))).toMatchObject({ exit: 1, value: { ok: false, code: "log/tile" } });
    await server.close();
    expect((await quiesceHere(args(server.url))).exit).toBe(4);
    expect(existsSync(join(at("bad-mirror"), "checkpoint"))).toBe(false);
  });

  it("is told by whose word, or does not begin", async () => {
    const monitor = ["log", "monitor", served.url, "--mirror", at("none"), "--once"];
    for (const [args, message] of [
      [[...monitor], "whose log is it"],
      [[...monitor, "--log-key", "nonsense"], "log/key-malformed"],
      [[...monitor, ...KEYS, "--witness-quorum", "4"], "a quorum of 4 of 3"],
      [[...monitor, "--agreement", at("without.cbor")], "has no log terms"],
      [[...monitor, "--agreement", agreement, "--log-key", "x"], "cannot be used"],
      [["log", "monitor", at("nowhere"), "--mirror", at("none"), "--once", ...KEYS], "nor a folder"],
      [[...monitor, ...KEYS, "--ca", at("no.pem")], "cannot be read"],
      [[...monitor, ...KEYS, "--every", "0"], "whole number from 1"],
    ] as const) {
      const { exit, stderr } = await quiesceHere(args);
      expect([exit, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  });
});

describe("quiesce log prove and verify", () => {
  it("prove that a license is in the log, to whoever has license or proof alone", async () => {
    const proof = at("license.tlog-proof");
    const made = await json(["log", "prove", mirror, "--message", at("license-1.cbor"), "--out", proof, ...QUORUM]);
    expect(made).toMatchObject({ exit: 0, value: { ok: true, kind: "inclusion", leaf: 0, checkpoint: { size: 9 } } });
    expect(readFileSync(proof, "utf8")).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra /);
    for (const args of [[], ["--message", at("license-1.cbor")]]) {
      const verified = await json(["log", "verify", proof, ...args, "--agreement", agreement]);
      expect(verified).toMatchObject({
        exit: 0,
        value: { ok: true, leaf: 0, entry: { kind: "plain", type: "license", terms: { ueid: ueid(1), sequence: 1 } } },
      });
    }
    const people = await quiesceHere(["log", "verify", proof, "--agreement", agreement]);
    expect(people.stdout).toContain("0, license: #1, epoch 0, to 2027-01-15T09:00:00Z: 1.00 Pop tensor bf16");
    expect(people.stdout).toContain("✓ the entry is in the log");
    // Another license, and one witness more than cosigned.
    const other = await json(["log", "verify", proof, "--message", at("license-2.cbor"), ...QUORUM]);
    expect(other).toMatchObject({ exit: 1, value: { ok: false, code: "log/inclusion" } });
    const short = new TestLog();
    await short.append(licenseEntry(1));
    await short.sign(T0, 1);
    await short.writeTo(at("short"));
    const fewer = await quiesceHere(["log", "prove", at("short"), "--leaf", "0", ...QUORUM]);
    expect([fewer.exit, fewer.stderr]).toEqual([1, expect.stringContaining("log/witness-quorum")]);
  });

  it("a bare proof to stdout is for whoever has the entry", async () => {
    const { exit, stdout } = await quiesceHere(["log", "prove", mirror, "--leaf", "0", "--bare", ...QUORUM]);
    expect([exit, stdout]).toEqual([0, expect.stringMatching(/^c2sp\.org\/tlog-proof@v1\nindex 0\n/)]);
    writeFileSync(at("bare.tlog-proof"), stdout);
    writeFileSync(at("entry.cbor"), encodeEntry(licenseEntry(1)));
    const verify = ["log", "verify", at("bare.tlog-proof"), ...QUORUM];
    expect((await quiesceHere(verify)).exit).toBe(2);
    expect((await json([...verify, "--entry", at("entry.cbor")])).value).toMatchObject({ ok: true });
    expect((await quiesceHere([...verify, "--entry", agreement])).exit).toBe(1);
  });

  it("a commitment is found by message and salt", async () => {
    const salt = ["--salt", Buffer.from(SALT).toString("hex")];
    const made = ["log", "prove", mirror, "--message", at("license-2.cbor"), "--out", at("c.tlog-proof")];
    expect((await quiesceHere([...made, "--agreement", at("commitments.cbor")])).exit).toBe(2);
    expect((await json([...made, ...salt, "--agreement", at("commitments.cbor")])).value).toMatchObject({ leaf: 3 });
    const verify = ["log", "verify", at("c.tlog-proof"), "--message", at("license-2.cbor")];
    const verified = await json([...verify, ...salt, "--agreement", at("commitments.cbor")]);
    expect(verified).toMatchObject({ exit: 0, value: { entry: { kind: "commitment", type: "license" } } });
    expect((await quiesceHere([...verify, "--agreement", at("commitments.cbor")])).exit).toBe(2);
    const wrong = await json([...verify, "--salt", "00".repeat(32), "--agreement", at("commitments.cbor")]);
    expect(wrong.value).toMatchObject({ ok: false, code: "log/inclusion" });
  });

  it("prove that nothing was logged for a device in a time, and not where something was", async () => {
    const file = at("none.non-issuance");
    const prove = (device: number, from: string, to: string, out = file) =>
      json([
        ...["log", "prove", mirror, "--non-issuance", "--device", ueid(device), "--from", from, "--to", to],
        ...["--out", out, "--agreement", agreement],
      ]);
    const made = await prove(1, "2027-01-15T08:00:00Z", String(T0 + HOUR));
    expect(made).toMatchObject({ exit: 0, value: { ok: true, kind: "non-issuance", entriesBefore: 1 } });
    const verified = await json(["log", "verify", file, "--device", ueid(1), "--agreement", agreement]);
    expect(verified).toMatchObject({ exit: 0, value: { ok: true, fromSeconds: T0, toSeconds: T0 + HOUR } });
    const people = await quiesceHere(["log", "verify", file, ...QUORUM]);
    expect(people.stdout).toContain("✓ nothing was logged for the device in this time");
    expect((await quiesceHere(["log", "verify", file, "--device", ueid(2), ...QUORUM])).exit).toBe(1);
    const issued = await prove(1, String(T0), String(T0 + 2 * HOUR), at("a"));
    expect([issued.exit, issued.stderr]).toEqual([1, expect.stringContaining("log/issued")]);
    const late = await prove(1, String(T0), "2028-01-01", at("b"));
    expect([late.exit, late.stderr]).toEqual([1, expect.stringContaining("log/range")]);
    expect([existsSync(at("a")), existsSync(at("b"))]).toEqual([false, false]);
    expect((await prove(1, "yesterday", String(T0), at("c"))).exit).toBe(2);
    expect((await prove(1, String(T0), String(T0 + HOUR))).stderr).toContain("nothing is overwritten");
  });

  it("say what is missing", async () => {
    for (const [args, message] of [
      [["prove", mirror, ...KEYS], "of what?"],
      [["prove", at("nowhere"), "--leaf", "0", ...KEYS], "there is no folder"],
      [["prove", mirror, "--leaf", "0", "--json", ...KEYS], "Give --out"],
      [["prove", mirror, "--non-issuance", "--out", at("x"), ...KEYS], "give --device, --from and --to"],
      [["prove", mirror, "--leaf", "-1", ...KEYS], "whole number"],
      [["verify", agreement, ...KEYS], "no tlog-proof, no proof of non-issuance and no split view"],
      [["audit", mirror, ...KEYS], "of what?"],
      [["audit", mirror, "--party", "Nobody", ...KEYS], "no party of the agreement"],
      [["audit", mirror, "--device", "00", ...KEYS], "UEID of 33 bytes"],
      [["fsck", at("nowhere"), ...KEYS], "there is no folder"],
    ] as const) {
      const { exit, stderr } = await quiesceHere(["log", ...args]);
      expect([exit, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    const missing = await quiesceHere(["log", "prove", mirror, "--leaf", "99", ...QUORUM]);
    expect([missing.exit, missing.stderr]).toEqual([1, expect.stringContaining("log/inclusion")]);
  });
});

describe("quiesce log audit", () => {
  it("lists what was issued for a device, and of a party", async () => {
    const device = await json(["log", "audit", mirror, "--device", ueid(2), ...QUORUM]);
    expect(device.exit).toBe(0);
    const rows = device.value.rows as { leaf: number; terms: { sequence: number } | null; holds: unknown }[];
    expect(rows.map(({ leaf, terms, holds }) => [leaf, terms?.sequence ?? null, holds])).toEqual([
      [1, 1, null],
      [3, null, null],
      [5, 2, null],
    ]);
    const kid = Buffer.from(PARTIES[0]!.kid).toString("hex");
    const party = await json(["log", "audit", mirror, "--party", kid, ...QUORUM]);
    expect(party.value).toMatchObject({ unread: 1, rows: [{ leaf: 0 }, { leaf: 1 }, { leaf: 5 }, { leaf: 7 }] });
    const people = await quiesceHere(["log", "audit", mirror, "--party", "party 0", "--agreement", agreement]);
    expect(people.exit).toBe(0);
    expect(people.stdout).toMatch(/^ *leaf +type +for +what +signed by/);
    expect(people.stdout).toContain("party 0, party 1");
    expect(people.stdout).toContain("1 commitment passed over");
  });
});

describe("quiesce log fsck", () => {
  it("finds nothing wrong, or names the place", async () => {
    const good = await json(["log", "fsck", mirror, ...QUORUM]);
    expect(good).toMatchObject({ exit: 0, value: { ok: true, entries: 9, indexEntries: 4, checkpoints: 3 } });
    expect((await quiesceHere(["log", "fsck", mirror, ...QUORUM])).stdout).toContain("✓ nothing wrong");
    const file = join(mirror, "tile/entries/000.p/9");
    const bytes = new Uint8Array(readFileSync(file));
    writeFileSync(file, flipped(bytes, 4000));
    const bad = await json(["log", "fsck", mirror, ...QUORUM]);
    expect(bad).toMatchObject({ exit: 1, value: { ok: false, broken: { path: "tile/entries/000.p/9" } } });
    expect((await quiesceHere(["log", "fsck", mirror, ...QUORUM])).stdout).toContain(
      "✗ tile/entries/000.p/9: log/tile",
    );
    writeFileSync(file, bytes);
  });
});
