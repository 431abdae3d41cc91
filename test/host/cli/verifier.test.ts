/** `quiesce verifier`: from nothing to a running service in two commands, and what is wrong said in one line. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openApiDocument } from "../../../host/http/openapi-document.ts";
import { decodeAgreement, verifyAgreement } from "../../../host/objects/agreement.ts";
import { parseSign } from "../../../host/protocol/cose.ts";
import { quiesce, temporaryFolder } from "./run-cli.ts";
import { quiesceHere } from "./run-here.ts";

const QUIESCE = fileURLToPath(new URL("../../../host/cli/quiesce.mjs", import.meta.url));
const folder = temporaryFolder();
const path = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

interface Made {
  keys: { use: string; label: string; publicKey: string }[];
  agreement?: { file: string; missing: string[] };
  token?: string;
}

async function init(name: string, ...options: string[]): Promise<Made> {
  const { exit, stdout, stderr } = await quiesceHere(["verifier", "init", path(name), "--json", ...options]);
  expect(stderr).toBe("");
  expect(exit).toBe(0);
  return JSON.parse(stdout);
}

/** A verifier that serves, once it says that it does. */
async function serve(
  config: string,
): Promise<{ child: ChildProcess; url: string; lines: string[]; ended: Promise<number | null> }> {
  const child = spawn(process.execPath, [QUIESCE, "verifier", "serve", "--config", config], {
    env: { ...process.env, QUIESCE_VERIFIER_LISTEN_PORT: "0" },
  });
  const lines: string[] = [];
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const address = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      const { msg, addresses } = JSON.parse(line) as { msg: string; addresses?: string[] };
      if (msg === "listening") resolve(addresses![0]!);
    });
    void ended.then((exit) => reject(new Error(`ended with ${exit}: ${stderr}`)));
  });
  return { child, url: await address, lines, ended };
}

