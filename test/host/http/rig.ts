/** An app over the fake service, with people and clients who may come in, and a log that a test can read. */
import { randomBytes } from "node:crypto";
import { createClient } from "../../../host/auth/client.ts";
import { MemoryClientStore, MemoryReplayStore, MemoryTokenStore } from "../../../host/auth/memory.ts";
import type { Role } from "../../../host/auth/principal.ts";
import { signRequest } from "../../../host/auth/sign.ts";
import { createToken } from "../../../host/auth/token.ts";
import { type AppOptions, buildApp, type VerifierApp } from "../../../host/http/app.ts";
import { serviceLogger } from "../../../host/http/logging.ts";
import type { RateOptions } from "../../../host/http/rates.ts";
import { ed25519Signer, type Signer } from "../../../host/protocol/cose.ts";
import type { VerifierService } from "../../../host/service/service.ts";
import { type FakeService, fakeService } from "./fake-service.ts";

export const NOW_MS = 1_790_000_000_000;
export const AUTHORITY = "verifier.example";
export const DAY_MS = 86_400_000;

const NO_LIMIT = { perSecond: 0, burst: 1 };
/** Of a token and of a client that are there from the beginning. */
export const OLD_ID = "0123456789abcdef";

export const NO_RATES: RateOptions = {
  read: NO_LIMIT,
  evidence: NO_LIMIT,
  write: NO_LIMIT,
  failures: NO_LIMIT,
  callersMax: 100,
};

export type Headers = Readonly<Record<string, string>>;

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers?: Headers;
  readonly body?: string | Uint8Array;
}

export interface Rig extends VerifierApp {
  readonly service: FakeService;
  readonly tokens: MemoryTokenStore;
  readonly clients: MemoryClientStore;
  /** Lines of the log, as they were written. */
  readonly log: string[];
  /** A token of a person with these roles. */
  token(...roles: Role[]): Promise<string>;
  /** The `Authorization` header of such a person. */
  as(...roles: Role[]): Promise<{ authorization: string }>;
  /** A client that signs requests. */
  client(...roles: Role[]): Promise<Signer>;
  ask(asked: Asked): ReturnType<typeof inject>;
}

/** `overrides` are answers of the fake service; `behind` is a service in its place. */
type RigOptions = Partial<AppOptions> & { overrides?: Partial<VerifierService>; behind?: VerifierService };

export async function makeRig({ overrides = {}, behind, ...options }: RigOptions = {}): Promise<Rig> {
  const service = fakeService(overrides);
  const [tokens, clients] = [new MemoryTokenStore(), new MemoryClientStore()];
  const old = { name: "old", roles: ["auditor"], createdMs: 0 } as const;
  await tokens.addToken({ ...old, id: OLD_ID, hash: new Uint8Array(32), expiresMs: NOW_MS });
  await clients.addClient({ ...old, kid: OLD_ID, publicKey: new Uint8Array(32) });
  const log: string[] = [];
  const logger = serviceLogger("trace", { write: (line: string) => log.push(line) });
  const made = await buildApp(behind ?? service, {
    trust: { tokens, clients, replays: new MemoryReplayStore(() => NOW_MS), authorities: new Set([AUTHORITY]) },
    rates: NO_RATES,
    events: { listenersMax: 4, heartbeatSeconds: 3600, backlogBytesMax: 65_536 },
    logger,
    version: "0.0.0",
    scheme: "http",
    proxies: [],
    policy: { format: "quiesce-policy/1", name: "none", counting: "native" },
    beaconSeconds: 10,
    importBytesMax: 100_000,
    access: { tokens, clients },
    setClock: () => {},
    now: () => NOW_MS,
    ...options,
  });
  const token = async (...roles: Role[]) => {
    const { token: secret, record } = createToken({ name: "Ada", roles, expiresMs: NOW_MS + DAY_MS, nowMs: NOW_MS });
    await tokens.addToken(record);
    return secret;
  };
  return {
    ...made,
    service,
    tokens,
    clients,
    log,
    token,
    as: async (...roles) => ({ authorization: `Bearer ${await token(...roles)}` }),
    client: async (...roles) => {
      const signer = ed25519Signer(randomBytes(32));
      await clients.addClient(createClient({ publicKey: signer.publicKey, name: "agent 1", roles, nowMs: NOW_MS }));
      return signer;
    },
    ask: (asked) => inject(made, asked),
  };
}

function inject({ app }: VerifierApp, { method, url, headers, body }: Asked) {
  return app.inject({
    method: method as "GET",
    url,
    headers: { host: AUTHORITY, ...headers },
    ...(body !== undefined && { payload: typeof body === "string" ? body : Buffer.from(body) }),
  });
}

/** The request with the headers of its signature. */
export async function signed(asked: Asked, signer: Signer, nowMs = NOW_MS): Promise<Asked> {
  const headers = { host: AUTHORITY, ...asked.headers };
  const lines = await signRequest(
    {
      method: asked.method,
      scheme: "http",
      authority: AUTHORITY,
      target: asked.url,
      headers: Object.entries(headers),
      body: asked.body === undefined ? undefined : Buffer.from(asked.body),
    },
    signer,
    { nowMs },
  );
  return { ...asked, headers: { ...headers, ...Object.fromEntries(lines) } };
}

/** A POST of JSON. */
export function json(url: string, value: unknown, method = "POST"): Asked {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  return { method, url, headers: { "content-type": "application/json" }, body };
}

/** A POST of bytes. */
export function bytes(url: string, type: string, body: Uint8Array | string): Asked {
  return { method: "POST", url, headers: { "content-type": type }, body };
}
