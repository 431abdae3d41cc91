import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { authenticate, challengeFor } from "../../../host/auth/authenticate.ts";
import { MemoryTokenStore } from "../../../host/auth/memory.ts";
import { bearerToken, createToken, isToken, TOKEN_LIFETIME_DAYS_MAX, verifyToken } from "../../../host/auth/token.ts";
import { AuthSite, codeOf, DAY_MS, GET, NOW_MS, plus } from "./site.ts";

const NEW = { name: "Ada", roles: ["approver", "auditor"], expiresMs: NOW_MS + DAY_MS, nowMs: NOW_MS };

describe("a token", () => {
  it("is made for a person and taken until it expires", async () => {
    const store = new MemoryTokenStore();
    const { token, record } = createToken(NEW);
    await store.addToken(record);
    expect(await verifyToken(token, store, NOW_MS + DAY_MS - 1)).toMatchObject({ name: "Ada", roles: NEW.roles });
    expect(await codeOf(() => verifyToken(token, store, NOW_MS + DAY_MS))).toBe("auth/token-expired");
  });

  it("has a form that people and scanners know it by, and is never the same twice", () => {
    const tokens = Array.from({ length: 50 }, () => createToken(NEW).token);
    for (const token of tokens) expect(token).toMatch(/^qst_[A-Za-z0-9_-]{48}$/);
    expect(new Set(tokens).size).toBe(50);
  });

  it("is not in what is stored, and its hash is", () => {
    const { token, record } = createToken(NEW);
    expect(Buffer.from(record.hash)).toEqual(createHash("sha256").update(token).digest());
    expect(record.id).toBe(Buffer.from(record.hash).toString("hex").slice(0, 16));
    const stored = JSON.stringify({ ...record, hash: Buffer.from(record.hash).toString("latin1") });
    expect(stored).not.toContain(token.slice(4, 20));
  });

  it("with a typing error is known as such before any store is asked", async () => {
    const { token } = createToken(NEW);
    const untouched = { tokenByHash: () => Promise.reject(new Error("asked")) };
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 4, max: 51 }), fc.constantFrom(...letters), async (at, letter) => {
        fc.pre(token[at] !== letter);
        const typed = token.slice(0, at) + letter + token.slice(at + 1);
        expect(await codeOf(() => verifyToken(typed, untouched, NOW_MS))).toBe("auth/token-malformed");
      }),
    );
    for (const typed of ["", token.slice(1), `${token}=`, token.toUpperCase(), token.replace("qst_", "ghp_")]) {
      expect(isToken(typed)).toBe(false);
    }
  });

  it("is not taken from a store that answers with another's record", async () => {
    const [mine, other] = [createToken(NEW), createToken(NEW)];
    for (const record of [other.record, { ...mine.record, hash: mine.record.hash.subarray(0, 31) }]) {
      const confused = { tokenByHash: async () => record };
      expect(await codeOf(() => verifyToken(mine.token, confused, NOW_MS))).toBe("auth/token-unknown");
    }
  });

  it("is revoked by its id at once, and stays so", async () => {
    const store = new MemoryTokenStore();
    const { token, record } = createToken(NEW);
    await store.addToken(record);
    expect(await store.revokeToken("0".repeat(16), NOW_MS)).toBe(false);
    expect(await store.revokeToken(record.id, NOW_MS + 5)).toBe(true);
    expect(await store.revokeToken(record.id, NOW_MS + 9)).toBe(true);
    expect(await codeOf(() => verifyToken(token, store, NOW_MS))).toBe("auth/token-revoked");
    expect(await store.tokens()).toEqual([{ ...record, revokedMs: NOW_MS + 5 }]);
  });

  it("lives for 366 days at most", async () => {
    const longest = NOW_MS + TOKEN_LIFETIME_DAYS_MAX * DAY_MS;
    expect(await codeOf(() => createToken({ ...NEW, expiresMs: longest }))).toBeUndefined();
    for (const expiresMs of [longest + 1, NOW_MS, NOW_MS - 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await codeOf(() => createToken({ ...NEW, expiresMs }))).toBe("auth/token-lifetime");
    }
  });

  it("is never repeated by what refuses it", async () => {
    const site = new AuthSite();
    const { token } = createToken(NEW);
    const wrong = [`Bearer ${token}`, `Bearer ${token}x`, `Basic ${token}`, `Bearer ${token} ${token}`, token];
    for (const value of wrong) {
      const refusal = authenticate(plus(GET, ["Authorization", value]), site.trust);
      await expect(refusal).rejects.toSatisfy((error: Error) => !error.message.includes(token.slice(4, 20)));
    }
  });
});

describe("the Authorization header", () => {
  it.each(["Bearer abc", "bearer abc", "BEARER   abc"])("%s has the token abc", (value) => {
    expect(bearerToken(value)).toBe("abc");
  });

  it.each([
    "",
    "Bearer",
    "Bearer ",
    "abc",
    "Bearer\tabc",
    "Bearer a b",
    "Bearer a,b",
    "Bearer é",
    `Bearer ${"a".repeat(513)}`,
  ])("%j has none", async (value) => {
    expect(await codeOf(() => bearerToken(value))).toBe("auth/authorization");
  });

  it("is asked for as RFC 6750 says", () => {
    expect(challengeFor("auth/needed")).toBe('Bearer realm="quiesce"');
    expect(challengeFor("auth/token-expired")).toBe('Bearer realm="quiesce", error="invalid_token"');
    expect(challengeFor("auth/authorization")).toBe('Bearer realm="quiesce", error="invalid_request"');
  });
});
