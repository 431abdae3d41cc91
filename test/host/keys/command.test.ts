import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { usageLine, verdictOf } from "../../../host/cli/exit.ts";
import { quiesceProgram } from "../../../host/cli/program.ts";
import { aadOf } from "../../../host/keys/sign-type.ts";
import { addSignature, ed25519Signer, keyId, verificationKey, verifyQuorum } from "../../../host/protocol/cose.ts";
import { quiesce } from "../cli/run-cli.ts";
import { keystoreAt, passphrase } from "./folder.ts";
import { draftOf } from "./objects.ts";

const QUIESCE = fileURLToPath(new URL("../../../host/cli/quiesce.mjs", import.meta.url));
const other = ed25519Signer(new Uint8Array(32).fill(5));
const folder = mkdtempSync(join(tmpdir(), "quiesce-key-"));
const at = (name: string) => join(folder, name);
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const KEYS = ["--keys", at("keys")];
const OPEN = [...KEYS, "--passphrase-file", at("secret")];
const SERVE = `${process.execPath} ${QUIESCE} key serve ${OPEN.join(" ")}`;

let old: { kid: Uint8Array; publicKey: Uint8Array };
let fresh: typeof old;
const kidOf = (key: typeof old) => Buffer.from(key.kid).toString("hex");

beforeAll(async () => {
  writeFileSync(at("secret"), passphrase());
  writeFileSync(at("wrong"), "not the passphrase");
  writeFileSync(at("short"), "short");
  const store = keystoreAt(at("keys"));
  old = await store.create("Party A", passphrase());
  fresh = await store.rotate(old.kid, passphrase());
  for (const type of ["license", "order", "recovery"] as const) writeFileSync(at(`${type}.cbor`), draftOf(type, []));
  const agreement = addSignature(draftOf("agreement", [old, other]), other, aadOf("agreement"));
  writeFileSync(at("agreement.cbor"), agreement);
});

/** The command without the second that a process takes on a busy machine: what it prints, or how it would end. */
async function run(args: string[]): Promise<{ exit: number; stdout: string; stderr: string; line: string }> {
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      printed[name] += text;
      return true;
    });
  }
  try {
    await quiesceProgram().parseAsync(args, { from: "user" });
    return { ...printed, exit: 0, line: "" };
  } catch (error) {
    const isUsage = error instanceof CommanderError;
    return { ...printed, ...(isUsage ? { exit: 2, line: usageLine(error.message) } : verdictOf(error)) };
  } finally {
    vi.restoreAllMocks();
  }
}

describe("quiesce key", () => {
  it("makes a key, rotates and retires it, and lists what there is", async () => {
    const keys = ["--keys", at("own")];
    const open = [...keys, "--passphrase-file", at("secret"), "--json"];
    const created = JSON.parse((await run(["key", "create", "--label", "Party B", ...open])).stdout);
    expect(created).toMatchObject({ label: "Party B", status: "active" });
    expect(Buffer.from(keyId(bytesOf(created.publicKey))).toString("hex")).toBe(created.kid);
    expect(created.coseKey).toBe(`a301012006215820${created.publicKey}`);
    const rotated = JSON.parse((await run(["key", "rotate", ...open])).stdout);
    expect(rotated).toMatchObject({ label: "Party B", status: "active", replaces: created.kid });
    const retired = JSON.parse((await run(["key", "retire", created.kid, ...open])).stdout);
    expect(retired).toMatchObject({ kid: created.kid, status: "retired" });
    const { stdout } = await run(["key", "list", ...keys]);
    expect(stdout).toMatch(new RegExp(`^${created.kid}  retired .*Party B$`, "m"));
    expect(stdout).toMatch(new RegExp(`^${rotated.kid}  active .*Party B$`, "m"));
    const shown = await run(["key", "public", ...keys]);
    expect(shown.stdout).toContain(rotated.publicKey);
  });

  it("signs a draft with the active key, shows what it says, and leaves the draft as it is", async () => {
    const out = at("signed-order.cbor");
    const before = readFileSync(at("order.cbor"));
    const ran = await quiesce(["key", "sign", at("order.cbor"), "--type", "order", "--out", out, ...OPEN]);
    expect(ran).toMatchObject({ exit: 0, stdout: expect.stringContaining("order with 1 signature") });
    expect(ran.stderr).toMatch(/action\s+pause/);
    expect(verifyQuorum(readFileSync(out), [fresh], 1, aadOf("order")).signers).toEqual([0]);
    expect(readFileSync(at("order.cbor"))).toEqual(before);
  });

  it("signs with the key that the agreement knows while two sign", async () => {
    const out = at("signed-agreement.cbor");
    const file = at("agreement.cbor");
    const signing = ["key", "sign", file, "--type", "agreement", "--agreement", file, "--out", out, "--json", ...OPEN];
    const { stdout } = await run(signing);
    expect(JSON.parse(stdout)).toMatchObject({ type: "agreement", kid: kidOf(old), signatures: 2 });
    expect(verifyQuorum(readFileSync(out), [old, other], 2, aadOf("agreement")).signers).toEqual([1, 0]);
    const again = await run([
      "key",
      "sign",
      out,
      "--type",
      "agreement",
      "--kid",
      kidOf(old),
      "--out",
      at("no"),
      ...OPEN,
    ]);
    expect(again).toMatchObject({ exit: 1, line: expect.stringContaining("COSE_SIGNER_TWICE") });
  });

  it("gives the same bytes by the keystore and by a process that holds the keys", async () => {
    const sign = ["key", "sign", at("recovery.cbor"), "--type", "recovery", "--kid", kidOf(old), "--out"];
    await run([...sign, at("recovery-a.cbor"), ...OPEN]);
    const ran = await run([...sign, at("recovery-b.cbor"), "--signer", SERVE]);
    expect(ran.exit, ran.line).toBe(0);
    expect(readFileSync(at("recovery-b.cbor"))).toEqual(readFileSync(at("recovery-a.cbor")));
    expect(ran.stderr).toMatch(/order in force\s+pause/);
  });

  it("lists the keys of a process, named as words or as JSON", async () => {
    for (const signer of [SERVE, JSON.stringify(SERVE.split(" "))]) {
      const { stdout } = await run(["key", "list", "--json", "--signer", signer]);
      const kids = JSON.parse(stdout).map(({ kid }: { kid: string }) => kid);
      expect(new Set(kids)).toEqual(new Set([kidOf(old), kidOf(fresh)]));
    }
  });
});

