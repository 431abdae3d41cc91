/**
 * Who may come in, for `quiesce verifier token` and `client`: in the store, while no verifier has it open, or at a verifier
 * that runs, with an admin's token.
 */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { ClientRecord, ClientStore, TokenRecord, TokenStore } from "../../auth/stores.ts";
import type { Doc } from "../../client/document.ts";
import type { Call } from "../../client/transport.ts";
import { wrongUse } from "../exit.ts";
import { configOf, withStore, withVerifier } from "./verifier-options.ts";

export type AccessOptions = { config?: string; url?: string; tokenFile?: string; ca?: string };

export type TokenInfo = Omit<TokenRecord, "hash">;

export interface Access {
  createToken(name: string, roles: readonly string[], days: number): Promise<TokenInfo & { readonly token: string }>;
  tokens(): Promise<readonly TokenInfo[]>;
  /** Whether there is such a token. */
  revokeToken(id: string): Promise<boolean>;
  addClient(name: string, roles: readonly string[], publicKey: Uint8Array): Promise<ClientRecord>;
  clients(): Promise<readonly ClientRecord[]>;
  /** Whether there is such a client. */
  revokeClient(kid: string): Promise<boolean>;
}

export function addAccessOptions(command: Command): Command {
  return command
    .option("--config <file>", "the configuration of a verifier that does not run now, or has its store in PostgreSQL")
    .option("--url <url>", "or where one runs, such as https://verifier.example")
    .option("--token-file <file>", "with --url: an admin's token; without it QUIESCE_TOKEN")
    .option("--ca <file>", "with --url: who signed its certificate, PEM");
}

export async function withAccess<T>(options: AccessOptions, work: (access: Access) => Promise<T>): Promise<T> {
  const { config, url } = options;
  if ((config === undefined) === (url === undefined)) throw wrongUse("name the verifier: --config FILE, or --url URL");
  return withVerifier(() => (config === undefined ? remotely(url!, options, work) : inStore(config, work)));
}

const DAY_MS = 86_400_000;

async function inStore<T>(config: string, work: (access: Access) => Promise<T>): Promise<T> {
  const { SqlClientStore, SqlTokenStore } = await import("../../store/auth-stores.ts");
  const { createToken } = await import("../../auth/token.ts");
  const { createClient } = await import("../../auth/client.ts");
  return withStore(await configOf({ config }), {}, (store) => {
    const [tokens, clients]: [TokenStore, ClientStore] = [new SqlTokenStore(store), new SqlClientStore(store)];
    return work({
      createToken: async (name, roles, days) => {
        const nowMs = Date.now();
        const { token, record } = createToken({ name, roles, expiresMs: nowMs + days * DAY_MS, nowMs });
        await tokens.addToken(record);
        return { token, ...record };
      },
      tokens: () => tokens.tokens(),
      revokeToken: (id) => tokens.revokeToken(id, Date.now()),
      addClient: async (name, roles, publicKey) => {
        const record = createClient({ publicKey, name, roles, nowMs: Date.now() });
        await clients.addClient(record);
        return record;
      },
      clients: () => clients.clients(),
      revokeClient: (kid) => clients.revokeClient(kid, Date.now()),
    });
  });
}

async function remotely<T>(url: string, options: AccessOptions, work: (access: Access) => Promise<T>): Promise<T> {
  const { Transport } = await import("../../client/transport.ts");
  const { Doc: Document } = await import("../../client/document.ts");
  const { ClientError } = await import("../../client/errors.ts");
  const token = tokenOf(options.tokenFile);
  const transport = new Transport({ url, token, ...(options.ca && { ca: textOf(options.ca) }) });
  const ask = async (method: Call["method"], path: string, document?: object): Promise<Doc> => {
    const bytes = document && new TextEncoder().encode(JSON.stringify(document));
    const body = bytes && { body: { type: "application/json", bytes } };
    const call = { method, path, accept: "application/json", isIdempotent: method !== "POST", ...body };
    return Document.parse((await transport.request(call)).body, path);
  };
  const isThere = async (work: Promise<unknown>) => {
    try {
      await work;
      return true;
    } catch (error) {
      if (error instanceof ClientError && error.problem?.status === 404) return false;
      throw error;
    }
  };
  try {
    return await work({
      createToken: async (name, roles, days) => {
        const made = await ask("POST", "/v1/tokens", { name, roles, days });
        return { token: made.text("token"), ...tokenInfo(made) };
      },
      tokens: async () => (await ask("GET", "/v1/tokens")).docs("tokens").map(tokenInfo),
      revokeToken: (id) => isThere(ask("PATCH", `/v1/tokens/${id}`, { status: "revoked" })),
      addClient: async (name, roles, publicKey) => {
        const key = Buffer.from(publicKey).toString("hex");
        return clientRecord(await ask("POST", "/v1/clients", { name, roles, publicKey: key }));
      },
      clients: async () => (await ask("GET", "/v1/clients")).docs("clients").map(clientRecord),
      revokeClient: (kid) => isThere(ask("PATCH", `/v1/clients/${kid}`, { status: "revoked" })),
    });
  } finally {
    await transport.close();
  }
}

function tokenInfo(doc: Doc): TokenInfo {
  return {
    id: doc.text("id"),
    name: doc.text("name"),
    roles: doc.texts("roles") as TokenInfo["roles"],
    createdMs: doc.uint("createdMs"),
    expiresMs: doc.uint("expiresMs"),
    revokedMs: doc.optional("revokedMs", (name) => doc.uint(name)),
  };
}

const KEY_BYTES = 32;

function clientRecord(doc: Doc): ClientRecord {
  return {
    kid: doc.text("kid"),
    publicKey: doc.hex("publicKey", KEY_BYTES),
    name: doc.text("name"),
    roles: doc.texts("roles") as ClientRecord["roles"],
    createdMs: doc.uint("createdMs"),
    revokedMs: doc.optional("revokedMs", (name) => doc.uint(name)),
  };
}

/** Never an argument: every user of the machine can read those. */
function tokenOf(file: string | undefined): string {
  const text = file === undefined ? process.env.QUIESCE_TOKEN : textOf(file);
  if (text === undefined) throw wrongUse("a token is needed: --token-file FILE, or QUIESCE_TOKEN");
  return text.trim();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw wrongUse(`${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}
