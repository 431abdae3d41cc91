/**
 * Listens for an app: on a host and port, with TLS or without, and on a Unix socket. Stopping is in order: /readyz says
 * so, nothing new is accepted, what runs is finished, and after a bounded time what is left is cut off.
 */
import { once } from "node:events";
import { rmSync, statSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { connect } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Lifecycle } from "./app-types.ts";
import { answerClientError } from "./connection-errors.ts";
import { requestIds } from "./request-ids.ts";
import { readTls, type TlsFiles } from "./tls.ts";

/** What is served: a Fastify app that is ready. */
export interface ServedApp {
  readonly app: Pick<FastifyInstance, "routing" | "log"> & { close(): Promise<unknown> };
  readonly lifecycle: Lifecycle;
  /** Answers that have no end, where there are any. */
  readonly events?: { close(): void };
}

export interface ListenOptions {
  /** Absent: no TCP. Port 0 takes a free one. */
  readonly tcp?: { readonly host: string; readonly port: number; readonly tls?: TlsFiles };
  /** Path of a Unix socket: only whom the file system lets in. */
  readonly socket?: string;
  readonly limits: ServerLimits;
}

export interface ServerLimits {
  readonly connectionsMax: number;
  readonly headerBytesMax: number;
  readonly headersTimeoutMs: number;
  /** From a request's first byte to its last. */
  readonly requestTimeoutMs: number;
  /** Of a connection on which nothing is asked. */
  readonly keepAliveTimeoutMs: number;
  /** So long what runs may run on when the service stops. */
  readonly shutdownMs: number;
}

export interface Listening {
  /** As a person would write it: `https://127.0.0.1:8470`, `unix:/run/verifier.sock`. */
  readonly addresses: readonly string[];
  /** Reads certificate and key again; connections that are there stay. */
  reloadTls(): void;
  /** Once the answers are out or the time is over. Whether all that ran was finished. */
  close(): Promise<boolean>;
}

/** How often connections that are too slow are looked for. */
const TIMEOUT_CHECK_MS = 1000;
/** Only the owner and the group of the process. */
const SOCKET_MODE_MASK = 0o117;

/** Throws what `listen` and the file system throw; nothing listens then. */
export async function serve(served: ServedApp, options: ListenOptions): Promise<Listening> {
  const { tcp, socket, limits } = options;
  const servers: http.Server[] = [];
  const addresses: string[] = [];
  const secure = tcp?.tls && https.createServer({ ...serverOptions(limits), ...readTls(tcp.tls) });
  try {
    if (tcp) {
      const server = secure ?? http.createServer(serverOptions(limits));
      addresses.push(await listenTcp(prepare(server, served, limits), tcp));
      servers.push(server);
    }
    if (socket !== undefined) {
      const server = http.createServer(serverOptions(limits));
      await listenSocket(prepare(server, served, limits), socket);
      addresses.push(`unix:${socket}`);
      servers.push(server);
    }
  } catch (error) {
    const closed = closeAll(servers);
    for (const server of servers) server.closeAllConnections();
    await closed;
    throw error;
  }
  return {
    addresses,
    reloadTls: () => secure?.setSecureContext(readTls(tcp!.tls!)),
    close: () => close(served, servers, limits.shutdownMs),
  };
}

function serverOptions(limits: ServerLimits): http.ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    insecureHTTPParser: false,
    // RFC 9112 section 3.2.
    requireHostHeader: true,
  };
}

function prepare<T extends http.Server>(server: T, { app }: ServedApp, limits: ServerLimits): T {
  const newId = requestIds();
  server.maxConnections = limits.connectionsMax;
  server.on("request", app.routing);
  server.on("clientError", (error, socket) => {
    const requestId = newId({ headers: {} });
    const code = answerClientError(error, socket, requestId);
    if (code !== undefined) app.log.info({ requestId, code }, "no request");
  });
  return server;
}

async function listenTcp(server: http.Server, { host, port, tls }: NonNullable<ListenOptions["tcp"]>): Promise<string> {
  server.listen({ host, port });
  await once(server, "listening");
  const { port: taken } = server.address() as { port: number };
  return `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${taken}`;
}

async function listenSocket(server: http.Server, path: string): Promise<void> {
  await removeStale(path);
  const before = process.umask(SOCKET_MODE_MASK);
  try {
    server.listen(path);
    await once(server, "listening");
  } finally {
    process.umask(before);
  }
}

/** The socket of a process that died is in the way of the next; one that answers, or another file, is left alone. */
async function removeStale(path: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const client = connect(path);
  const isAlive = await new Promise<boolean>((resolve) => {
    client.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  client.destroy();
  if (!isAlive) rmSync(path, { force: true });
}

/** Nothing new is accepted; over when the connections are. */
async function closeAll(servers: readonly http.Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
}

async function close({ app, lifecycle, events }: ServedApp, servers: http.Server[], shutdownMs: number) {
  lifecycle.isClosing = true;
  events?.close();
  // Connections that are idle are closed at once, the others as soon as their answer is out.
  const closed = closeAll(servers);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), shutdownMs);
  });
  const isFinished = await Promise.race([closed.then(() => true), late]);
  clearTimeout(timer);
  for (const server of servers) server.closeAllConnections();
  await app.close();
  return isFinished;
}
