/** A verifier's configuration as the service uses it: docs/verifier.md says what each key means. */
import { resolve } from "node:path";
import type { LogLevel } from "../../log-levels.ts";
import { ConfigError } from "./errors.ts";
import type { CONFIG_KEYS, ConfigKey } from "./keys.ts";
import type { Peer, ShareHere, ValueOf, WitnessConfigured } from "./values.ts";

export interface Config {
  readonly listen: {
    /** Undefined: on the socket alone. */
    readonly host: string | undefined;
    readonly port: number;
    readonly socket: string | undefined;
    /** Origins, such as `https://verifier.example`. Of one scheme. */
    readonly publicUrls: readonly string[];
    readonly proxies: readonly string[];
  };
  readonly tls:
    | {
        readonly cert: string;
        readonly key: string;
        readonly ca: string | undefined;
        readonly requireClientCertificate: boolean;
      }
    | undefined;
  readonly folder: string;
  readonly databaseUrl: string | undefined;
  readonly databaseConnections: number;
  readonly keystore: { readonly folder: string; readonly passphraseFile: string | undefined };
  readonly signer: readonly string[] | undefined;
  readonly parties: readonly string[];
  readonly timeAuthority: readonly string[];
  readonly verdictKey: string | undefined;
  readonly agreement: string;
  /** Name of a preset, or an absolute path. */
  readonly policy: string;
  readonly references: {
    readonly corim: readonly string[];
    readonly measurements: readonly Uint8Array[];
    readonly signers: readonly Uint8Array[];
  };
  readonly manufacturers: readonly Uint8Array[];
  /** Names of accelerators by hardware model. */
  readonly models: ReadonlyMap<string, string>;
  readonly registration: { readonly owner: string; readonly site: string };
  readonly beaconSeconds: number;
  readonly nonceSeconds: number;
  readonly clock: "system" | "simulated";
  readonly peers: readonly Peer[];
  readonly peerKey: string | undefined;
  /** With absolute paths. */
  readonly frost: readonly ShareHere[];
  readonly log: {
    /** Undefined: the default. */
    readonly origin: string | undefined;
    readonly key: string | undefined;
    readonly witnesses: readonly WitnessConfigured[];
  };
  readonly limits: {
    readonly importBytesMax: number;
    readonly headerBytesMax: number;
    readonly connectionsMax: number;
    readonly listenersMax: number;
    readonly listenerBacklogBytesMax: number;
    readonly heartbeatSeconds: number;
    readonly headersTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly keepAliveTimeoutMs: number;
    readonly shutdownMs: number;
  };
  readonly rates: {
    readonly read: RateLimit;
    readonly evidence: RateLimit;
    readonly write: RateLimit;
    readonly failures: RateLimit;
    readonly callersMax: number;
  };
  readonly logLevel: LogLevel;
}

