/** A verifier that serves: the app over an open service, listening as its configuration says. */
import type { Logger } from "pino";
import { normalAuthority } from "../auth/request.ts";
import type { Config } from "../service/config/config.ts";
import type { OpenVerifier } from "../service/open.ts";
import { buildApp } from "./app.ts";
import { ServiceMetrics } from "./metrics.ts";
import { type Listening, type ListenOptions, serve } from "./serve.ts";

export interface RunOptions {
  readonly logger: Logger;
  /** Of the program. */
  readonly version: string;
  /** Of host/policy/read-policy.ts. */
  readonly policy: Readonly<Record<string, unknown>>;
  /** Where the store counts its commits too. Default: new ones. */
  readonly metrics?: ServiceMetrics;
}

export interface RunningVerifier {
  readonly addresses: readonly string[];
  reloadTls(): void;
  /** Finishes what runs, within the time that the configuration gives, then closes service and store. */
  close(): Promise<boolean>;
}

/** Throws what listening throws; what was opened is then still open. */
export async function runVerifier(config: Config, open: OpenVerifier, options: RunOptions): Promise<RunningVerifier> {
  const { listen, limits } = config;
  const authorities = new Set<string>();
  const isHttps = listen.publicUrls[0]?.startsWith("https:") ?? config.tls !== undefined;
  const verifier = await buildApp(open.service, {
    trust: { tokens: open.tokens, clients: open.clients, replays: open.replays, authorities },
    rates: config.rates,
    events: {
      listenersMax: limits.listenersMax,
      heartbeatSeconds: limits.heartbeatSeconds,
      backlogBytesMax: limits.listenerBacklogBytesMax,
    },
    logger: options.logger,
    version: options.version,
    scheme: isHttps ? "https" : "http",
    proxies: listen.proxies,
    policy: options.policy,
    beaconSeconds: config.beaconSeconds,
    importBytesMax: limits.importBytesMax,
    access: { tokens: open.tokens, clients: open.clients },
    metrics: options.metrics ?? new ServiceMetrics({ processMetrics: true }),
    ...(open.setClock && { setClock: open.setClock }),
  });
  const listening = await serve(verifier, listenOptions(config)).catch(async (error: unknown) => {
    await verifier.app.close();
    throw error;
  });
  for (const authority of authoritiesOf(config, listening)) authorities.add(authority);
  return {
    addresses: listening.addresses,
    reloadTls: listening.reloadTls,
    close: async () => {
      const isFinished = await listening.close();
      await open.close();
      return isFinished;
    },
  };
}

function listenOptions({ listen: { host, port, socket }, tls, limits }: Config): ListenOptions {
  return {
    ...(host !== undefined && { tcp: { host, port, ...(tls && { tls }) } }),
    ...(socket !== undefined && { socket }),
    limits,
  };
}

/** The names that signed requests are for: those that were given, else those under which it listens. */
function authoritiesOf({ listen }: Config, { addresses }: Listening): string[] {
  if (listen.publicUrls.length > 0) return listen.publicUrls.flatMap((url) => authorityOf(url));
  const own = addresses.flatMap((address) => (address.startsWith("unix:") ? [] : authorityOf(address)));
  const ports = own.map((authority) => /:[0-9]+$/.exec(authority)?.[0] ?? "");
  return [...own, "localhost", ...ports.map((port) => `localhost${port}`)];
}

function authorityOf(url: string): string[] {
  const { host, protocol } = new URL(url);
  return [normalAuthority(host, protocol === "https:" ? "https" : "http")];
}
