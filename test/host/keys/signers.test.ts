/** Every kind of signer keeps the same promises. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { type Keystore, OpenKeystore } from "../../../host/keys/keystore.ts";
import { SIGN_TYPES } from "../../../host/keys/sign-names.ts";
import { aadOf, signTypeOf } from "../../../host/keys/sign-type.ts";
import { addSignatureAsync, type KeySource } from "../../../host/keys/signer.ts";
import { SignerProcess } from "../../../host/keys/signer-process.ts";
import { serveSigner } from "../../../host/keys/signer-server.ts";
import {
  addSignature,
  ed25519Signer,
  ed25519Verify,
  parseSign,
  signStructure,
  verifyQuorum,
} from "../../../host/protocol/cose.ts";
import { codeOf, keystoreAt, passphrase, temporaryKeys } from "./folder.ts";
import { draftOf } from "./objects.ts";

const QUIESCE = fileURLToPath(new URL("../../../host/cli/quiesce.mjs", import.meta.url));
const path = temporaryKeys();
const passphraseFile = join(path, "passphrase");
let store: Keystore;
let kids: { active: Uint8Array; retiring: Uint8Array; retired: Uint8Array };

beforeAll(async () => {
  store = keystoreAt(path);
  writeFileSync(passphraseFile, passphrase(), { mode: 0o600 });
  const retired = await store.create("Party A", passphrase());
  const retiring = await store.rotate(retired.kid, passphrase());
  await store.retire(retired.kid, passphrase());
  const active = await store.rotate(retiring.kid, passphrase());
  kids = { active: active.kid, retiring: retiring.kid, retired: retired.kid };
});

const serve = (...more: string[]) =>
  new SignerProcess([process.execPath, QUIESCE, "key", "serve", "--keys", path, ...more]);

describe.each<[string, () => KeySource]>([
  ["a keystore", () => new OpenKeystore(store, passphrase())],
  ["an external process", () => serve("--passphrase-file", passphraseFile)],
])("the keys of %s", (_kind, open) => {
  let source: KeySource;

  beforeAll(() => {
    source = open();
  });
  afterAll(() => source.close());

  it("are the active one and the one it replaces, and none that is retired", async () => {
    const keys = await source.list();
    expect(new Map(keys.map(({ kid, status }) => [Buffer.from(kid).toString("hex"), status]))).toEqual(
      new Map([
        [Buffer.from(kids.active).toString("hex"), "active"],
        [Buffer.from(kids.retiring).toString("hex"), "retiring"],
      ]),
    );
    expect(keys.every(({ label }) => label === "Party A")).toBe(true);
  });

  it("sign messages of any length up to the longest", async () => {
    for (const kid of [kids.active, kids.retiring]) {
      const signer = await source.signer(kid);
      for (const length of [0, 1, 4384]) {
        const message = new Uint8Array(length).fill(length);
        expect(ed25519Verify(await signer.sign(message), message, signer.publicKey)).toBe(true);
      }
    }
  });

  it("sign many things at once, each its own", async () => {
    const signer = await source.signer(kids.active);
    const messages = Array.from({ length: 100 }, (_, i) => Uint8Array.of(i));
    const signatures = await Promise.all(messages.map((message) => signer.sign(message)));
    signatures.forEach((signature, i) => {
      expect(ed25519Verify(signature, messages[i]!, signer.publicKey)).toBe(true);
    });
  });

  it.each(SIGN_TYPES)("add their signatures to a draft of type %s, as a signer in memory does", async (type) => {
    const signers = [await source.signer(kids.active), await source.signer(kids.retiring)];
    const memory = ed25519Signer(new Uint8Array(32).fill(5));
    let bytes = addSignature(draftOf(type, [memory, ...signers]), memory, aadOf(type));
    for (const signer of signers) bytes = await addSignatureAsync(bytes, signer, aadOf(type));
    expect(verifyQuorum(bytes, [...signers, memory], 3, aadOf(type)).signers).toEqual([2, 0, 1]);
  });

  it("add no second signature by the same key", async () => {
    const signer = await source.signer(kids.active);
    const once = await addSignatureAsync(draftOf("order", [signer]), signer, aadOf("order"));
    await expect(addSignatureAsync(once, signer, aadOf("order"))).rejects.toMatchObject({
      code: ErrorCode.COSE_SIGNER_TWICE,
    });
  });

  it("are not to be had by an unknown kid", async () => {
    expect(await codeOf(() => source.signer(new Uint8Array(8)))).toBe("keys/unknown");
  });
});

describe("quiesce key serve", () => {
  it("with --types signs what it is for and nothing else", async () => {
    const source = serve("--passphrase-file", passphraseFile, "--types", "order,recovery");
    try {
      const signer = await source.signer(kids.active);
      for (const type of SIGN_TYPES) {
        const signing = () => addSignatureAsync(draftOf(type, [signer]), signer, aadOf(type));
        if (type === "order" || type === "recovery") await signing();
        else await expect(signing()).rejects.toThrow(/keys\/signer-type/);
        // A license under the domain of an order is no order.
        if (type !== "order") {
          const disguised = addSignatureAsync(draftOf(type, [signer]), signer, aadOf("order"));
          await expect(disguised).rejects.toThrow(/keys\/signer-type/);
        }
      }
      await expect(signer.sign(new TextEncoder().encode("anything"))).rejects.toThrow(/keys\/signer-type/);
    } finally {
      await source.close();
    }
  });

  it("does not start with a wrong passphrase", async () => {
    const wrong = join(path, "wrong");
    writeFileSync(wrong, "not the passphrase");
    const source = serve("--passphrase-file", wrong);
    expect(await codeOf(() => source.list())).toBe("keys/signer-lost");
    await source.close();
  });

  it("knows an object by its domain and its payload together", () => {
    for (const type of SIGN_TYPES) {
      const { bodyProtected, payload } = parseSign(draftOf(type, [ed25519Signer(new Uint8Array(32))]));
      const header = new Uint8Array(0);
      expect(signTypeOf(signStructure(bodyProtected, header, aadOf(type), payload))).toBe(type);
      expect(signTypeOf(signStructure(bodyProtected, header, new Uint8Array(0), payload))).toBeUndefined();
      expect(signTypeOf(payload)).toBeUndefined();
    }
  });
});

describe("the signer protocol, as the server keeps it", () => {
  async function talk(...lines: (string | Buffer)[]): Promise<{ answers: unknown[]; error: unknown }> {
    const input = new PassThrough();
    const output = new PassThrough();
    let said = "";
    output.on("data", (chunk) => {
      said += chunk;
    });
    const source = new OpenKeystore(store, passphrase());
    const serving = serveSigner(source, input, output).catch((error: unknown) => error);
    input.end(Buffer.concat(lines.map((line) => Buffer.from(line))));
    const error = await serving;
    return {
      answers:
        said === ""
          ? []
          : said
              .trimEnd()
              .split("\n")
              .map((line) => JSON.parse(line)),
      error,
    };
  }
  const kid = () => Buffer.from(kids.active).toString("hex");

  it("answers a list and a signature, in order, each with its id", async () => {
    const { answers, error } = await talk(
      '{"id":1,"method":"list"}\n',
      `{"id":7,"method":"sign","kid":"${kid()}","message":"AAEC"}\n`,
    );
    expect(error).toBeUndefined();
    const signature = (await store.unlock(kids.active, passphrase())).sign(Uint8Array.of(0, 1, 2));
    expect(answers).toMatchObject([
      { id: 1, keys: [{ kid: expect.any(String), publicKey: expect.any(String) }, {}] },
      { id: 7, signature: Buffer.from(signature).toString("base64") },
    ]);
  });

  it.each([
    ["an unknown method", () => '{"id":1,"method":"export"}', "keys/signer-protocol"],
    ["no kid", () => '{"id":1,"method":"sign","message":""}', "keys/signer-protocol"],
    ["bad base64", () => `{"id":1,"method":"sign","kid":"${kid()}","message":"A"}`, "keys/signer-protocol"],
    ["an unknown kid", () => '{"id":1,"method":"sign","kid":"0000000000000000","message":""}', "keys/unknown"],
    [
      "a message that is too long",
      () => `{"id":1,"method":"sign","kid":"${kid()}","message":"${"A".repeat(12_000)}"}`,
      "keys/signer-protocol",
    ],
  ])("answers %s with a code, and goes on", async (_what, line, code) => {
    const { answers } = await talk(`${line()}\n`, '{"id":2,"method":"list"}\n');
    expect(answers).toMatchObject([
      { id: 1, error: { code } },
      { id: 2, keys: expect.any(Array) },
    ]);
  });

  it.each<[string, string | Buffer]>([
    ["a line that is no JSON", "list\n"],
    ["a line that is no object", "[1]\n"],
    ["a request without an id", '{"method":"list"}\n'],
    ["bad UTF-8", Buffer.from('{"id":1,"method":"list","x":"\u00ff"}\n', "latin1")],
    ["a line without end", "x".repeat(70_000)],
    ["a line that is too long", `${"x".repeat(70_000)}\n`],
  ])("ends after %s", async (_what, line) => {
    const { answers, error } = await talk(line, '{"id":2,"method":"list"}\n');
    expect(answers).toMatchObject([{ id: 0, error: { code: "keys/signer-protocol" } }]);
    expect(error).toMatchObject({ code: "keys/signer-protocol" });
  });
});
