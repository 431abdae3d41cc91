/** What is not there: 404 at an unknown address; 405 for a method that a known one does not take (RFC 9110 section 15.5.6). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { mustClose } from "./media.ts";
import { ofCode, sendProblem } from "./problem.ts";

type Known = { readonly pattern: RegExp; readonly methods: Set<string> };

/** The addresses of an app and what each takes. To be made before the routes are. */
export class AddressTable {
  readonly #known = new Map<string, Known>();

  constructor(app: FastifyInstance) {
    app.addHook("onRoute", ({ url, method }) => {
      const known = this.#known.get(url) ?? { pattern: patternOf(url), methods: new Set(["OPTIONS"]) };
      for (const name of [method].flat()) known.methods.add(name);
      this.#known.set(url, known);
    });
  }

  /** The methods that an address takes; undefined for one that is not known. */
  allowed(path: string): string | undefined {
    const methods = new Set<string>();
    for (const { pattern, methods: taken } of this.#known.values()) {
      if (pattern.test(path)) for (const method of taken) methods.add(method);
    }
    return methods.size === 0 ? undefined : [...methods].sort().join(", ");
  }
}

/** A request that no route takes is answered as soon as its header is there. */
export function answerNotFound(addresses: AddressTable) {
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const { method, url = "" } = request.raw;
    const allowed = addresses.allowed(url.split("?", 1)[0]!);
    if (mustClose(request)) reply.header("connection", "close");
    if (allowed === undefined) {
      sendProblem(ofCode("request/nothing-here"), request, reply);
      return;
    }
    reply.header("allow", allowed);
    if (method === "OPTIONS") reply.code(204).send();
    else sendProblem(ofCode("request/method", allowed), request, reply);
  };
}

function patternOf(url: string): RegExp {
  const parts = url
    .split("/")
    .map((part) =>
      part === "*" ? ".*" : part.startsWith(":") ? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
    );
  return new RegExp(`^${parts.join("/")}$`);
}
