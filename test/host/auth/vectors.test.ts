/** Published examples of RFC 9421 (sections 2 and B.2.6) and RFC 9530. */
import { describe, expect, it } from "vitest";
import { checkContentDigest, contentDigest } from "../../../host/auth/digest.ts";
import { type InnerList, isInnerList, parseDictionary } from "../../../host/auth/fields.ts";
import { headerLinesOf, RequestHeaders } from "../../../host/auth/headers.ts";
import type { AuthRequest } from "../../../host/auth/request.ts";
import { signatureBase } from "../../../host/auth/signature-base.ts";
import { ed25519Signer, ed25519Verify } from "../../../host/protocol/cose-key.ts";
import { GET } from "./site.ts";

const text = new TextEncoder();
const SHA_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
const SHA_512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

/** RFC 9421 appendix B.2, "test-request". */
const REQUEST: AuthRequest = {
  method: "POST",
  scheme: "https",
  authority: "example.com",
  target: "/foo?param=Value&Pet=dog",
  headers: headerLinesOf([
    ...["Host", "example.com", "Date", "Tue, 20 Apr 2021 02:07:55 GMT", "Content-Type", "application/json"],
    ...["Content-Digest", SHA_512, "Content-Length", "18"],
  ]),
  body: text.encode('{"hello": "world"}'),
};

const covered = (input: string): InnerList => {
  const [member] = parseDictionary(input, "signature-input").values();
  if (member === undefined || !isInnerList(member)) throw new Error("no inner list");
  return member;
};
const componentsOf = (request: AuthRequest, names: string) =>
  signatureBase(request, covered(`sig=(${names})`))
    .split("\n")
    .slice(0, -1);

describe("RFC 9421 appendix B.2.6", () => {
  const signer = ed25519Signer(Buffer.from("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU", "base64url"));
  const input =
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")' +
    ';created=1618884473;keyid="test-key-ed25519"';
  const base = signatureBase(REQUEST, covered(input));

  it("has the public key of its private key", () => {
    expect(Buffer.from(signer.publicKey).toString("base64url")).toBe("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs");
  });

  it("has this signature base", () => {
    expect(base).toBe(
      [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")' +
          ';created=1618884473;keyid="test-key-ed25519"',
      ].join("\n"),
    );
  });

  it("has this signature", () => {
    const signature = Buffer.from(
      "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
      "base64",
    );
    expect(Buffer.from(signer.sign(text.encode(base)))).toEqual(signature);
    expect(ed25519Verify(signature, text.encode(base), signer.publicKey)).toBe(true);
    expect(ed25519Verify(signature, text.encode(`${base}\n`), signer.publicKey)).toBe(false);
  });
});

describe("the signature base", () => {
  it("is that of RFC 9421 section 2.5", () => {
    const input =
      'sig1=("@method" "@authority" "@path" "content-digest" "content-length" "content-type")' +
      ';created=1618884473;keyid="test-key-rsa-pss"';
    expect(signatureBase(REQUEST, covered(input))).toBe(
      [
        '"@method": POST',
        '"@authority": example.com',
        '"@path": /foo',
        `"content-digest": ${SHA_512}`,
        '"content-length": 18',
        '"content-type": application/json',
        '"@signature-params": ("@method" "@authority" "@path" "content-digest" "content-length" "content-type")' +
          ';created=1618884473;keyid="test-key-rsa-pss"',
      ].join("\n"),
    );
  });

  it("of no components has the parameters alone", () => {
    expect(signatureBase(REQUEST, covered("sig=();created=1"))).toBe('"@signature-params": ();created=1');
  });

  it("has header values as in RFC 9421 section 2.1", () => {
    const headers = headerLinesOf([
      ...["X-OWS-Header", "   Leading and trailing whitespace.  \t", "X-Empty-Header", ""],
      ...["Cache-Control", "max-age=60", "Cache-Control", "    must-revalidate"],
      ...["Example-Dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c)"],
    ]);
    const names = '"cache-control" "example-dict" "x-ows-header" "x-empty-header"';
    expect(componentsOf({ ...GET, headers }, names)).toEqual([
      '"cache-control": max-age=60, must-revalidate',
      '"example-dict": a=1,    b=2;x=1;y=2,   c=(a   b   c)',
      '"x-ows-header": Leading and trailing whitespace.',
      '"x-empty-header": ',
    ]);
  });

  it("has derived components as in RFC 9421 section 2.2", () => {
    const request: AuthRequest = { ...GET, authority: "www.EXAMPLE.com:443", target: "/path?param=value" };
    const names = '"@method" "@target-uri" "@authority" "@scheme" "@request-target" "@path" "@query"';
    expect(componentsOf(request, names)).toEqual([
      '"@method": GET',
      '"@target-uri": https://www.example.com/path?param=value',
      '"@authority": www.example.com',
      '"@scheme": https',
      '"@request-target": /path?param=value',
      '"@path": /path',
      '"@query": ?param=value',
    ]);
    expect(componentsOf({ ...request, target: "/path" }, '"@query" "@request-target"')).toEqual([
      '"@query": ?',
      '"@request-target": /path',
    ]);
  });

  it.each<[string, "http" | "https", string]>([
    ["Verifier.Example", "https", "verifier.example"],
    ["verifier.example:443", "https", "verifier.example"],
    ["verifier.example:443", "http", "verifier.example:443"],
    ["verifier.example:80", "http", "verifier.example"],
    ["127.0.0.1:8443", "https", "127.0.0.1:8443"],
    ["[2001:DB8::1]:443", "https", "[2001:db8::1]"],
  ])("has the authority %s under %s as %s", (authority, scheme, expected) => {
    expect(componentsOf({ ...GET, authority, scheme }, '"@authority"')).toEqual([`"@authority": ${expected}`]);
  });

  it("leaves percent-encoding, dots and case of a path as they are", () => {
    const target = "/a/../%7e//B?x=%2F+1";
    expect(componentsOf({ ...GET, target }, '"@path" "@query"')).toEqual([
      '"@path": /a/../%7e//B',
      '"@query": ?x=%2F+1',
    ]);
  });

  it("takes no letter beyond ASCII for one of a header's name", () => {
    expect(new RequestHeaders([["\u212aeep-Alive", "1"]]).has("keep-alive")).toBe(false);
    expect(new RequestHeaders([["KEEP-Alive", "1"]]).value("keep-alive")).toBe("1");
  });
});

describe("Content-Digest", () => {
  it("is that of the examples in RFC 9421 and RFC 9530", () => {
    expect(contentDigest(REQUEST)).toBe(SHA_256);
    const withLineFeed = { ...REQUEST, body: text.encode('{"hello": "world"}\n') };
    expect(contentDigest(withLineFeed)).toBe("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
  });

  it("may be SHA-256, SHA-512 or both, of the bytes or of what hashed them", () => {
    const body = {
      lengthBytes: 18,
      sha256: Buffer.from(SHA_256.slice(9, -1), "base64"),
      sha512: Buffer.from(SHA_512.slice(9, -1), "base64"),
    };
    for (const request of [REQUEST, { ...REQUEST, body }]) {
      for (const digest of [SHA_256, SHA_512, `${SHA_512}, ${SHA_256}`]) {
        expect(() => checkContentDigest(digest, request)).not.toThrow();
      }
      const half = SHA_256.replace("X48E", "X48F");
      expect(() => checkContentDigest(`${SHA_512}, ${half}`, request)).toThrow("the body is not the one");
    }
  });

  it("of an empty body is that of no bytes", () => {
    expect(contentDigest({ ...REQUEST, body: undefined })).toBe(
      "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    );
  });
});