describe("a new verifier", () => {
  let made: Made;
  beforeAll(async () => {
    made = await init("north", "--name", "North", "--manufacturer", KEY, "--model", "Example 1=h100");
  });

  it("has keys of its party, its clock, its verdicts and its log, and an agreement that all have signed", () => {
    expect(made.keys.map(({ use, label }) => [use, label])).toEqual([
      ["party", "North"],
      ["time", "North time"],
      ["verdicts", "North verdicts"],
      ["log", "North log"],
    ]);
    const { agreement } = verifyAgreement(new Uint8Array(readFileSync(path("north", "agreement.cbor"))));
    expect(agreement.parties.map(({ name }) => name)).toEqual(["North"]);
    expect(agreement.timeAuthorities.map(({ name }) => name)).toEqual(["North time"]);
    expect(agreement).toMatchObject({ leaseSeconds: 300, licenseTicksMax: 86_400_000n, offline: false });
  });

  it.skipIf(process.platform === "win32")("shows nobody else what is secret", () => {
    for (const name of ["passphrase", "verifier.json", "keys", "store"]) {
      expect(statSync(path("north", name)).mode & 0o077, name).toBe(0);
    }
  });

  it("serves, knows its admin, lets in who is added while it runs, and stops when it is told", async () => {
    const { child, url, lines, ended } = await serve(path("north", "verifier.json"));
    const about = await (await fetch(`${url}/v1`)).json();
    expect(about).toMatchObject({ agreementVersion: 1, epoch: 0, parties: [{ name: "North", here: true }] });
    expect((await fetch(`${url}/v1/beacon`)).status).toBe(200);
    const asked = await fetch(`${url}/v1/devices`, { headers: { authorization: `Bearer ${made.token}` } });
    expect([asked.status, await asked.json()]).toEqual([200, { items: [] }]);

    writeFileSync(path("admin.token"), `${made.token}\n`);
    const remote = ["--url", url, "--token-file", path("admin.token"), "--json"];
    const token = await quiesce(["verifier", "token", "create", "--name", "Ada", "--role", "approver", ...remote]);
    expect(token.stderr).toBe("");
    const { token: secret, id } = JSON.parse(token.stdout);
    const drafts = () => fetch(`${url}/v1/orders/drafts`, { headers: { authorization: `Bearer ${secret}` } });
    expect((await drafts()).status).toBe(200);
    await quiesceHere(["verifier", "token", "revoke", id, ...remote]);
    expect((await drafts()).status).toBe(401);
    const client = await quiesceHere([
      "verifier",
      "client",
      "add",
      KEY,
      "--name",
      "agent",
      "--role",
      "agent",
      ...remote,
    ]);
    expect(JSON.parse(client.stdout)).toMatchObject({ publicKey: KEY, name: "agent", roles: ["agent"] });

    const second = await quiesce(["verifier", "token", "list", "--config", path("north", "verifier.json")]);
    expect([second.exit, second.stderr]).toEqual([2, expect.stringMatching(/store\/locked: a verifier runs .*--url/)]);

    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    const told = lines.map((line) => JSON.parse(line));
    expect(told.at(-1)).toMatchObject({ msg: "stopped", isFinished: true });
    expect(lines.join("\n")).not.toContain(secret);
    expect(told.map(({ route }) => route)).toContain("/v1/tokens");
  });

  it("that does not run shows and changes who may come in", async () => {
    const config = ["--config", path("north", "verifier.json"), "--json"];
    const tokens = JSON.parse((await quiesceHere(["verifier", "token", "list", ...config])).stdout);
    expect(tokens.map(({ name }: { name: string }) => name)).toEqual(["admin", "Ada"]);
    expect(tokens[1].revokedMs).toBeGreaterThan(0);
    const [client] = JSON.parse((await quiesceHere(["verifier", "client", "list", ...config])).stdout);
    const revoked = await quiesceHere(["verifier", "client", "revoke", client.kid, ...config]);
    expect([revoked.exit, JSON.parse(revoked.stdout)]).toEqual([0, { ok: true, kid: client.kid }]);
    const none = await quiesceHere(["verifier", "client", "revoke", "f".repeat(16), ...config]);
    expect([none.exit, JSON.parse(none.stdout).ok]).toEqual([1, false]);
    const again = await quiesceHere([
      "verifier",
      "client",
      "add",
      KEY,
      "--name",
      "agent",
      "--role",
      "agent",
      ...config,
    ]);
    expect([again.exit, again.stderr]).toEqual([2, expect.stringContaining("auth/client-exists")]);
  });

  describe("that cannot listen says why in one line, and ends", () => {
    let taken: Server;
    beforeAll(async () => {
      taken = createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      writeFileSync(path("no.pem"), "nothing");
      writeFileSync(path("a-file"), "");
    });
    afterAll(() => {
      taken.close();
    });
    /** Something of these was open: a process has to end all the same. */
    const AS_PROCESSES = ["a port that is taken", "a socket in the way, after a port that was free"];
    const portOf = () => `${(taken.address() as AddressInfo).port}`;

    // biome-ignore format: a table
    it.each<[string, () => Record<string, string>, RegExp]>([
      ["a port that is taken", () => ({ LISTEN_PORT: portOf() }), /^listen: listen EADDRINUSE: .* 127\.0\.0\.1:\d+$/],
      ["a host that is none of its own", () => ({ LISTEN_HOST: "192.0.2.1" }), /^listen: listen EADDRNOTAVAIL: /],
      ["a certificate that is not there", () => ({ TLS_CERT: path("none.pem"), TLS_KEY: path("none.pem") }), /^tls: ENOENT: .*none\.pem'$/],
      ["a certificate that is none", () => ({ TLS_CERT: path("no.pem"), TLS_KEY: path("no.pem") }), /^tls: .*no start line$/i],
      ["a socket in the way, after a port that was free", () => ({ LISTEN_SOCKET: path("a-file") }), /^listen: listen EADDRINUSE: .*a-file$/],
      ["a proxy that is no address", () => ({ LISTEN_PROXIES: "proxy.example" }), /^QUIESCE_VERIFIER_LISTEN_PROXIES: "proxy\.example": item 0: must be an address, /],
    ])("%s", async (name, settings, message) => {
      const all = { LISTEN_PORT: "0", LOG_LEVEL: "silent", ...settings() };
      const env = Object.fromEntries(Object.entries(all).map(([key, value]) => [`QUIESCE_VERIFIER_${key}`, value]));
      const args = ["verifier", "serve", "--config", path("north", "verifier.json")];
      const { exit, stdout, stderr } = await (AS_PROCESSES.includes(name) ? quiesce : quiesceHere)(args, { env });
      expect(stderr).toMatch(/^quiesce: [^\n]+\n$/);
      expect(stderr.slice("quiesce: ".length).trimEnd()).toMatch(message);
      expect([exit, stdout]).toEqual([2, ""]);
    });
  });

  it("is checked without being started", async () => {
    const { exit, stdout } = await quiesceHere([
      "verifier",
      "serve",
      "--check",
      "--config",
      path("north", "verifier.json"),
    ]);
    expect([exit, stdout]).toEqual([0, "ready to serve for North: agreement 1, epoch 0\n"]);
  });
});

describe("verifiers of two parties", () => {
  it("have one agreement, which each signs where it lives", async () => {
    const south = await init("south", "--name", "South", "--no-agreement", "--no-time");
    expect([south.agreement, south.token]).toEqual([undefined, undefined]);
    const key = south.keys.find(({ use }) => use === "party")!.publicKey;
    const east = await init("east", "--name", "East", "--member", `South=${key}`, "--quorum", "license=1");
    expect([east.agreement?.missing, east.token]).toEqual([["South"], undefined]);
    const draft = parseSign(new Uint8Array(readFileSync(path("east", "agreement-draft.cbor"))));
    expect(draft.signatures).toHaveLength(1);
    expect(decodeAgreement(draft.payload).quorums).toEqual({ license: 1, pause: 1, resume: 2, update: 2, amend: 2 });

    const sign = [
      "key",
      "sign",
      path("east", "agreement-draft.cbor"),
      "--type",
      "agreement",
      "--out",
      path("agreement.cbor"),
    ];
    const kid = JSON.parse((await quiesceHere(["key", "list", "--keys", path("south", "keys"), "--json"])).stdout).find(
      ({ label }: { label: string }) => label === "South",
    ).kid;
    const keys = ["--keys", path("south", "keys"), "--passphrase-file", path("south", "passphrase"), "--kid", kid];
    expect((await quiesceHere([...sign, ...keys])).exit).toBe(0);
    for (const name of ["south", "east"]) {
      writeFileSync(path(name, "agreement.cbor"), readFileSync(path("agreement.cbor")));
      const { stdout } = await quiesceHere([
        "verifier",
        "serve",
        "--check",
        "--json",
        "--config",
        path(name, "verifier.json"),
      ]);
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, parties: [name === "south" ? "South" : "East"] });
    }
  });
});

