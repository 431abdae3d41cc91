/**
 * Every key of a verifier's configuration, in one table: type, default, bounds, meaning. docs/verifier.md is made from it.
 * The file is one JSON object of groups; an environment variable overrides a key, `QUIESCE_VERIFIER_LISTEN_PORT` for
 * `listen.port`.
 */
import { LOG_LEVELS } from "../../log-levels.ts";

type Common = {
  readonly doc: string;
  /** Never shown, not even where it is wrong. */
  readonly isSecret?: true;
};

export type KeySpec = Common &
  (
    | { readonly type: "text" | "path"; readonly default?: string }
    | { readonly type: "integer"; readonly default: number; readonly min: number; readonly max: number }
    | { readonly type: "flag"; readonly default: boolean }
    | { readonly type: "choice"; readonly default: string; readonly of: readonly string[] }
    | { readonly type: "texts" | "paths" | "urls" | "networks" | "models" | "peers" | "shares" | "witnesses" }
    /** Bytes in hex, each so long. */
    | { readonly type: "hexes"; readonly bytes: number }
  );

const DAY_SECONDS = 86_400;
const MIB = 1_048_576;
const RATE_MAX = 1_000_000;

function rate(perSecond: number, whose: string): KeySpec {
  return { type: "integer", default: perSecond, min: 0, max: RATE_MAX, doc: `${whose}; 0: no limit` };
}

function burst(default_: number): KeySpec {
  return { type: "integer", default: default_, min: 1, max: RATE_MAX, doc: "as many at once" };
}

