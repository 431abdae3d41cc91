/** Who asks at the verifiers: a token, a key that signs requests, a certificate; and the wrong use of each. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { noncesOf } from "../../../host/courier/documents.ts";
import { readStick } from "../../../host/courier/read-stick.ts";
import { kidText } from "../../../host/keys/signer.ts";
import { keyId } from "../../../host/protocol/cose.ts";
import { quiesceHere } from "../cli/run-here.ts";
import { certificateFor, makeAuthority } from "../client/certificates.ts";
import { openRealVerifier, type RealVerifier } from "../client/real-verifier.ts";
import { keystoreAt, passphrase } from "../keys/folder.ts";
import { AirGap } from "./air-gap.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-credentials-"));
const at = (name: string) => join(folder, name);
const authority = makeAuthority();
const clerk = certificateFor("clerk", authority);
let publicKey: Uint8Array;

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content, { mode: 0o600 });
  return at(name);
}

beforeAll(async () => {
  ({ publicKey } = await keystoreAt(at("keys")).create("clerk", passphrase()));
  file("passphrase", passphrase());
  file("authority.crt", authority.cert);
  file("clerk.crt", clerk.cert);
  file("clerk.key", clerk.key);
  file("token", "a-token");
  mkdirSync(at("boards"));
});
afterAll(() => rmSync(folder, { recursive: true }));

let toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose) await close();
  toClose = [];
});

/** What became of each thing, and how the command ended. */
async function courier(...args: string[]) {
  const { exit, stdout, stderr } = await quiesceHere(["courier", ...args, "--json"]);
  const rows: { code?: string }[] = stdout === "" ? [] : JSON.parse(stdout).rows;
  return { exit, codes: rows.flatMap(({ code }) => code ?? []), stderr };
}

const SIGNED = ["--keys", at("keys"), "--passphrase-file", at("passphrase")];

describe("a key of one's own", () => {
  it("lists a site's boards, which nobody may without it, and brings what they say", async () => {
    const gap = await AirGap.open();
    toClose.push(() => gap.close());
    await gap.commission();
    const [verifier] = gap.verifiers;
    await verifier!.admit(publicKey, "auditor", "registrar");
    const pack = ["pack", at("out"), "--verifier", verifier!.url, "--site", "hall 1"];
    expect(await courier(...pack)).toMatchObject({ exit: 1, codes: ["client/unauthorized"] });
    expect(noncesOf(readStick(at("out"), "to-site")).size).toBe(0);
    expect(await courier(...pack, ...SIGNED)).toMatchObject({ exit: 0, codes: [] });
    expect([...noncesOf(readStick(at("out"), "to-site")).keys()]).toEqual([gap.ueid()]);

    await gap.leave();
    const unpack = ["unpack", gap.back, "--verifier", verifier!.url, "--answers", gap.out, "--site", "hall 2"];
    const { exit, codes } = await courier(...unpack, ...SIGNED, "--kid", kidText(keyId(publicKey)));
    expect([exit, codes]).toEqual([0, []]);
    expect((await verifier!.service.device(gap.ueids[0]!)).licenseSequence).toBe(1n);
  });
});

describe("a certificate of one's own", () => {
  let verifiers: readonly RealVerifier[];
  const pack = () => ["pack", at("tls"), "--verifier", ...verifiers.map(({ url }) => url), "--ca", at("authority.crt")];

  async function open(count: number): Promise<void> {
    const tls = { ...certificateFor("127.0.0.1", authority), ca: authority.cert, requestCert: true };
    verifiers = await Promise.all(Array.from({ length: count }, () => openRealVerifier({ tls })));
    toClose.push(...verifiers.map((verifier) => () => verifier.close()));
  }

  it("lets in at a verifier that asks for one, and without it nothing is reached", async () => {
    await open(1);
    const identity = ["--cert", at("clerk.crt"), "--key", at("clerk.key")];
    expect(await courier(...pack(), ...identity)).toMatchObject({ exit: 0, codes: [] });
    expect(readStick(at("tls"), "to-site").files.has("agreements/1.cbor")).toBe(true);
    expect((await courier(...pack())).exit).toBe(4);
  });

  it("is one for all verifiers, or one for each, and goes with a key that signs", async () => {
    await open(2);
    for (const { admit } of verifiers) await admit(publicKey, "auditor");
    const each = ["--cert", at("clerk.crt"), at("clerk.crt"), "--key", at("clerk.key"), at("clerk.key")];
    for (const identity of [each, ["--cert", at("clerk.crt"), "--key", at("clerk.key")]]) {
      expect(await courier(...pack(), ...identity, ...SIGNED, "--site", "hall 1")).toMatchObject({
        exit: 0,
        codes: [],
      });
    }
  });
});

