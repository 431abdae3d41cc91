/** docs/auth.md says what the code does: another's client can be written from it. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ROUTES } from "../../../host/auth/access.ts";
import { createClient } from "../../../host/auth/client.ts";
import { AUTH_ERRORS } from "../../../host/auth/errors.ts";
import { isInnerList, parseDictionary } from "../../../host/auth/fields.ts";
import type { HeaderLine } from "../../../host/auth/headers.ts";
import { MemoryClientStore, MemoryReplayStore } from "../../../host/auth/memory.ts";
import { ROLES } from "../../../host/auth/principal.ts";
import type { AuthRequest } from "../../../host/auth/request.ts";
import { signRequest } from "../../../host/auth/sign.ts";
import { signatureBase } from "../../../host/auth/signature-base.ts";
import { verifySignature } from "../../../host/auth/verify.ts";
import { ed25519Signer } from "../../../host/protocol/cose-key.ts";
import { kidOf } from "./site.ts";

const page = readFileSync(new URL("../../../docs/auth.md", import.meta.url), "utf8");
/** RFC 9421 appendix B.1.4. */
const signer = ed25519Signer(Buffer.from("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU", "base64url"));
const examples = [...page.matchAll(/^```http\n([\s\S]*?)^```\n\nIts signature base:\n\n```\n([\s\S]*?)\n```/gm)];
const rows = (section: string) =>
  [
    ...page
      .split(`## ${section}\n`)[1]!
      .split("\n## ")[0]!
      .matchAll(/^\| `([^`]+)` \|(?: (.*?) \|)? (.*?) \|$/gm),
  ].map(([, ...cells]) => cells);

function requestOf(text: string): AuthRequest {
  const [head, body] = text.split(/\n\n|\n$/) as [string, string];
  const [first, ...lines] = head.split("\n");
  const [method, target] = first!.split(" ") as [string, string];
  const headers = lines.map((line): HeaderLine => [line.split(": ", 1)[0]!, line.slice(line.indexOf(": ") + 2)]);
  const bytes = body === "" ? undefined : new TextEncoder().encode(body.trimEnd());
  return { method, scheme: "https", authority: "verifier.example", target, headers, body: bytes };
}

describe("the worked examples", () => {
  it("are two, with a key that its keyid names", () => {
    expect(examples.length).toBe(2);
    expect(page).toContain(`\`keyid\` is \`${kidOf(signer)}\``);
  });

  it.each(examples.map(([, request, base]) => ({ request: requestOf(request!), base: base! })))(
    "are what the code makes: $request.method",
    async ({ request, base }) => {
      const added = request.headers.filter(([name]) => /^(?:content-digest|signature|signature-input)$/.test(name));
      const input = added.find(([name]) => name === "signature-input")![1];
      const [covered] = parseDictionary(input, "signature-input").values();
      if (covered === undefined || !isInnerList(covered)) throw new Error("no inner list");
      expect(signatureBase(request, covered)).toBe(base);

      const plain = { ...request, headers: request.headers.filter((line) => !added.includes(line)) };
      const nowMs = Number(covered.parameters.get("created")) * 1000;
      const nonce = String(covered.parameters.get("nonce"));
      expect(await signRequest(plain, signer, { nowMs, nonce })).toEqual(added);

      const clients = new MemoryClientStore();
      await clients.addClient(
        createClient({ publicKey: signer.publicKey, name: "example", roles: ["registrar"], nowMs }),
      );
      const replays = new MemoryReplayStore(() => nowMs);
      const trust = { clients, replays, authorities: new Set(["verifier.example"]), nowMs };
      expect((await verifySignature(request, trust)).name).toBe("example");
    },
  );
});

describe("the tables", () => {
  it("say of every route who may use it", () => {
    const whoOf = (access: string | readonly string[]) => (access === "public" ? "anyone" : [access].flat().join(", "));
    const listed = rows("Roles").filter(([, request]) => request !== undefined);
    expect(listed.map(([route, , who]) => [route, who])).toEqual(
      Object.entries(ROUTES).map(([route, access]) => [route, whoOf(access)]),
    );
    expect(new Set(listed.map(([, request]) => request)).size).toBe(listed.length);
  });

  it("name every role", () => {
    const roles = rows("Roles").filter(([, request]) => request === undefined);
    expect(roles.map(([role]) => role)).toEqual([...ROLES]);
  });

  it("list every code with its status and its phrase", () => {
    const status = { unauthorized: "401", forbidden: "403", malformed: "400", unavailable: "503" };
    expect(rows("Codes")).toEqual(
      Object.entries(AUTH_ERRORS).map(([code, [errorClass, phrase]]) => [code, status[errorClass], phrase]),
    );
  });
});
