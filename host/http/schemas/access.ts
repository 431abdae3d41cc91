/** Documents of who may come in: tokens of people, keys of programs. */
import { Type } from "@sinclair/typebox";
import { ROLES } from "../../auth/principal.ts";
import { TOKEN_LIFETIME_DAYS_MAX } from "../../auth/token.ts";
import { Choice, Closed, Kid, Milliseconds, Named } from "./basic.ts";

const Roles = Type.Array(Choice(ROLES), { minItems: 1, maxItems: ROLES.length, uniqueItems: true });
const Name = Type.String({ minLength: 1, maxLength: 64, description: "printable text of at most 64 bytes" });
const RevokedMs = Type.Optional(Type.Integer({ minimum: 0, description: "it is out of use since then" }));
const TokenId = Type.String({ pattern: "^[0-9a-f]{16}$", description: "what a token is revoked by" });
const PublicKey = Type.String({
  pattern: "^[0-9a-f]{64}$",
  description: "Ed25519 public key, in hex",
  examples: ["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"],
});

const token = { id: TokenId, name: Name, roles: Roles, createdMs: Milliseconds, expiresMs: Milliseconds };

export const Token = Closed({ ...token, revokedMs: RevokedMs }, { $id: "Token" });
export const NewToken = Closed(
  { name: Name, roles: Roles, days: Type.Integer({ minimum: 1, maximum: TOKEN_LIFETIME_DAYS_MAX }) },
  { examples: [{ name: "Ada", roles: ["approver"], days: 90 }] },
);
export const MadeToken = Closed({
  ...token,
  token: Type.String({ description: "shown this once: only its hash is kept" }),
});
export const Tokens = Closed({ tokens: Type.Array(Named(Token)) });
export const TokenPath = Closed({ id: TokenId });

export const Client = Closed(
  { kid: Kid, publicKey: PublicKey, name: Name, roles: Roles, createdMs: Milliseconds, revokedMs: RevokedMs },
  { $id: "Client" },
);
export const NewClient = Closed(
  { publicKey: PublicKey, name: Name, roles: Roles },
  { examples: [{ publicKey: PublicKey.examples[0], name: "agent hall 1", roles: ["agent"] }] },
);
export const Clients = Closed({ clients: Type.Array(Named(Client)) });
export const ClientPath = Closed({ kid: Kid });

/** The one change there is: nobody comes back in. */
export const Revocation = Closed({ status: Choice(["revoked"]) }, { examples: [{ status: "revoked" }] });