describe("wrong use", () => {
  const HTTPS = ["--verifier", "https://127.0.0.1:1"];
  const IDENTITY = ["--cert", at("clerk.crt"), "--key", at("clerk.key")];

  // biome-ignore format: a table
  const CASES: readonly [what: string, args: readonly string[], message: RegExp][] = [
    ["a token and a key", [...HTTPS, "--token-file", at("token"), ...SIGNED], /'--keys <folder>' cannot be used with option '--token-file/],
    ["a kid without keys", [...HTTPS, "--kid", "00".repeat(8)], /--kid and --passphrase-file go with --keys/],
    ["a passphrase without keys", [...HTTPS, "--passphrase-file", at("passphrase")], /go with --keys/],
    ["a kid that is none", [...HTTPS, ...SIGNED, "--kid", "north"], /'north' is no kid/],
    ["a kid of no key", [...HTTPS, ...SIGNED, "--kid", "00".repeat(8)], /^quiesce: keys\/unknown: /],
    ["no folder of keys", [...HTTPS, "--keys", at("nowhere")], /^quiesce: keys\/folder: /],
    ["no passphrase", [...HTTPS, "--keys", at("keys"), "--passphrase-file", at("nowhere")], /^quiesce: keys\/passphrase-missing: /],
    ["a certificate without its key", [...HTTPS, "--cert", at("clerk.crt")], /--cert goes with --key/],
    ["a key without its certificate", [...HTTPS, "--key", at("clerk.key")], /--cert goes with --key/],
    ["a certificate that is not there", [...HTTPS, "--cert", at("nowhere"), "--key", at("clerk.key")], /--cert names .*nowhere, which cannot be read: ENOENT/],
    ["two certificates for three verifiers", ["--verifier", "https://a", "https://b", "https://c", "--cert", at("clerk.crt"), at("clerk.crt"), "--key", at("clerk.key")], /--cert has 2 files for 3 verifiers/],
    ["a certificate over plain HTTP", ["--verifier", "http://127.0.0.1:1", ...IDENTITY], /certificates go with https/],
    ["a token that is not there", [...HTTPS, "--token-file", at("nowhere")], /--token-file names .*nowhere, which cannot be read: ENOENT/],
    ["a file for a stick", ["--verifier", "http://127.0.0.1:1", "--token-file", at("token")], /stick\/missing: .*token: there is no such folder/],
    ["a certificate at the site", ["--boards", at("boards"), ...IDENTITY], /--cert does not go with --boards/],
    ["keys at the site", ["--boards", at("boards"), "--keys", at("keys")], /--keys does not go with --boards/],
  ];

  it.each(CASES)("%s is one line and 2", async (what, args, message) => {
    const stick = what === "a file for a stick" ? at("token") : at("wrong");
    const { exit, stderr } = await courier("pack", stick, ...args);
    expect(stderr).toMatch(message);
    expect([exit, stderr.split("\n").length]).toEqual([2, 2]);
  });

  it("of a passphrase is 1, since the key is not good with it", async () => {
    const wrong = file("other-passphrase", "another passphrase");
    const { exit, stderr } = await courier(
      "pack",
      at("wrong"),
      ...HTTPS,
      "--keys",
      at("keys"),
      "--passphrase-file",
      wrong,
    );
    expect([exit, stderr.split(":")[1]]).toEqual([1, " keys/passphrase"]);
  });

  it.skipIf(process.platform === "win32")("of a private key that others may read is 2", async () => {
    chmodSync(file("open.key", clerk.key), 0o644);
    const { exit, stderr } = await courier(
      "pack",
      at("wrong"),
      ...HTTPS,
      "--cert",
      at("clerk.crt"),
      "--key",
      at("open.key"),
    );
    expect(exit).toBe(2);
    expect(stderr).toContain("others than the owner have access");
  });
});
