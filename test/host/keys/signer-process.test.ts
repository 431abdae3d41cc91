import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { SignerProcess } from "../../../host/keys/signer-process.ts";
import { ed25519Signer, ed25519Verify } from "../../../host/protocol/cose-key.ts";
import { codeOf } from "./folder.ts";

const FAKE = fileURLToPath(new URL("./fake-signer.mjs", import.meta.url));
const { kid, publicKey } = ed25519Signer(new Uint8Array(32).fill(5));
process.env.FAKE_KID = Buffer.from(kid).toString("hex");

const opened: SignerProcess[] = [];
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});

function fake(how: string, options: { timeoutMs?: number } = {}): SignerProcess {
  const memory = join(mkdtempSync(join(tmpdir(), "quiesce-signer-")), "memory");
  const source = new SignerProcess([process.execPath, FAKE, how, memory], options);
  opened.push(source);
  return source;
}

const message = new TextEncoder().encode("message");
const signing = async (source: SignerProcess) => (await source.signer(kid)).sign(message);

describe("an external signer", () => {
  it("signs when it behaves", async () => {
    expect(ed25519Verify(await signing(fake("well")), message, publicKey)).toBe(true);
  });

  it.each([
    ["gives a signature that does not hold", "lies", "keys/signature"],
    ["gives no signature", "short", "keys/signer-protocol"],
    ["reports an error", "error", "keys/signer-refused"],
    ["dies at every request", "crashes", "keys/signer-lost"],
    ["answers what nobody asked", "unasked", "keys/signer-protocol"],
    ["prints something else", "garbage", "keys/signer-protocol"],
    ["prints without end", "endless", "keys/signer-protocol"],
    ["has no list", "no-list", "keys/signer-protocol"],
    ["lists a key without a label", "no-label", "keys/signer-protocol"],
    ["lists a key under another's kid", "other-kid", "keys/signer-protocol"],
  ])("that %s is refused: %s, %s", async (_what, how, code) => {
    expect(await codeOf(() => signing(fake(how)))).toBe(code);
  });

  it("that does not answer in time is ended, and what else waited for it asked again", async () => {
    const source = fake("silent-once", { timeoutMs: 3000 });
    const signer = await source.signer(kid);
    const late = codeOf(() => signer.sign(message));
    const other = signer.sign(message);
    expect(await late).toBe("keys/signer-timeout");
    expect(ed25519Verify(await other, message, publicKey)).toBe(true);
  });

  it("that dies in the middle of a request is started again, and the request answered", async () => {
    const source = fake("crashes-once");
    const signer = await source.signer(kid);
    const signatures = await Promise.all(Array.from({ length: 10 }, () => signer.sign(message)));
    for (const signature of signatures) expect(ed25519Verify(signature, message, publicKey)).toBe(true);
  });

  it("says of an error only what is fit for a terminal", async () => {
    await expect(signing(fake("error"))).rejects.toThrow("CKR_DEVICE_REMOVED: no?[2Jtoken");
  });

  it("that is not there is refused at the first request", async () => {
    const source = new SignerProcess(["/nonexistent/signer"]);
    expect(await codeOf(() => source.list())).toBe("keys/signer-start");
    await source.close();
    expect(await codeOf(() => new SignerProcess([]))).toBe("keys/signer-start");
  });

  it("takes so many requests at once and no more", async () => {
    const source = fake("silent", { timeoutMs: 60_000 });
    const signer = await source.signer(kid);
    const asked = Array.from({ length: 257 }, () => codeOf(() => signer.sign(message)));
    expect(await Promise.race(asked)).toBe("keys/signer-busy");
    await source.close();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["keys/signer-busy", "keys/signer-lost"]));
  });

  it("is not asked to sign what is longer than any object", async () => {
    const signer = await fake("well").signer(kid);
    expect(await codeOf(() => signer.sign(new Uint8Array(8193)))).toBe("keys/signer-protocol");
  });

  it("is not used any more after it was closed", async () => {
    const source = fake("well");
    await source.list();
    await source.close();
    expect(await codeOf(() => source.list())).toBe("keys/signer-lost");
  });
});
