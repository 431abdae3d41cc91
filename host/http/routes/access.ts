/** Who may come in, as an admin says: tokens of people, keys of programs. */
import { createClient } from "../../auth/client.ts";
import type { ClientRecord, TokenRecord } from "../../auth/stores.ts";
import { createToken } from "../../auth/token.ts";
import type { App, RouteContext } from "../app-types.ts";
import { jsonAnswer, jsonBody, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import {
  Client,
  ClientPath,
  Clients,
  MadeToken,
  NewClient,
  NewToken,
  Revocation,
  Token,
  TokenPath,
  Tokens,
} from "../schemas/access.ts";
import { Named } from "../schemas/basic.ts";
import { hexBytes, hexText } from "../wire.ts";

const DAY_MS = 86_400_000;

export function accessRoutes(app: App, { access, now }: RouteContext): void {
  if (access === undefined) return;
  const { tokens, clients } = access;

  app.get(
    "/v1/tokens",
    operation({
      route: "tokens.list",
      name: "listTokens",
      tag: "access",
      summary: "The tokens of people: whose they are and what they may do; never the tokens themselves.",
      answers: { 200: jsonAnswer("all, revoked ones too", Tokens) },
    }),
    async () => ({ tokens: (await tokens.tokens()).map(tokenJson) }),
  );

  app.post(
    "/v1/tokens",
    operation({
      route: "tokens.create",
      name: "createToken",
      tag: "access",
      summary: "Makes a token. It is shown this once.",
      body: jsonBody(NewToken),
      answers: { 201: jsonAnswer("the token, and what is kept of it", MadeToken) },
      isAudited: true,
    }),
    async (request, reply) => {
      const { name, roles, days } = request.body;
      const nowMs = now();
      const { token, record } = createToken({ name, roles, expiresMs: nowMs + days * DAY_MS, nowMs });
      await tokens.addToken(record);
      request.subject = `${record.id} ${name}: ${roles.join(", ")}`;
      reply.code(201);
      return { token, ...tokenJson(record) };
    },
  );

  app.patch(
    "/v1/tokens/:id",
    operation({
      route: "tokens.revoke",
      name: "revokeToken",
      tag: "access",
      summary: "Takes a token out of use, for good.",
      params: TokenPath,
      body: jsonBody(Revocation),
      answers: { 200: jsonAnswer("the token as it is now", Named(Token)) },
      problems: ["unknown"],
      isAudited: true,
    }),
    async (request) => {
      const { id } = request.params;
      const isThere = await tokens.revokeToken(id, now());
      const record = isThere ? (await tokens.tokens()).find((one) => one.id === id) : undefined;
      if (!record) throw new HttpProblem("request/nothing-here", `no token ${id}`);
      return tokenJson(record);
    },
  );

  app.get(
    "/v1/clients",
    operation({
      route: "clients.list",
      name: "listClients",
      tag: "access",
      summary: "The programs that are let in: agents, other verifiers.",
      answers: { 200: jsonAnswer("all, revoked ones too", Clients) },
    }),
    async () => ({ clients: (await clients.clients()).map(clientJson) }),
  );

  app.post(
    "/v1/clients",
    operation({
      route: "clients.add",
      name: "addClient",
      tag: "access",
      summary: "Lets a program in that signs its requests with this key (RFC 9421).",
      body: jsonBody(NewClient),
      answers: { 201: jsonAnswer("it may come in", Named(Client)) },
      isAudited: true,
    }),
    async (request, reply) => {
      const { publicKey, name, roles } = request.body;
      const record = createClient({ publicKey: hexBytes(publicKey), name, roles, nowMs: now() });
      request.subject = `${record.kid} ${name}: ${roles.join(", ")}`;
      await clients.addClient(record);
      reply.code(201);
      return clientJson(record);
    },
  );

  app.patch(
    "/v1/clients/:kid",
    operation({
      route: "clients.revoke",
      name: "revokeClient",
      tag: "access",
      summary: "Lets a key in no more, for good.",
      params: ClientPath,
      body: jsonBody(Revocation),
      answers: { 200: jsonAnswer("the client as it is now", Named(Client)) },
      problems: ["unknown"],
      isAudited: true,
    }),
    async (request) => {
      const { kid } = request.params;
      const record = (await clients.revokeClient(kid, now())) ? await clients.client(kid) : undefined;
      if (!record) throw new HttpProblem("request/nothing-here", `no client ${kid}`);
      return clientJson(record);
    },
  );
}

function tokenJson({ id, name, roles, createdMs, expiresMs, revokedMs }: TokenRecord) {
  return { id, name, roles, createdMs, expiresMs, revokedMs };
}

function clientJson({ kid, publicKey, name, roles, createdMs, revokedMs }: ClientRecord) {
  return { kid, publicKey: hexText(publicKey), name, roles, createdMs, revokedMs };
}
