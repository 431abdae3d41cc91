import { describe, expect, it } from "vitest";
import { authorize } from "../../../host/auth/access.ts";
import { authenticate } from "../../../host/auth/authenticate.ts";
import { createClient } from "../../../host/auth/client.ts";
import { contentDigest } from "../../../host/auth/digest.ts";
import { AUTH_ERRORS, AuthError, type AuthErrorCode } from "../../../host/auth/errors.ts";
import { parseDictionary } from "../../../host/auth/fields.ts";
import type { HeaderLine } from "../../../host/auth/headers.ts";
import { MemoryReplayStore } from "../../../host/auth/memory.ts";
import { ANONYMOUS } from "../../../host/auth/principal.ts";
import type { AuthRequest } from "../../../host/auth/request.ts";
import { signRequest } from "../../../host/auth/sign.ts";
import { createToken } from "../../../host/auth/token.ts";
import { verifySignature } from "../../../host/auth/verify.ts";
import { AuthSite, agentKey, codeOf, DAY_MS, GET, kidOf, NOW_MS, POST, plus, signed, withHeader } from "./site.ts";

type Change = (text: string) => string;
const verify = async (request: AuthRequest | Promise<AuthRequest>, site = new AuthSite()) =>
  verifySignature(await request, site.trust);
const changed =
  (name: string, change: Change, request = POST) =>
  async () =>
    verify(withHeader(await signed(request), name, change));
const input = (from: string | RegExp, to: string) =>
  changed("signature-input", (text) => {
    expect(text).toMatch(from);
    return text.replace(from, to);
  });
const bearer = (value: string, site = new AuthSite()) => authenticate(plus(GET, ["authorization", value]), site.trust);
const person = { name: "Ada", roles: ["auditor"], expiresMs: NOW_MS + DAY_MS, nowMs: NOW_MS };
const stranger = `Bearer ${createToken(person).token}`;

const authenticateWith = (...lines: HeaderLine[]) => authenticate(plus(GET, ...lines), new AuthSite().trust);
const tokens = (...values: string[]) =>
  authenticateWith(...values.map((value): HeaderLine => ["authorization", value]));
const CODED: AuthRequest = { ...GET, headers: [["content-encoding", "gzip"]] };
const OTHER = `sha-512=:${Buffer.alloc(64).toString("base64")}:`;

/** A request whose client signed a Content-Digest that it wrote in its own way. */
const digested = (change: Change) => async () => {
  const one = plus({ ...POST, body: undefined }, ["content-digest", change(contentDigest(POST))]);
  const options = { nowMs: NOW_MS, alsoCovered: ["content-digest", "content-type"] };
  return verify({ ...(await signed(one, options)), body: POST.body });
};

