import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { authenticate } from "../../../host/auth/authenticate.ts";
import { AuthError } from "../../../host/auth/errors.ts";
import { type InnerList, type Item, innerListText, isInnerList, parseDictionary } from "../../../host/auth/fields.ts";
import type { HeaderLine } from "../../../host/auth/headers.ts";
import type { AuthRequest } from "../../../host/auth/request.ts";
import { signRequest } from "../../../host/auth/sign.ts";
import { verifySignature } from "../../../host/auth/verify.ts";
import {
  AuthSite,
  agentKey,
  codeOf,
  GET,
  kidOf,
  NONCE,
  NOW_MS,
  otherKey,
  POST,
  plus,
  signed,
  withHeader,
} from "./site.ts";

const verify = (request: AuthRequest, site = new AuthSite()) => verifySignature(request, site.trust);

const request: fc.Arbitrary<AuthRequest> = fc
  .record({
    method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE"),
    scheme: fc.constantFrom("http" as const, "https" as const),
    authority: fc.constantFrom("verifier.example", "second.example"),
    path: fc.stringMatching(/^\/[a-zA-Z0-9/%._~!$&'()*+,;=:@-]{0,30}$/),
    query: fc.option(fc.stringMatching(/^\?[a-zA-Z0-9/?%._~!$&'()*+,;=:@-]{1,30}$/), { nil: "" }),
    body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 100 }), { nil: undefined }),
    coding: fc.boolean(),
    date: fc.boolean(),
  })
  .map(({ path, query, coding, date, ...rest }) => {
    const headers: HeaderLine[] = [["Host", rest.authority]];
    if (rest.body) headers.push(["Content-Type", "application/json"]);
    if (coding) headers.push(["Content-Encoding", "gzip"]);
    if (date) headers.push(["Date", "Tue, 20 Apr 2021 02:07:55 GMT"]);
    return { ...rest, target: path + query, headers };
  });

const signedRequest = request.map((plain) => {
  const alsoCovered = plain.headers.some(([name]) => name === "Date") ? ["date"] : [];
  return { plain, options: { nowMs: NOW_MS, nonce: NONCE, alsoCovered } };
});

function inputOf(signedOne: AuthRequest): [label: string, covered: InnerList] {
  const [, text] = signedOne.headers.find(([name]) => name === "signature-input")!;
  const [[label, member]] = [...parseDictionary(text, "signature-input")] as [[string, Item | InnerList]];
  if (!isInnerList(member)) throw new Error("no inner list");
  return [label, member];
}

/** The request with its signature's input changed as given, and nothing signed again. */
function withInput(signedOne: AuthRequest, change: (covered: InnerList) => InnerList): AuthRequest {
  const [label, covered] = inputOf(signedOne);
  return withHeader(signedOne, "signature-input", () => `${label}=${innerListText(change(covered))}`);
}

const withParameter = (name: string, value: string | number | true | undefined) => (one: AuthRequest) =>
  withInput(one, ({ items, parameters }) => {
    const changed = new Map(parameters);
    if (value === undefined) changed.delete(name);
    else changed.set(name, value);
    return { items, parameters: changed };
  });

const withoutHeader = (one: AuthRequest, name: string): AuthRequest => ({
  ...one,
  headers: one.headers.filter(([key]) => key.toLowerCase() !== name),
});

const hasLine = (one: AuthRequest, name: string) => one.headers.some(([key]) => key.toLowerCase() === name);
const bodyOf = (one: AuthRequest) => (one.body as Uint8Array | undefined) ?? new Uint8Array();
const flippedSignature = (text: string, pick: number) =>
  `quiesce=:${Buffer.from(flipped(Buffer.from(text.slice(9, -1), "base64"), pick)).toString("base64")}:`;

/** Each changes something that is signed; `undefined` where a request has no such thing. */
const CHANGES: Readonly<Record<string, (one: AuthRequest, pick: number) => AuthRequest | undefined>> = {
  "another method": (one) => ({ ...one, method: one.method === "PUT" ? "POST" : "PUT" }),
  "its method in lower case": (one) => ({ ...one, method: one.method.toLowerCase() }),
  "another authority of the same verifier": (one) => {
    const authority = one.authority === "second.example" ? "verifier.example" : "second.example";
    return withHeader({ ...one, authority }, "host", () => authority);
  },
  "another path": (one) => ({ ...one, target: one.target.replace(/^\//, "/x") }),
  "a path that would be the same with its dots resolved": (one) => ({ ...one, target: `/.${one.target}` }),
  "a query that it did not have": (one) =>
    one.target.includes("?") ? undefined : { ...one, target: `${one.target}?x=1` },
  "one more query parameter": (one) => (one.target.includes("?") ? { ...one, target: `${one.target}&x=1` } : undefined),
  "an empty query": (one) => (one.target.includes("?") ? undefined : { ...one, target: `${one.target}?` }),
  "its query cut off": (one) => (one.target.includes("?") ? { ...one, target: one.target.split("?")[0]! } : undefined),
  "one bit of its body flipped": (one, pick) => (one.body ? { ...one, body: flipped(bodyOf(one), pick) } : undefined),
  "one byte more": (one) => ({ ...one, body: Uint8Array.of(...bodyOf(one), 0) }),
  "its body cut off": (one) => (one.body ? { ...one, body: undefined } : undefined),
  "another content type": (one) => (one.body ? withHeader(one, "content-type", () => "text/csv") : undefined),
  "no content coding any more": (one) =>
    hasLine(one, "content-encoding") ? withoutHeader(one, "content-encoding") : undefined,
  "a content coding that it did not have": (one) =>
    hasLine(one, "content-encoding") ? undefined : plus(one, ["content-encoding", "br"]),
  "a second line of a covered header": (one) => (hasLine(one, "date") ? plus(one, ["Date", "x"]) : undefined),
  "a second line of its signature": (one) => plus(one, one.headers.at(-1)!),
  "created, one second later": withParameter("created", NOW_MS / 1000 + 1),
  "created, one second earlier": withParameter("created", NOW_MS / 1000 - 1),
  "expires, one second later": withParameter("expires", NOW_MS / 1000 + 61),
  "the keyid of another client": withParameter("keyid", kidOf(otherKey)),
  "another nonce": withParameter("nonce", NONCE.replace("A", "B")),
  "no alg": withParameter("alg", undefined),
  "another alg": withParameter("alg", "hmac-sha256"),
  "another tag": withParameter("tag", "quiesce/2"),
  "one more parameter": withParameter("context", "x"),
  "parameters in another order": (one) =>
    withInput(one, ({ items, parameters }) => ({ items, parameters: new Map([...parameters].reverse()) })),
  "components in another order": (one) =>
    withInput(one, ({ items, parameters }) => ({ items: [...items].reverse(), parameters })),
  "one component less": (one, pick) =>
    withInput(one, ({ items, parameters }) => ({
      items: items.filter((_, i) => i !== pick % items.length),
      parameters,
    })),
  "one component more": (one) =>
    withInput(plus(one, ["accept", "*/*"]), ({ items, parameters }) => ({
      items: [...items, { value: "accept", parameters: new Map() }],
      parameters,
    })),
  "a component with a parameter": (one) =>
    withInput(one, ({ items: [first, ...rest], parameters }) => ({
      items: [{ value: first!.value, parameters: new Map([["req", true]]) }, ...rest],
      parameters,
    })),
  "another label on one side": (one) => withHeader(one, "signature", (text) => text.replace("quiesce", "other")),
  "one bit of its signature flipped": (one, pick) =>
    withHeader(one, "signature", (text) => flippedSignature(text, pick)),
};

function flipped(bytes: Uint8Array, pick: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  const at = pick % (changed.length * 8);
  changed[at >> 3]! ^= 1 << (at & 7);
  return changed;
}

describe("a signed request", () => {
  it("verifies as it was signed, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(signedRequest, async ({ plain, options }) => {
        expect(await verify(await signed(plain, options))).toMatchObject({ name: "agent", kid: kidOf(agentKey) });
      }),
    );
  });

  it.each(Object.entries(CHANGES))("is refused with %s", async (_, change) => {
    await fc.assert(
      fc.asyncProperty(signedRequest, fc.nat(), async ({ plain, options }, pick) => {
        const changed = change(await signed(plain, options), pick);
        fc.pre(changed !== undefined);
        expect(await codeOf(() => verify(changed!))).toBeDefined();
      }),
      { numRuns: 30 },
    );
  });

  it("is refused with any one character of its three headers changed", async () => {
    const good = await signed(POST);
    const name = fc.constantFrom("signature-input", "signature", "content-digest");
    const character = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
    await fc.assert(
      fc.asyncProperty(name, fc.nat(), character, async (header, pick, other) => {
        const changed = withHeader(good, header, (text) => {
          const at = pick % text.length;
          return text.slice(0, at) + (text[at] === other ? "~" : other) + text.slice(at + 1);
        });
        expect(await codeOf(() => verify(changed))).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  it("is the same request with its header lines in another order, other case, or spaces around", async () => {
    const good = await signed(POST);
    const headers = [...good.headers].reverse().map(([name, value]): HeaderLine => [name.toUpperCase(), ` ${value}\t`]);
    expect(await codeOf(() => verify({ ...good, headers }))).toBeUndefined();
  });

  it("is refused with a code of its own, whatever its headers hold", async () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(...'ab1=(),;":@- ') }));
    await fc.assert(
      fc.asyncProperty(text, text, text, text, async (input, signature, digest, target) => {
        const lines: HeaderLine[] = [
          ["signature-input", input],
          ["signature", signature],
          ["content-digest", digest],
        ];
        const good = await signed(POST);
        for (const one of [
          plus({ ...POST, target }, ...lines),
          { ...good, target, method: digest, authority: input },
        ]) {
          await expect(verify(one)).rejects.toBeInstanceOf(AuthError);
        }
      }),
    );
  });

  it("is taken once, by two verifiers on one store too, and again with a new nonce", async () => {
    const site = new AuthSite();
    const once = await signed(POST);
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(() => verify(once, site))));
    expect(codes.sort()).toEqual(["auth/replayed", "auth/replayed", undefined]);
    expect(await codeOf(async () => verify(await signed(POST), site))).toBeUndefined();
  });

  it("does not use its nonce up while anything else is wrong with it", async () => {
    const site = new AuthSite();
    const good = await signed(POST);
    expect(await codeOf(() => verify({ ...good, body: Uint8Array.of(1) }, site))).toBe("auth/digest");
    expect(await codeOf(() => verify({ ...good, method: "PUT" }, site))).toBe("auth/signature");
    expect(await codeOf(() => verify(good, site))).toBeUndefined();
  });

  it("is remembered for as long as a process whose clock is 30 seconds late would take it", async () => {
    const site = new AuthSite();
    const good = await signed(GET, { nowMs: NOW_MS, lifetimeSeconds: 300 });
    expect(await codeOf(() => verify(good, site))).toBeUndefined();
    site.nowMs = NOW_MS + 330_000;
    const late = { ...site.trust, nowMs: NOW_MS + 300_000 };
    expect(await codeOf(() => verifySignature(good, late))).toBe("auth/replayed");
  });

  it.each<[string, number, string | undefined]>([
    ["30 seconds before it was created", -30_000, undefined],
    ["earlier than that", -30_001, "auth/not-yet-valid"],
    ["in its last millisecond", 300_000, undefined],
    ["after that", 300_001, "auth/expired"],
  ])("judged %s", async (_, laterMs, code) => {
    const site = new AuthSite();
    site.nowMs += laterMs;
    const good = await signed(GET, { nowMs: NOW_MS, lifetimeSeconds: 300 });
    expect(await codeOf(() => verify(good, site))).toBe(code);
  });

  it("for another verifier is refused here", async () => {
    const elsewhere = await signed({ ...GET, authority: "third.example" });
    expect(await codeOf(() => verify(elsewhere))).toBe("auth/authority");
  });

  it("may bear signatures of others beside, before and after", async () => {
    const good = await signed(POST);
    const more = withHeader(good, "signature-input", (text) => `proxy=("@status");created=1, ${text}, z=();tag="x"`);
    const both = withHeader(more, "signature", (text) => `z=:AA==:, ${text}, proxy=:AAA=:`);
    expect(await codeOf(() => verify(both))).toBeUndefined();
  });

  it("may name its digest by SHA-512", async () => {
    const { createHash } = await import("node:crypto");
    const digest = `sha-512=:${createHash("sha512")
      .update(POST.body as Uint8Array)
      .digest("base64")}:`;
    const lines = await signRequest(POST, agentKey, { nowMs: NOW_MS });
    expect(lines.map(([name]) => name)).toEqual(["content-digest", "signature-input", "signature"]);
    const [, covered] = inputOf(plus(POST, ...lines));
    const { signatureBase } = await import("../../../host/auth/signature-base.ts");
    const one = plus(POST, ["content-digest", digest], lines[1]!);
    const signature = agentKey.sign(new TextEncoder().encode(signatureBase(one, covered)));
    const whole = plus(one, ["signature", `quiesce=:${Buffer.from(signature).toString("base64")}:`]);
    expect(await codeOf(() => verify(whole))).toBeUndefined();
    expect(await codeOf(() => verify({ ...whole, body: Uint8Array.of(1) }))).toBe("auth/digest");
  });

  it("is never judged by a body that was parsed: that is a fault of the program", async () => {
    const parsed = { site: "north" } as unknown as Uint8Array;
    await expect(verify({ ...(await signed(GET)), body: parsed })).rejects.toBeInstanceOf(TypeError);
  });

  it("can be signed by a signer that answers later", async () => {
    const later = { ...agentKey, sign: async (message: Uint8Array) => agentKey.sign(message) };
    const options = { nowMs: NOW_MS, nonce: NONCE };
    expect(await signRequest(POST, later, options)).toEqual(await signRequest(POST, agentKey, options));
  });

  it("has a new nonce of 16 bytes each time", async () => {
    const nonces = await Promise.all([1, 2].map(async () => inputOf(await signed(GET))[1].parameters.get("nonce")));
    expect(new Set(nonces).size).toBe(2);
    for (const nonce of nonces) expect(Buffer.from(String(nonce), "base64url").length).toBe(16);
  });
});

describe("who sent a request", () => {
  it("is a service by its signature, a person by a token, and else nobody known", async () => {
    const { trust, token } = new AuthSite();
    expect(await authenticate(await signed(POST), trust)).toEqual({
      kind: "service",
      name: "agent",
      roles: ["agent"],
      kid: kidOf(agentKey),
    });
    expect(await authenticate(plus(GET, ["AUTHORIZATION", `bearer  ${token}`]), trust)).toMatchObject({
      kind: "person",
      name: "Ada",
      roles: ["auditor"],
    });
    expect(await authenticate(POST, trust)).toEqual({ kind: "anonymous", name: "anonymous", roles: [] });
  });

  it.each<[string, HeaderLine]>([
    ["half a signature", ["signature", "quiesce=:AA==:"]],
    ["an empty token", ["authorization", ""]],
    ["a password", ["authorization", "Basic QWRhOnNlY3JldA=="]],
  ])("is nobody's guess with %s: it is refused", async (_, line) => {
    const { trust } = new AuthSite();
    expect(await codeOf(() => authenticate(plus(GET, line), trust))).toMatch(
      /^auth\/(?:signature-missing|authorization)$/,
    );
  });
});
