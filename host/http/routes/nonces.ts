/** Nonces: what the next evidence of a device must be over. */
import type { App, RouteContext } from "../app-types.ts";
import { jsonAnswer, jsonBody, operation } from "../operation.ts";
import { NonceAnswer, NonceRequest } from "../schemas/licenses.ts";
import { hexBytes, hexText } from "../wire.ts";

export function nonceRoutes(app: App, { service }: RouteContext): void {
  app.post(
    "/v1/nonces",
    operation({
      route: "nonces.create",
      name: "createNonce",
      tag: "licenses",
      summary: "A nonce for the next evidence of a device.",
      body: jsonBody(NonceRequest),
      answers: { 201: jsonAnswer("good for one evidence, until it expires", NonceAnswer) },
      problems: ["policy", "unknown"],
      rate: "evidence",
      isQuiet: true,
    }),
    async (request, reply) => {
      const { nonce, expiresMs } = await service.nonce(hexBytes(request.body.ueid));
      reply.code(201);
      return { nonce: hexText(nonce), expiresMs };
    },
  );
}
