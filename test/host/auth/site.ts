/** A verifier that knows one client and one person, for the tests of authentication. */
import { expect } from "vitest";
import type { Trust } from "../../../host/auth/authenticate.ts";
import { createClient } from "../../../host/auth/client.ts";
import { AuthError, type AuthErrorCode } from "../../../host/auth/errors.ts";
import type { HeaderLine } from "../../../host/auth/headers.ts";
import { MemoryClientStore, MemoryReplayStore, MemoryTokenStore } from "../../../host/auth/memory.ts";
import type { AuthRequest } from "../../../host/auth/request.ts";
import { signRequest } from "../../../host/auth/sign.ts";
import { createToken } from "../../../host/auth/token.ts";
import { ed25519Signer } from "../../../host/protocol/cose-key.ts";

export const NOW_MS = Date.UTC(2026, 2, 1, 12, 0, 0);
export const DAY_MS = 86_400_000;
export const NONCE = "AAECAwQFBgcICQoLDA0ODw";
export const agentKey = ed25519Signer(new Uint8Array(32).fill(1));
export const otherKey = ed25519Signer(new Uint8Array(32).fill(2));
export const kidOf = (key: { kid: Uint8Array }) => Buffer.from(key.kid).toString("hex");

const BODY = new TextEncoder().encode('{"site":"north"}');
export const POST: AuthRequest = {
  method: "POST",
  scheme: "https",
  authority: "verifier.example",
  target: "/v1/orders?dry=1",
  headers: [
    ["Host", "verifier.example"],
    ["Content-Type", "application/json"],
  ],
  body: BODY,
};
export const GET: AuthRequest = { ...POST, method: "GET", target: "/v1/devices", headers: [], body: undefined };

export class AuthSite {
  nowMs = NOW_MS;
  readonly tokens = new MemoryTokenStore();
  readonly clients = new MemoryClientStore();
  readonly replays = new MemoryReplayStore(() => this.nowMs);
  readonly authorities = new Set(["verifier.example", "second.example"]);
  readonly token: string;

  constructor() {
    const client = { name: "agent", roles: ["agent"], nowMs: NOW_MS };
    this.clients.addClient(createClient({ ...client, publicKey: agentKey.publicKey }));
    this.clients.addClient(createClient({ ...client, name: "other", publicKey: otherKey.publicKey }));
    const person = { name: "Ada", roles: ["auditor"], expiresMs: NOW_MS + DAY_MS, nowMs: NOW_MS };
    const { token, record } = createToken(person);
    this.token = token;
    this.tokens.addToken(record);
  }

  get trust(): Trust {
    const { tokens, clients, replays, authorities, nowMs } = this;
    return { tokens, clients, replays, authorities, nowMs };
  }
}

/** The request with the lines that its signature adds. */
export async function signed(request: AuthRequest, options: Parameters<typeof signRequest>[2] = { nowMs: NOW_MS }) {
  return { ...request, headers: [...request.headers, ...(await signRequest(request, agentKey, options))] };
}

/** The request with another value in place of the header's. */
export function withHeader(request: AuthRequest, name: string, change: (value: string) => string): AuthRequest {
  expect(request.headers.map(([key]) => key.toLowerCase())).toContain(name);
  const headers = request.headers.map(
    ([key, value]): HeaderLine => (key.toLowerCase() === name ? [key, change(value)] : [key, value]),
  );
  return { ...request, headers };
}

export function plus(request: AuthRequest, ...lines: HeaderLine[]): AuthRequest {
  return { ...request, headers: [...request.headers, ...lines] };
}

/** The code of the `AuthError` that the work ends with, or `undefined`; anything else fails the test. */
export async function codeOf(work: () => unknown): Promise<AuthErrorCode | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(AuthError);
    return (error as AuthError).code;
  }
}