// biome-ignore format: a table, one row a key
export const CONFIG_KEYS = {
  "listen.host": { type: "text", default: "127.0.0.1", doc: "address to listen on; empty: on the socket alone" },
  "listen.port": { type: "integer", default: 8470, min: 0, max: 65_535, doc: "port to listen on; 0 takes a free one" },
  "listen.socket": { type: "path", doc: "a Unix socket to listen on besides" },
  "listen.publicUrls": { type: "urls", doc: "where clients reach the service, if a proxy or another name stands in between; a signed request must be for one of them" },
  "listen.proxies": { type: "networks", doc: "proxies whose X-Forwarded-For is believed: `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`, or `loopback`, `linklocal`, `uniquelocal`" },

  "tls.cert": { type: "path", doc: "certificate with its chain, PEM; read again on SIGHUP" },
  "tls.key": { type: "path", doc: "its private key, PEM" },
  "tls.ca": { type: "path", doc: "who may have signed clients' certificates, PEM" },
  "tls.requireClientCertificate": { type: "flag", default: false, doc: "mutual TLS: nobody connects without a certificate by `tls.ca`" },

  "folder": { type: "path", default: "store", doc: "the embedded store; made if it is not there" },
  "databaseUrl": { type: "text", isSecret: true, doc: "a PostgreSQL database instead; else DATABASE_URL, if that is set" },
  "databaseConnections": { type: "integer", default: 10, min: 2, max: 200, doc: "connections of this process to it" },

  "keystore.folder": { type: "path", default: "keys", doc: "encrypted keys: docs/keys.md" },
  "keystore.passphraseFile": { type: "path", doc: "its passphrase; without it QUIESCE_PASSPHRASE, or a terminal is asked" },
  "signer.command": { type: "texts", doc: "a process that holds the keys instead, with its arguments: docs/keys.md" },
  "parties": { type: "texts", doc: "labels of the keys of the parties that live here" },
  "timeAuthority": { type: "texts", doc: "labels of the keys of the time authorities that live here" },
  "verdictKey": { type: "text", doc: "label of the key that signs attestation results; without it that of the first party" },
  "agreement": { type: "path", default: "agreement.cbor", doc: "the first agreement, signed; later ones are in the store" },

  "policy": { type: "text", default: "none", doc: "what the parties here sign licenses by: a preset's name, or a file: docs/policy.md" },
  "references.corim": { type: "paths", doc: "reference values: CoRIM files" },
  "references.measurements": { type: "hexes", bytes: 32, doc: "further governor images that may run, by SHA-256" },
  "references.signers": { type: "hexes", bytes: 32, doc: "public keys of who may sign CoRIM files; none: they need no signature" },
  "manufacturers": { type: "hexes", bytes: 32, doc: "public keys of manufacturers that are trusted" },
  "models": { type: "models", doc: "accelerator of each hardware model, by `quiesce policy bound`'s names: `{\"Example 1\": \"h100\"}`" },
  "registration.owner": { type: "text", default: "unnamed", doc: "of a device of which nobody says whose it is" },
  "registration.site": { type: "text", default: "unnamed", doc: "of a device of which nobody says where it stands" },

  "beaconSeconds": { type: "integer", default: 10, min: 1, max: DAY_SECONDS, doc: "how often beacons are pushed; well within the agreement's lease" },
  "nonceSeconds": { type: "integer", default: 60, min: 1, max: 30 * DAY_SECONDS, doc: "how long a nonce is good for; longer where nonces travel on a stick: docs/courier.md" },
  "clock": { type: "choice", default: "system", of: ["system", "simulated"], doc: "`simulated`: an admin sets the agreement time. For tests and demonstrations" },
  "peers": { type: "peers", doc: "verifiers of other parties: `[{\"name\": \"South\", \"url\": \"https://...\"}]`" },

  "peerKey": { type: "text", doc: "label of the key that signs requests to peers: each registers it with the role `peer`" },
  "frost": { type: "shares", doc: "shares of keys that no one holds, and which peer holds which other: `[{\"group\": \"group.cbor\", \"share\": \"share-1.key\", \"holders\": {\"2\": \"South\"}}]`: docs/keys.md" },

  "log.origin": { type: "text", doc: "what the log's checkpoints are called by, best where it is served, without the scheme; without it `log` below the first of `listen.publicUrls`, else the verifier's own default. Once it has entries it is never changed: the log would be another one" },
  "log.key": { type: "text", doc: "label of the key that signs the log; without it that of the results" },
  "log.witnesses": { type: "witnesses", doc: "who is asked to cosign it: `[{\"name\": \"South\", \"url\": \"https://...\", \"key\": \"NAME+ID+KEY\"}]`: docs/log.md" },

  "limits.importBytesMax": { type: "integer", default: 32 * MIB, min: 65_536, max: 1024 * MIB, doc: "longest bulk import" },
  "limits.headerBytesMax": { type: "integer", default: 16_384, min: 4096, max: 65_536, doc: "longest header of a request" },
  "limits.connectionsMax": { type: "integer", default: 10_000, min: 1, max: 1_000_000, doc: "connections at one time" },
  "limits.listenersMax": { type: "integer", default: 1000, min: 0, max: 100_000, doc: "listeners to events at one time" },
  "limits.listenerBacklogBytesMax": { type: "integer", default: 65_536, min: 16_384, max: 16 * MIB, doc: "what may wait for a listener before it is dropped" },
  "limits.heartbeatSeconds": { type: "integer", default: 15, min: 1, max: 3600, doc: "how often listeners are told that the connection lives" },
  "limits.headersTimeoutMs": { type: "integer", default: 10_000, min: 100, max: 600_000, doc: "time for a request's header" },
  "limits.requestTimeoutMs": { type: "integer", default: 60_000, min: 100, max: 3_600_000, doc: "time for a whole request" },
  "limits.keepAliveTimeoutMs": { type: "integer", default: 65_000, min: 100, max: 3_600_000, doc: "time that a connection may rest" },
  "limits.shutdownMs": { type: "integer", default: 10_000, min: 0, max: 600_000, doc: "time that requests have to finish when the service is stopped" },

  "rate.readPerSecond": rate(100, "reads of one caller a second"),
  "rate.readBurst": burst(400),
  "rate.evidencePerSecond": rate(1000, "evidence, reports and nonces of one caller a second"),
  "rate.evidenceBurst": burst(10_000),
  "rate.writePerSecond": rate(20, "everything else of one caller a second"),
  "rate.writeBurst": burst(200),
  "rate.failuresPerSecond": rate(1, "credentials of one address a second that do not hold"),
  "rate.failuresBurst": burst(20),
  "rate.callersMax": { type: "integer", default: 100_000, min: 100, max: 10_000_000, doc: "callers that are remembered" },

  "log.level": { type: "choice", default: "info", of: LOG_LEVELS, doc: "successful reads and license requests are `debug`" },
} as const satisfies Record<string, KeySpec>;

export type ConfigKey = keyof typeof CONFIG_KEYS;

/** `listen.publicUrls` → `QUIESCE_VERIFIER_LISTEN_PUBLIC_URLS`, for a prefix of `QUIESCE_VERIFIER_`. */
export function variableOf(key: string, prefix = VARIABLE_PREFIX): string {
  const words = key.replace(/\./g, "_").replace(/([a-z0-9])([A-Z])/g, "$1_$2");
  return `${prefix}${words.toUpperCase()}`;
}

export const VARIABLE_PREFIX = "QUIESCE_VERIFIER_";