describe("the OpenAPI document", () => {
  it("is printed as the service serves it", async () => {
    const { stdout } = await quiesce(["verifier", "openapi"]);
    const printed = JSON.parse(stdout);
    expect(printed).toEqual(JSON.parse(JSON.stringify(await openApiDocument(printed.info.version))));
  });
});

describe.concurrent("what is wrong is said in one line, and exit code 2", () => {
  beforeAll(() => {
    writeFileSync(path("wrong.json"), '{"listen": {"port": "x"}, "colour": 1, "tls": {"cert": "c"}}');
    writeFileSync(path("empty.json"), "{}");
    writeFileSync(path("full"), "");
  });

  // biome-ignore format: a table
  it.each<[string, string[], RegExp]>([
    ["a group without a command", ["verifier"], /^quiesce: verifier needs a command: init, serve, token, client, fsck, backup, restore, export, import, openapi\n$/],
    ["no configuration", ["verifier", "serve"], /^quiesce: required option '--config <file>' not specified\n$/],
    ["a configuration that is not there", ["verifier", "serve", "--config", "none.json"], /^quiesce: none\.json cannot be read: there is no such file\n$/],
    ["every wrong key of one", ["verifier", "serve", "--config", "wrong.json"], /^quiesce: colour: there is no such key\nquiesce: listen\.port: "x": must be a whole number from 0 to 65535\n$/],
    ["keys that are not there", ["verifier", "serve", "--config", "empty.json"], /^quiesce: keys\/folder: this is no folder of keys/],
    ["nobody's name", ["verifier", "init", "new"], /^quiesce: required option '--name <name>' not specified\n$/],
    ["a folder that is not empty", ["verifier", "init", ".", "--name", "N"], /^quiesce: \. is not empty, and nothing is overwritten\n$/],
    ["a folder that is a file", ["verifier", "init", "full", "--name", "N"], /^quiesce: full cannot be made: EEXIST\n$/],
    ["a member without a key", ["verifier", "init", "new", "--name", "N", "--member", "South"], /^quiesce: --member is NAME=VALUE, not 'South'\n$/],
    ["a member whose key is none", ["verifier", "init", "new", "--name", "N", "--member", "South=12"], /^quiesce: --member: the key of South has 64 hex digits\n$/],
    ["a quorum of nothing", ["verifier", "init", "new", "--name", "N", "--quorum", "license=0"], /^quiesce: --quorum is one of/],
    ["hardware that is not known", ["verifier", "init", "new", "--name", "N", "--accelerator", "abacus"], /^quiesce: policy\/fleet: board: "abacus"/],
    ["a port that is none", ["verifier", "init", "new", "--name", "N", "--port", "http"], /^quiesce: --port is a whole number/],
    ["a token of nowhere", ["verifier", "token", "list"], /^quiesce: name the verifier: --config FILE, or --url URL\n$/],
    ["a token of two places", ["verifier", "token", "list", "--config", "a", "--url", "http://b"], /^quiesce: name the verifier/],
    ["a token over the network in clear", ["verifier", "token", "list", "--url", "http://verifier.example", "--token-file", "empty.json"], /^quiesce: client\/options: /],
    ["a key that is neither", ["verifier", "client", "add", "12", "--name", "a", "--role", "agent", "--config", "empty.json"], /^quiesce: '12' is neither 64 hex digits nor a file/],
  ])("%s", async (_name, args, message) => {
    const { exit, stdout, stderr } = await quiesceHere(args, { cwd: folder });
    expect(stderr).toMatch(message);
    expect([exit, stdout]).toEqual([2, ""]);
  });
});
