/** The OpenAPI 3.1 document: what stands in the schemas of the routes, and what holds for all of them. */
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { ROLES } from "../auth/principal.ts";
import { SIGNATURE_TAG } from "../auth/profile.ts";

const DESCRIPTION = `Issues licenses to governors on their evidence, takes their usage reports, and keeps the ceremony of pause and resume.

Objects are COSE and deterministic CBOR: docs/protocol.md has their CDDL. In JSON, ids are lower-case hex, objects are
base64url without padding, integers of 64 bits and more are decimal strings, and times end in \`Ms\` or \`Seconds\`.

A refusal is a problem document (RFC 9457) with a literal \`code\`. Every answer has an \`X-Request-Id\`; a request may bring
one of 8 to 64 letters, digits, or \`._~-\`. Credentials that are sent are judged on every operation. An address that is
known answers a method that it does not take with 405 and \`Allow\`, and \`OPTIONS\` with 204 and \`Allow\`.`;

const TAGS = {
  verifier: "what this verifier is",
  licenses: "nonces, evidence, licenses, recoveries, verdicts",
  frost: "signatures by a key that no one holds: both rounds between its holders' verifiers",
  reports: "usage reports and openings of their intervals",
  devices: "enrolment and the registry",
  orders: "pause, slow, resume: drafts, approvals, delivery",
  agreements: "the agreement and its amendments",
  log: "the transparency log: heads, tiles, entries, proofs; and heads that were shown",
  time: "beacons, time proofs, events",
  oversight: "usage, leak bound, policy, audit trail",
  access: "tokens of people and keys of programs, for admins",
  operations: "for whoever runs the service",
};

const IF_NONE_MATCH = {
  type: "object",
  properties: { "If-None-Match": { type: "string", description: "the ETag of what the asker has" } },
};

export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Quiesce verifier",
        description: DESCRIPTION,
        version,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/", description: "where this document was read" }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          token: {
            type: "http",
            scheme: "bearer",
            description: `A person's token. Roles: ${ROLES.join(", ")}. It is made by \`quiesce verifier token create\`.`,
          },
          signature: {
            type: "apiKey",
            in: "header",
            name: "Signature",
            description: `An HTTP message signature (RFC 9421) by Ed25519 with the tag "${SIGNATURE_TAG}", and its \`Signature-Input\`: docs/auth.md. The key is registered by \`quiesce verifier client add\`.`,
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const response = { ...(schema?.response as object), ...route.config?.problems };
      const headers = "304" in response ? { headers: IF_NONE_MATCH } : {};
      const body = route.config?.content;
      return { schema: { ...schema, response, ...headers, ...(body && { body }) }, url };
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => (json.$id as string | undefined) ?? `def-${index}`,
    },
  });
}
