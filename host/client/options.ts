/** How a verifier is reached, and how patient the client is. */
import { ClientError } from "./errors.ts";

export type HeaderLine = readonly [name: string, value: string];

/** A request as a signature covers it (RFC 9421). */
export interface UnsignedRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Host and port, as in `Host`. */
  readonly authority: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  readonly headers: readonly HeaderLine[];
  readonly body?: Uint8Array;
}

/** The header lines to add. Asked anew for every try: a signature is good once. */
export type SignRequest = (request: UnsignedRequest) => readonly HeaderLine[] | Promise<readonly HeaderLine[]>;

export interface ClientOptions {
  /** `https://host:8443`, or with a path before `/v1`. With a socket its host is only a name. */
  readonly url: string;
  /** A Unix socket that the verifier listens on. */
  readonly socketPath?: string;
  /** PEM: whom to trust, instead of the system's authorities. */
  readonly ca?: string;
  /** PEM: who we are (mTLS). */
  readonly cert?: string;
  readonly key?: string;
  /** A bearer token (RFC 6750). */
  readonly token?: string;
  readonly sign?: SignRequest;
  readonly connectTimeoutMs?: number;
  /** Of one try, to the last byte of its answer. */
  readonly timeoutMs?: number;
  /** Of a request that may be repeated. */
  readonly triesMax?: number;
  /** Requests on the way at one time. */
  readonly inFlightMax?: number;
  /** Requests that wait for one of these to end. */
  readonly waitingMax?: number;
}

export const CONNECT_TIMEOUT_MS = 5_000;
export const TIMEOUT_MS = 15_000;
export const TRIES_MAX = 4;
export const IN_FLIGHT_MAX = 16;
export const WAITING_MAX = 4_096;

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;
/** What RFC 6750 section 2.1 lets a token be. */
const TOKEN = /^[A-Za-z0-9._~+/-]{1,4096}=*$/;

/** Where requests go: scheme, authority, and what stands before each path. Throws `ClientError` (`client/options`). */
export function readTarget(options: ClientOptions): {
  origin: string;
  scheme: "http" | "https";
  authority: string;
  prefix: string;
} {
  const url = readUrl(options.url);
  const scheme = url.protocol === "https:" ? "https" : "http";
  if ((options.cert === undefined) !== (options.key === undefined)) refuse("a certificate goes with its key");
  if (scheme === "http" && (options.ca !== undefined || options.cert !== undefined))
    refuse("certificates go with https");
  if (options.token !== undefined && !TOKEN.test(options.token)) refuse("the token has characters that no token has");
  const isPrivate = scheme === "https" || options.socketPath !== undefined || LOOPBACK.test(url.hostname);
  if (options.token !== undefined && !isPrivate) refuse("a token is sent over https, a socket or this machine only");
  return { origin: url.origin, scheme, authority: url.host, prefix: url.pathname.replace(/\/+$/, "") };
}

function readUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new ClientError("client/options", "the address is no URL", { cause });
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") refuse("the address must begin with https:// or http://");
  if (url.username || url.password) refuse("the address holds credentials");
  if (url.search || url.hash) refuse("the address has a query or a fragment");
  return url;
}

function refuse(detail: string): never {
  throw new ClientError("client/options", detail);
}
