/** A verifier's configuration: what it gives, what overrides what, and one line for each thing that is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import { afterAll, describe, expect, it } from "vitest";
import { formatVkey, NoteType, noteKey } from "../../../host/log/note.ts";
import type { Config } from "../../../host/service/config/config.ts";
import { ConfigError } from "../../../host/service/config/errors.ts";
import { CONFIG_KEYS, type ConfigKey, variableOf } from "../../../host/service/config/keys.ts";
import { policyOf } from "../../../host/service/config/policy-of.ts";
import { readConfig, readConfigFile } from "../../../host/service/config/read-config.ts";

const folder = mkdtempSync(join(tmpdir(), "quiesce-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);

const KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

const WITNESS = noteKey("south.example/witness", NoteType.COSIGNATURE, new Uint8Array(Buffer.from(KEY, "hex")));
const VKEY = formatVkey(WITNESS);
const LOG_VKEY = formatVkey(noteKey("north.example/log", NoteType.ED25519, WITNESS.publicKey));

function read(document: unknown, environment: Record<string, string> = {}): Config {
  return readConfig(typeof document === "string" ? document : JSON.stringify(document), "/etc/quiesce", environment);
}

function linesOf(document: unknown, environment: Record<string, string> = {}): readonly string[] {
  try {
    read(document, environment);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).lines;
  }
}

describe("a configuration", () => {
  it("of nothing is that of the defaults: this machine alone, an embedded store beside the file", () => {
    const config = read({});
    expect(config.listen).toEqual({ host: "127.0.0.1", port: 8470, socket: undefined, publicUrls: [], proxies: [] });
    expect(config.folder).toBe("/etc/quiesce/store");
    expect(config.keystore.folder).toBe("/etc/quiesce/keys");
    expect([config.tls, config.databaseUrl, config.signer]).toEqual([undefined, undefined, undefined]);
    expect([config.policy, config.clock, config.logLevel]).toEqual(["none", "system", "info"]);
    expect(config.rates.evidence).toEqual({ perSecond: 1000, burst: 10_000 });
  });

  it("names the log by where it is served, if nobody says otherwise", () => {
    const publicUrls = ["https://north.example:8470", "https://other.example"];
    expect(read({ listen: { publicUrls } }).log.origin).toBe("north.example:8470/log");
    expect(read({ listen: { publicUrls }, log: { origin: "north/log" } }).log.origin).toBe("north/log");
    expect(read({}).log).toEqual({ origin: undefined, key: undefined, witnesses: [] });
  });

  it.each([
    [{ origin: "north log" }, /^log\.origin: north log must be 1 to 64 printable ASCII characters/],
    [
      { witnesses: [{ name: "S", url: "https://s.example", key: LOG_VKEY }] },
      /item 0: key: must be the key of a witness/,
    ],
    [{ witnesses: [{ name: "S", url: "https://s.example", key: "s+1+2" }] }, /item 0: key: /],
    [{ witnesses: [{ name: "S", url: "https://u:p@s.example", key: VKEY }] }, /item 0: url: must be like/],
    [{ witnesses: [{ name: "S", url: "https://s.example" }] }, /item 0: key: must be a text/],
    [{ witnesses: [{ name: "S", url: "https://s.example", key: VKEY, extra: 1 }] }, /and nothing else/],
  ])("refuses a log of %j", (log, line) => {
    expect(linesOf({ log })).toEqual([expect.stringMatching(line)]);
  });

  it("has every key of the table where the service looks for it", () => {
    const changed: Partial<Record<ConfigKey, unknown>> = {
      "listen.host": "::",
      "listen.port": 1,
      "listen.socket": "s",
      "listen.publicUrls": ["https://a.example/"],
      "listen.proxies": ["10.0.0.0/8"],
      "tls.cert": "c",
      "tls.key": "k",
      "tls.ca": "ca",
      "tls.requireClientCertificate": true,
      folder: "f",
      databaseUrl: "postgres://b",
      databaseConnections: 20,
      "keystore.folder": "kf",
      "keystore.passphraseFile": "/p",
      "signer.command": ["token", "--slot", "1"],
      parties: ["North"],
      timeAuthority: ["Clock"],
      verdictKey: "Verdicts",
      agreement: "a.cbor",
      policy: "./p.json",
      "references.corim": ["r.corim"],
      "references.measurements": [KEY],
      "references.signers": [KEY],
      manufacturers: [KEY],
      models: { "Example 1": "h100" },
      "registration.owner": "o",
      "registration.site": "s",
      beaconSeconds: 5,
      nonceSeconds: 86_400,
      clock: "simulated",
      peers: [{ name: "South", url: "https://south.example" }],
      peerKey: "Peer",
      frost: [{ group: "g.cbor", share: "s.key", holders: { 2: "South" } }],
      "log.level": "debug",
      "log.origin": "north.example/log",
      "log.key": "Log",
      "log.witnesses": [{ name: "South", url: "https://south.example/witness", key: VKEY }],
    };
    const document: Record<string, unknown> = {};
    for (const key of Object.keys(CONFIG_KEYS) as ConfigKey[]) {
      const spec = CONFIG_KEYS[key];
      const value = changed[key] ?? ("min" in spec ? spec.min + 1 : undefined);
      expect(value, key).toBeDefined();
      const [group, name] = key.split(".") as [string, string?];
      if (name === undefined) document[group] = value;
      else document[group] = { ...(document[group] as object), [name]: value };
    }
    const bytes = new Uint8Array(Buffer.from(KEY, "hex"));
    expect(read(document)).toEqual({
      listen: {
        host: "::",
        port: 1,
        socket: "/etc/quiesce/s",
        publicUrls: ["https://a.example"],
        proxies: ["10.0.0.0/8"],
      },
      tls: { cert: "/etc/quiesce/c", key: "/etc/quiesce/k", ca: "/etc/quiesce/ca", requireClientCertificate: true },
      folder: "/etc/quiesce/f",
      databaseUrl: "postgres://b",
      databaseConnections: 20,
      keystore: { folder: "/etc/quiesce/kf", passphraseFile: "/p" },
      signer: ["token", "--slot", "1"],
      parties: ["North"],
      timeAuthority: ["Clock"],
      verdictKey: "Verdicts",
      agreement: "/etc/quiesce/a.cbor",
      policy: "/etc/quiesce/p.json",
      references: { corim: ["/etc/quiesce/r.corim"], measurements: [bytes], signers: [bytes] },
      manufacturers: [bytes],
      models: new Map([["Example 1", "h100"]]),
      registration: { owner: "o", site: "s" },
      beaconSeconds: 5,
      nonceSeconds: 86_400,
      clock: "simulated",
      log: {
        origin: "north.example/log",
        key: "Log",
        witnesses: [{ name: "South", url: "https://south.example/witness", key: WITNESS }],
      },
      peers: [{ name: "South", url: "https://south.example" }],
      peerKey: "Peer",
      frost: [{ group: "/etc/quiesce/g.cbor", share: "/etc/quiesce/s.key", holders: new Map([[2, "South"]]) }],
      limits: {
        importBytesMax: 65_537,
        headerBytesMax: 4097,
        connectionsMax: 2,
        listenersMax: 1,
        listenerBacklogBytesMax: 16_385,
        heartbeatSeconds: 2,
        headersTimeoutMs: 101,
        requestTimeoutMs: 101,
        keepAliveTimeoutMs: 101,
        shutdownMs: 1,
      },
      rates: {
        read: { perSecond: 1, burst: 2 },
        evidence: { perSecond: 1, burst: 2 },
        write: { perSecond: 1, burst: 2 },
        failures: { perSecond: 1, burst: 2 },
        callersMax: 101,
      },
      logLevel: "debug",
    });
  });

  it("is read from its file, and its paths are seen from there", () => {
    writeFileSync(path("verifier.json"), JSON.stringify({ folder: "data" }));
    expect(readConfigFile(path("verifier.json"), {}).folder).toBe(path("data"));
  });
});

describe("the environment", () => {
  it("overrides each key by a name that follows from it", () => {
    expect(variableOf("listen.publicUrls")).toBe("QUIESCE_VERIFIER_LISTEN_PUBLIC_URLS");
    const names = Object.keys(CONFIG_KEYS).map((key) => variableOf(key as ConfigKey));
    expect(new Set(names).size).toBe(names.length);
    const config = read(
      { listen: { port: 1, host: "kept" }, manufacturers: [KEY] },
      {
        QUIESCE_VERIFIER_LISTEN_PORT: "9000",
        QUIESCE_VERIFIER_MANUFACTURERS: "",
        QUIESCE_VERIFIER_PARTIES: "North, South",
        QUIESCE_VERIFIER_SIGNER_COMMAND: '["signer", "a, b"]',
        QUIESCE_VERIFIER_MODELS: '{"Example 1": "h100"}',
        QUIESCE_VERIFIER_TLS_REQUIRE_CLIENT_CERTIFICATE: "false",
      },
    );
    expect(config.listen).toMatchObject({ port: 9000, host: "kept" });
    expect([config.manufacturers, config.parties, config.signer]).toEqual([[], ["North", "South"], ["signer", "a, b"]]);
    expect(config.models).toEqual(new Map([["Example 1", "h100"]]));
  });

  it("names the database as others do, unless the configuration does", () => {
    const others = { DATABASE_URL: "postgres://others" };
    expect(read({}, others).databaseUrl).toBe("postgres://others");
    expect(read({ databaseUrl: "postgres://file" }, others).databaseUrl).toBe("postgres://file");
    const own = { ...others, QUIESCE_VERIFIER_DATABASE_URL: "postgres://own" };
    expect(read({ databaseUrl: "postgres://file" }, own).databaseUrl).toBe("postgres://own");
    expect(read({}, { DATABASE_URL: "" }).databaseUrl).toBeUndefined();
  });
});

// biome-ignore format: a table
const WRONG: readonly (readonly [string, unknown, Record<string, string>, string])[] = [
  ["no JSON", "{", {}, "the configuration is not JSON"],
  ["a list", "[]", {}, "the configuration is not a JSON object"],
  ["nothing", "null", {}, "the configuration is not a JSON object"],
  ["an unknown key", { prot: 1 }, {}, "prot: there is no such key"],
  ["an unknown key of a group", { listen: { prot: 1 } }, {}, "listen.prot: there is no such key"],
  ["a group that is none", { listen: 8470 }, {}, "listen is a group of keys, and 8470 is none: there is no such key"],
  ["a __proto__", '{"__proto__": {"a": 1}}', {}, "__proto__: there is no such key"],
  ["an unknown variable", {}, { QUIESCE_VERIFIER_PORT: "1" }, "QUIESCE_VERIFIER_PORT: there is no such key"],
  ["a port that is a text", { listen: { port: "8470" } }, {}, 'listen.port: "8470": must be a whole number from 0 to 65535'],
  ["a port that is too large", { listen: { port: 65_536 } }, {}, "listen.port: 65536: must be a whole number from 0 to 65535"],
  ["a port with a point", { listen: { port: 1.5 } }, {}, "listen.port: 1.5: must be a whole number from 0 to 65535"],
  ["a port of a variable", {}, { QUIESCE_VERIFIER_LISTEN_PORT: "http" }, 'QUIESCE_VERIFIER_LISTEN_PORT: "http": must be a whole number from 0 to 65535'],
  ["a flag that is a text", { tls: { requireClientCertificate: "yes" } }, {}, 'tls.requireClientCertificate: "yes": must be true or false'],
  ["a level that is none", { log: { level: "loud" } }, {}, 'log.level: "loud": must be one of trace, debug, info, warn, error, fatal, silent'],
  ["a clock that is none", { clock: "sundial" }, {}, 'clock: "sundial": must be one of system, simulated'],
  ["a path of nothing", { folder: "" }, {}, 'folder: "": must be a text of 1 to 1024 printable characters'],
  ["a text with a line end", { registration: { owner: "a\nb" } }, {}, 'registration.owner: "a\\nb": must be a text of 0 to 1024 printable characters'],
  ["a list that is a text", { parties: "North" }, {}, 'parties: "North": must be a list of at most 1024 items'],
  ["an item that is none", { parties: ["North", 5] }, {}, 'parties: ["North",5]: item 1: must be a text of 1 to 1024 printable characters'],
  ["a key that is too short", { manufacturers: ["abcd"] }, {}, 'manufacturers: ["abcd"]: item 0: must have 64 hex digits'],
  ["an address with a path", { listen: { publicUrls: ["https://a/b"] } }, {}, 'listen.publicUrls: ["https://a/b"]: item 0: must be like https://verifier.example:8470'],
  ["an address of another kind", { listen: { publicUrls: ["ftp://a"] } }, {}, 'listen.publicUrls: ["ftp://a"]: item 0: must be like https://verifier.example:8470'],
  ["addresses of two kinds", { listen: { publicUrls: ["https://a", "http://b"] } }, {}, "listen.publicUrls: must all be https, or all http"],
  ["a proxy that is a name", { listen: { proxies: ["10.0.0.1", "proxy.example"] } }, {}, 'listen.proxies: ["10.0.0.1","proxy.example"]: item 1: must be an address, a network like 10.0.0.0/8, or loopback, linklocal, uniquelocal'],
  ["a proxy that is a mask", {}, { QUIESCE_VERIFIER_LISTEN_PROXIES: "10.0.0.0/255.0.0.0" }, 'QUIESCE_VERIFIER_LISTEN_PROXIES: "10.0.0.0/255.0.0.0": item 0: must be an address, a network like 10.0.0.0/8, or loopback, linklocal, uniquelocal'],
  ["models that are a list", { models: ["h100"] }, {}, 'models: ["h100"]: must be an object'],
  ["a model without a name", { models: { "Example 1": 1 } }, {}, 'models: {"Example 1":1}: Example 1: must be a text of 1 to 1024 printable characters'],
  ["models of a variable that are no JSON", {}, { QUIESCE_VERIFIER_MODELS: "h100" }, 'QUIESCE_VERIFIER_MODELS: "h100": must be JSON'],
  ["a peer without an address", { peers: [{ name: "S" }] }, {}, 'peers: [{"name":"S"}]: item 0: url: must be a text of 1 to 1024 printable characters'],
  ["a share of a holder that no group has", { frost: [{ group: "g", share: "s", holders: { 9: "S" } }] }, {}, 'frost: [{"group":"g","share":"s","holders":{"9":"S"}}]: item 0: holders: must have holders by their numbers, 1 to 8'],
  ["a peer with more", { peers: [{ name: "S", url: "http://s", key: 1 }] }, {}, "peers: [{\"name\":\"S\",\"url\":\"http://s\",\"key\":1}]: item 0: must have name and url, and nothing else"],
  ["a certificate without its key", { tls: { cert: "c" } }, {}, "tls.key: goes with the other, and is missing"],
  ["a key without its certificate", { tls: { key: "k" } }, {}, "tls.cert: goes with the other, and is missing"],
  ["mutual TLS by nobody", { tls: { cert: "c", key: "k", requireClientCertificate: true } }, {}, "tls.requireClientCertificate: needs tls.ca, by which certificates are judged"],
  ["nowhere to listen", { listen: { host: "" } }, {}, "listen.host: is empty, and there is no listen.socket either"],
  ["another database", { databaseUrl: "mysql://a" }, {}, "databaseUrl: must begin with postgres://"],
];

describe("what is wrong has a line with its key", () => {
  it.each(WRONG)("%s", (_name, document, environment, line) => {
    expect(linesOf(document, environment)).toEqual([line]);
  });

  it("and all of it is said at once", () => {
    expect(linesOf({ listen: { port: -1 }, clock: 1, extra: {} }, { QUIESCE_VERIFIER_X: "" })).toHaveLength(4);
  });

  it("and a secret is not in it", () => {
    const [line] = linesOf({ databaseUrl: { password: "s3cret" } });
    expect(line).toBe("databaseUrl: its value: must be a text of 0 to 1024 printable characters");
  });

  it("and a file that is not there is named", () => {
    expect(() => readConfigFile(path("none.json"), {})).toThrow(
      `${path("none.json")} cannot be read: there is no such file`,
    );
    writeFileSync(path("long.json"), " ".repeat(1_048_577));
    expect(() => readConfigFile(path("long.json"), {})).toThrow("has over 1048576 bytes");
  });
});

describe("proxies", () => {
  // biome-ignore format: a table
  const TAKEN = [
    "10.0.0.1", "10.0.0.0/8", "10.1.2.3/32", "::1", "fe80::/10", "2001:DB8::/128", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104",
    "loopback", "linklocal", "uniquelocal",
  ];
  // biome-ignore format: a table
  const REFUSED = [
    "", "proxy", "true", "*", "1", "10.0.0", "10.0.0.256", "10.0.0.1:80", "10.0.0.1/", "/8", "10.0.0.0/0", "10.0.0.0/08",
    "10.0.0.0/33", "10.0.0.0/8/8", "::/129", "::g", "[::1]", "fe80::1%lo", "fe80::1%lo/64", " 10.0.0.1", "10.0.0.1\n",
  ];

  it.each(TAKEN)("%s is taken, by the server too", (proxy) => {
    expect(read({ listen: { proxies: [proxy] } }).listen.proxies).toEqual([proxy]);
    expect(() => Fastify({ trustProxy: [proxy] })).not.toThrow();
  });

  it.each(REFUSED)("%j is refused", (proxy) => {
    expect(linesOf({ listen: { proxies: [proxy] } })).toEqual([
      expect.stringMatching(/^listen\.proxies: .*: item 0: must be /),
    ]);
  });
});

describe("the policy", () => {
  it("is none, a preset, or a file", () => {
    expect(policyOf({ policy: "none" }).name).toBe("none");
    expect(policyOf({ policy: "off-switch" }).licenseSecondsMax).toBe(1000n);
    writeFileSync(path("p.json"), '{"format": "quiesce-policy/1", "name": "mine", "counting": "native"}');
    expect(policyOf({ policy: path("p.json") }).name).toBe("mine");
  });

  it("that is not there, or is none, has a line with its key", () => {
    expect(() => policyOf({ policy: "of-switch" })).toThrow("policy: of-switch: there is no such preset");
    writeFileSync(path("q.json"), '{"format": "quiesce-policy/1"}');
    expect(() => policyOf({ policy: path("q.json") })).toThrow(/^policy: .*q\.json: name: it is missing/);
  });
});