const sign = (type: string, file: string, ...more: string[]) => [
  "key",
  "sign",
  at(file),
  "--type",
  type,
  "--out",
  at("not-written"),
  ...more,
];

describe("wrong use of quiesce key", () => {
  it.each<[string, () => string[], number, RegExp]>([
    ["no folder named", () => ["key", "list"], 2, /--keys FOLDER/],
    ["a folder that is not there", () => ["key", "list", "--keys", at("none")], 2, /keys\/folder/],
    ["a folder that others can read", () => ["key", "list", "--keys", "/"], 2, /keys\/permissions/],
    ["a passphrase as an argument", () => ["key", "rotate", ...KEYS, "--passphrase", "x"], 2, /unknown option/],
    [
      "a short passphrase",
      () => ["key", "create", "--label", "x", "--keys", at("new"), "--passphrase-file", at("short")],
      2,
      /keys\/passphrase-/,
    ],
    ["a wrong passphrase", () => ["key", "rotate", ...KEYS, "--passphrase-file", at("wrong")], 1, /keys\/passphrase: /],
    ["no label", () => ["key", "create", ...OPEN], 2, /--label/],
    ["a label of control characters", () => ["key", "create", "--label", "a\u0007", ...OPEN], 2, /keys\/label/],
    ["a kid that is none", () => ["key", "public", "xyz", ...KEYS], 2, /no kid/],
    ["an unknown kid", () => ["key", "public", "0".repeat(16), ...KEYS], 2, /keys\/unknown/],
    ["an active key to retire", () => ["key", "retire", kidOf(fresh), ...OPEN], 2, /keys\/active/],
    ["a key to rotate twice", () => ["key", "rotate", kidOf(old), ...OPEN], 2, /keys\/rotated/],
    ["a type that is none", () => sign("beacon", "order.cbor", ...OPEN), 2, /--type/],
    ["a license offered as an order", () => sign("order", "license.cbor", ...OPEN), 2, /no order but: license/],
    ["an order offered as a license", () => sign("license", "order.cbor", ...OPEN), 2, /no license but: order/],
    ["a file that is no object", () => sign("order", "secret", ...OPEN), 2, /COSE_Sign/],
    ["an output that is there", () => [...sign("order", "order.cbor", ...OPEN), "--out", at("secret")], 2, /already/],
    ["keys and a signer", () => sign("order", "order.cbor", ...OPEN, "--signer", SERVE), 2, /cannot be used with/],
    [
      "a signer that is not there",
      () => sign("order", "order.cbor", "--signer", "/nonexistent"),
      1,
      /keys\/signer-start/,
    ],
    ["a signer that is no JSON array", () => sign("order", "order.cbor", "--signer", "[1]"), 2, /JSON array/],
    ["a signer that ends", () => sign("order", "order.cbor", "--signer", "false"), 1, /keys\/signer-lost/],
    ["a type that the server does not know", () => ["key", "serve", ...OPEN, "--types", "order,x"], 2, /no type 'x'/],
  ])("%s is one line and an exit code", async (_what, args, exit, line) => {
    const refused = await run(args());
    expect(refused.line).toMatch(line);
    expect(refused.exit).toBe(exit);
    expect(refused.line).not.toContain("\n");
    expect(existsSync(at("not-written"))).toBe(false);
  });

  it("no passphrase at all is refused where there is no terminal to ask on", async () => {
    const { exit, stdout, stderr } = await quiesce(["key", "rotate", ...KEYS]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toMatch(/^quiesce: keys\/passphrase-missing: .*\n$/);
  });
});

describe("the page of keys", () => {
  const page = readFileSync(fileURLToPath(new URL("../../../docs/keys.md", import.meta.url)), "utf8");

  it("explains every code of the keystore and the signers, and no other", async () => {
    const { KEY_ERRORS } = await import("../../../host/keys/errors.ts");
    const listed = [...page.matchAll(/^\| `(keys\/[a-z-]+)` \| (.*) \|$/gm)].map(([, code, phrase]) => [code, phrase]);
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(Object.entries(KEY_ERRORS).map(([code, [, phrase]]) => [code, phrase])),
    );
  });

  it("says what others compute a kid from", () => {
    expect(verificationKey(other.publicKey).kid).toEqual(other.kid);
    expect(page).toContain("RFC 9679");
  });
});