/** `perSecond` 0: no limit. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

type Given<K extends ConfigKey> = (typeof CONFIG_KEYS)[K] extends { readonly default: string }
  ? string
  : ValueOf[(typeof CONFIG_KEYS)[K]["type"]];

/** Of values that are each right by themselves. Throws `ConfigError` for those that do not go together. */
export function configOf(values: ReadonlyMap<ConfigKey, unknown>, folder: string): Config {
  const of = <K extends ConfigKey>(key: K) => values.get(key) as Given<K>;
  const path = (text: string) => resolve(folder, text);
  const optionalPath = (text: string | undefined) => (text === undefined ? undefined : path(text));
  const rate = (name: "read" | "evidence" | "write" | "failures"): RateLimit => ({
    perSecond: of(`rate.${name}PerSecond`) as number,
    burst: of(`rate.${name}Burst`) as number,
  });
  const config: Config = {
    listen: {
      host: of("listen.host") || undefined,
      port: of("listen.port"),
      socket: optionalPath(of("listen.socket")),
      publicUrls: of("listen.publicUrls"),
      proxies: of("listen.proxies"),
    },
    tls: tlsOf({
      cert: optionalPath(of("tls.cert")),
      key: optionalPath(of("tls.key")),
      ca: optionalPath(of("tls.ca")),
      requireClientCertificate: of("tls.requireClientCertificate"),
    }),
    folder: path(of("folder")),
    databaseUrl: of("databaseUrl"),
    databaseConnections: of("databaseConnections"),
    keystore: {
      folder: path(of("keystore.folder")),
      passphraseFile: optionalPath(of("keystore.passphraseFile")),
    },
    signer: of("signer.command").length > 0 ? of("signer.command") : undefined,
    parties: of("parties"),
    timeAuthority: of("timeAuthority"),
    verdictKey: of("verdictKey"),
    agreement: path(of("agreement")),
    policy: isFile(of("policy")) ? path(of("policy")) : of("policy"),
    references: {
      corim: of("references.corim").map(path),
      measurements: of("references.measurements"),
      signers: of("references.signers"),
    },
    manufacturers: of("manufacturers"),
    models: of("models"),
    registration: { owner: of("registration.owner"), site: of("registration.site") },
    beaconSeconds: of("beaconSeconds"),
    nonceSeconds: of("nonceSeconds"),
    clock: of("clock") as Config["clock"],
    peers: of("peers"),
    peerKey: of("peerKey"),
    frost: of("frost").map((one) => ({ ...one, group: path(one.group), share: path(one.share) })),
    log: {
      origin: originOf(of("log.origin"), of("listen.publicUrls")),
      key: of("log.key"),
      witnesses: of("log.witnesses"),
    },
    limits: {
      importBytesMax: of("limits.importBytesMax"),
      headerBytesMax: of("limits.headerBytesMax"),
      connectionsMax: of("limits.connectionsMax"),
      listenersMax: of("limits.listenersMax"),
      listenerBacklogBytesMax: of("limits.listenerBacklogBytesMax"),
      heartbeatSeconds: of("limits.heartbeatSeconds"),
      headersTimeoutMs: of("limits.headersTimeoutMs"),
      requestTimeoutMs: of("limits.requestTimeoutMs"),
      keepAliveTimeoutMs: of("limits.keepAliveTimeoutMs"),
      shutdownMs: of("limits.shutdownMs"),
    },
    rates: {
      read: rate("read"),
      evidence: rate("evidence"),
      write: rate("write"),
      failures: rate("failures"),
      callersMax: of("rate.callersMax"),
    },
    logLevel: of("log.level") as LogLevel,
  };
  checkTogether(config);
  return config;
}

/** Where the log is served, if that is known: C2SP tlog-tiles wants it to be called so. */
function originOf(given: string | undefined, publicUrls: readonly string[]): string | undefined {
  const [first] = publicUrls;
  const origin = given ?? (first === undefined ? undefined : `${new URL(first).host}/log`);
  if (origin === undefined || ORIGIN.test(origin)) return origin;
  throw new ConfigError([`log.origin: ${origin} must be 1 to 64 printable ASCII characters, without space and plus`]);
}

/** As agreements name logs. */
const ORIGIN = /^[!-*,-~]{1,64}$/;

/** A policy that is no preset's name has a folder or an ending. */
function isFile(policy: string): boolean {
  return /[/\\.]/.test(policy);
}

function tlsOf(tls: {
  cert: string | undefined;
  key: string | undefined;
  ca: string | undefined;
  requireClientCertificate: boolean;
}): Config["tls"] {
  const { cert, key, ca, requireClientCertificate } = tls;
  if (requireClientCertificate && ca === undefined) {
    throw new ConfigError(["tls.requireClientCertificate: needs tls.ca, by which certificates are judged"]);
  }
  if (cert === undefined && key === undefined) {
    if (ca === undefined) return undefined;
    throw new ConfigError(["tls.ca: needs tls.cert and tls.key"]);
  }
  if (cert === undefined || key === undefined) {
    throw new ConfigError([`tls.${cert === undefined ? "cert" : "key"}: goes with the other, and is missing`]);
  }
  return { cert, key, ca, requireClientCertificate };
}

function checkTogether({ listen, databaseUrl }: Config): void {
  if (listen.host === undefined && listen.socket === undefined) {
    throw new ConfigError(["listen.host: is empty, and there is no listen.socket either"]);
  }
  if (new Set(listen.publicUrls.map((url) => new URL(url).protocol)).size > 1) {
    throw new ConfigError(["listen.publicUrls: must all be https, or all http"]);
  }
  if (databaseUrl !== undefined && !/^postgres(?:ql)?:\/\//.test(databaseUrl)) {
    throw new ConfigError(["databaseUrl: must begin with postgres://"]);
  }
}