/** How each refusal comes about. */
const REFUSALS: Record<AuthErrorCode, () => unknown> = {
  "auth/needed": () => authorize(ANONYMOUS, "audit.read"),
  "auth/role": () => authorize({ kind: "person", name: "Ada", roles: ["admin"] }, "audit.read"),
  "auth/ambiguous": async () => {
    const site = new AuthSite();
    return authenticate(plus(await signed(POST), ["Authorization", `Bearer ${site.token}`]), site.trust);
  },

  "auth/headers": () => authenticate(plus(GET, ...new Array(257).fill(["x", ""])), new AuthSite().trust),
  "auth/header-twice": async () => verify(plus(await signed(POST), ["content-TYPE", "application/json"])),
  "auth/header-value": changed("content-type", () => "application/json\r\n folded"),
  "auth/target": async () => verify({ ...(await signed(GET)), target: "/v1/devices#x" }),

  "auth/field-empty": changed("signature-input", () => ""),
  "auth/field-length": changed("signature-input", (text) => text + " ".repeat(4096) + text),
  // Headers are looked through before: this is for whoever reads a field that came another way.
  "auth/field-character": () => parseDictionary('a="\u00e9"', "field"),
  "auth/field-count": changed("signature-input", (text) => `a, b, c, d, e, f, g, h, ${text}`),
  "auth/field-key": changed("signature-input", (text) => text.toUpperCase()),
  "auth/field-key-twice": changed("signature-input", (text) => `${text}, ${text}`),
  "auth/field-separator": changed("signature-input", (text) => `${text},`),
  "auth/field-list": input(")", ""),
  "auth/field-type": input(/created=\d+/, "created=now"),
  "auth/field-string": input(/"$/, ""),
  "auth/field-integer": input("created=", "created=0"),
  "auth/field-bytes": changed("signature", (text) => text.replace("==", "")),

  "auth/signature-missing": () => verify(plus(POST, ["signature", "quiesce=:AA==:"])),
  "auth/signature-tag": input("quiesce/1", "quiesce/2"),
  "auth/signature-several": changed("signature-input", (text) => `${text}, ${text.replace("quiesce", "again")}`),
  "auth/signature-label": changed("signature", (text) => text.replace("quiesce", "sig1")),
  "auth/signature-length": changed("signature", () => `quiesce=:${Buffer.alloc(63).toString("base64")}:`),
  "auth/parameter-missing": input(/;created=\d+/, ""),
  "auth/parameter-unknown": input(";nonce", ";context=1;nonce"),
  "auth/parameter-type": input(/;nonce="[^"]*"/, ";nonce=1"),
  "auth/algorithm": input("ed25519", "rsa-pss-sha512"),
  "auth/keyid": input(/keyid="[^"]*"/, `keyid="${kidOf(agentKey).toUpperCase()}"`),
  "auth/nonce": input(/nonce="[^"]*"/, 'nonce="AAECAwQFBgcICQoLDA0O"'),
  "auth/lifetime": async () => signed(GET, { nowMs: NOW_MS, lifetimeSeconds: 301 }),
  "auth/not-yet-valid": () => verify(signed(GET, { nowMs: NOW_MS + 31_000 })),
  "auth/expired": () => verify(signed(GET, { nowMs: NOW_MS - 61_000 })),
  "auth/authority": () => verify(signed({ ...GET, authority: "third.example" })),
  "auth/component": input('"@path"', '"@status"'),
  "auth/component-twice": input('"@path"', '"@path" "@path"'),
  "auth/component-missing": () => signed(GET, { nowMs: NOW_MS, alsoCovered: ["date"] }),
  "auth/coverage": input(' "@query"', ""),
  "auth/key-unknown": input(/keyid="[^"]*"/, 'keyid="0000000000000000"'),
  "auth/key-revoked": async () => {
    const site = new AuthSite();
    await site.clients.revokeClient(kidOf(agentKey), NOW_MS);
    return verify(signed(POST), site);
  },
  "auth/signature": async () => verify({ ...(await signed(POST)), method: "PUT" }),
  "auth/digest-algorithm": async () => {
    const lines = await signRequest({ ...GET, headers: [["content-digest", "md5=:AA==:"]] }, agentKey, {
      nowMs: NOW_MS,
    });
    return verify(plus(GET, ["content-digest", "md5=:AA==:"], ...lines));
  },
  "auth/digest-length": async () => verify(plus(await signed(GET), ["content-digest", "sha-256=:AA==:"])),
  "auth/digest": async () => verify({ ...(await signed(POST)), body: new Uint8Array(3) }),
  "auth/replayed": async () => {
    const [site, once] = [new AuthSite(), await signed(POST)];
    await verify(once, site);
    return verify(once, site);
  },
  "auth/replay-store-full": async () => {
    const store = new MemoryReplayStore(() => NOW_MS, 1);
    await store.seen("a", "1", NOW_MS - 1);
    expect(await store.seen("a", "2", NOW_MS)).toBe(false);
    return store.seen("a", "3", NOW_MS);
  },

  "auth/authorization": () => bearer("Basic QWRhOnNlY3JldA=="),
  "auth/token-malformed": () => bearer(`${stranger.slice(0, -1)}~`),
  "auth/token-unknown": () => bearer(stranger),
  "auth/token-expired": () => {
    const site = new AuthSite();
    site.nowMs += DAY_MS;
    return bearer(`Bearer ${site.token}`, site);
  },
  "auth/token-revoked": async () => {
    const site = new AuthSite();
    for (const { id } of await site.tokens.tokens()) await site.tokens.revokeToken(id, NOW_MS);
    return bearer(`Bearer ${site.token}`, site);
  },

  "auth/name": () => createToken({ ...person, name: "" }),
  "auth/roles": () => createToken({ ...person, roles: ["auditor", "auditor"] }),
  "auth/token-lifetime": () => createToken({ ...person, expiresMs: NOW_MS + 367 * DAY_MS }),
  "auth/client-exists": async () => {
    const { clients } = new AuthSite();
    await clients.revokeClient(kidOf(agentKey), NOW_MS);
    return clients.addClient(createClient({ ...person, publicKey: agentKey.publicKey }));
  },
  "auth/client-key": () => createClient({ ...person, publicKey: new Uint8Array(33) }),
};

describe("every refusal of authentication", () => {
  it.each(Object.entries(REFUSALS))("%s", async (code, work) => {
    expect(await codeOf(work)).toBe(code);
  });

  it("has a class, a phrase of its own, and no secret in it", () => {
    const phrases = Object.values(AUTH_ERRORS).map(([, phrase]) => phrase);
    expect(new Set(phrases).size).toBe(phrases.length);
    const error = new AuthError("auth/role", "audit.read");
    expect(error).toMatchObject({ class: "forbidden", message: `${AUTH_ERRORS["auth/role"][1]} (audit.read)` });
  });
});

describe("what no signature may leave open", () => {
  it.each<[string, () => unknown, AuthErrorCode]>([
    ["a component in upper case", input('"@path"', '"@Path"'), "auth/component"],
    ["a header in upper case", input('"content-type"', '"Content-Type"'), "auth/component"],
    ["a derived component that nobody knows", input('"@path"', '"@query-param";name="x"'), "auth/component"],
    ["a component with a parameter", input('"content-type"', '"content-type";sf'), "auth/component"],
    ["a component that is a number", input('"@path"', "1"), "auth/component"],
    ["no authority", input(' "@authority"', ""), "auth/coverage"],
    ["no method", input('"@method" ', ""), "auth/coverage"],
    ["no path", input(' "@path"', ""), "auth/coverage"],
    ["the whole target in place of path and query", input('"@path" "@query"', '"@target-uri"'), "auth/coverage"],
    ["no digest of its body", input(' "content-digest"', ""), "auth/coverage"],
    ["no content type", input(' "content-type"', ""), "auth/coverage"],
    ["a keyid that is a number", input(/keyid="[^"]*"/, "keyid=1"), "auth/parameter-type"],
    ["a time before 1970", input(/created=\d+/, "created=-5"), "auth/parameter-type"],
    ["a nonce in padded base64", input(/nonce="[^"]*"/, 'nonce="AAECAwQFBgcICQoLDA0ODw=="'), "auth/nonce"],
    ["a nonce of 65 bytes", input(/nonce="[^"]*"/, `nonce="${"A".repeat(87)}"`), "auth/nonce"],
    ["an end before its beginning", input(/expires=\d+/, "expires=1"), "auth/lifetime"],
    ["an item in place of its list", changed("signature-input", () => "quiesce=1"), "auth/field-type"],
    ["text in place of its bytes", changed("signature", () => 'quiesce="x"'), "auth/field-type"],
    ["a signature with a parameter", changed("signature", (text) => `${text};x`), "auth/field-type"],
    ["a digest with a parameter", digested((digest) => `${digest};x`), "auth/field-type"],
    ["a digest in a list", digested((digest) => digest.replace("=", "=(").concat(")")), "auth/field-type"],
    ["a digest of the right body and a second of another", digested((digest) => `${digest}, ${OTHER}`), "auth/digest"],
    ["a digest that is text and unsigned", changed("content-digest", () => 'sha-256="x"'), "auth/signature"],
    [
      "a second content coding",
      async () => verify(plus(await signed(CODED), ["content-encoding", "br"])),
      "auth/header-twice",
    ],
    ["a second token", () => tokens("Bearer a", "Bearer b"), "auth/header-twice"],
    [
      "a signature without its input",
      () => authenticateWith(["signature", "quiesce=:AA==:"]),
      "auth/signature-missing",
    ],
    [
      "an input without its signature",
      () => authenticateWith(["signature-input", "quiesce=()"]),
      "auth/signature-missing",
    ],
    ["headers of over 65,536 characters", () => authenticateWith(["x", "x".repeat(65_536)]), "auth/headers"],
    [
      "a target of over 8,192 characters",
      async () => signed({ ...GET, target: `/${"x".repeat(8192)}` }),
      "auth/target",
    ],
    ["a second Host", async () => verify(plus(await signed(POST), ["host", "verifier.example"])), "auth/header-twice"],
    ["a Host that is not its authority", changed("host", () => "second.example"), "auth/authority"],
    [
      "a body that no digest is of",
      async () => verify({ ...(await signed(GET)), body: new Uint8Array(1) }),
      "auth/coverage",
    ],
    ["a bare question mark", async () => verify(signed({ ...GET, target: "/v1/devices?" })), "auth/target"],
    [
      "a target in absolute form",
      async () => verify(signed({ ...GET, target: "https://verifier.example/" })),
      "auth/target",
    ],
    ["a space in its path", async () => verify(signed({ ...GET, target: "/v1/ devices" })), "auth/target"],
    [
      "a user in its authority",
      async () => verify(signed({ ...GET, authority: "me@verifier.example" })),
      "auth/target",
    ],
    [
      "a Kelvin sign for the k of its authority",
      async () => signed({ ...GET, authority: "\u212a.example" }),
      "auth/target",
    ],
    ["a method of two words", async () => verify(signed({ ...GET, method: "GET /" })), "auth/target"],
    ["a signature that is there already", async () => signed(await signed(GET)), "auth/header-twice"],
    ["a body without a content type", async () => signed({ ...POST, headers: [] }), "auth/component-missing"],
  ])("%s is refused", async (_, work, code) => {
    expect(await codeOf(work)).toBe(code);
  });
});
