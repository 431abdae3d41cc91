/** Rate limits by who asks: a known client by its name, all others by their address. Each class has its own buckets. */
import type { FastifyRequest } from "fastify";
import { addressKey, RateLimiter } from "../auth/rate.ts";
import type { RateLimit } from "../service/config/config.ts";
import type { RateClass } from "./operation.ts";
import { HttpProblem } from "./problem-codes.ts";

export interface RateOptions {
  readonly read: RateLimit;
  readonly evidence: RateLimit;
  readonly write: RateLimit;
  /** Of requests whose credentials did not hold, by address. */
  readonly failures: RateLimit;
  /** Callers that are remembered. */
  readonly callersMax: number;
}

/** Those who are known and those who are not have buckets of their own, so that nobody unknown fills up the others'. */
type Limiters = { readonly known: RateLimiter; readonly unknown: RateLimiter };

export class Rates {
  readonly #limiters: ReadonlyMap<RateClass | "failures", Limiters>;
  readonly #now: () => number;

  constructor(options: RateOptions, now: () => number = Date.now) {
    const classes = ["read", "evidence", "write", "failures"] as const;
    this.#limiters = new Map(
      classes.flatMap((name) => {
        const { perSecond, burst } = options[name];
        const limits = { ratePerSecond: perSecond, burst, keysMax: options.callersMax };
        const make = () => ({ known: new RateLimiter(limits), unknown: new RateLimiter(limits) });
        return perSecond > 0 ? [[name, make()] as const] : [];
      }),
    );
    this.#now = now;
  }

  /** Undefined: it may go on. */
  refusal(rate: RateClass, request: FastifyRequest): HttpProblem | undefined {
    const limiters = this.#limiters.get(rate);
    if (limiters === undefined) return undefined;
    const { kind, name, kid, tokenId } = request.principal;
    if (kind === "anonymous") return this.#take(limiters.unknown, addressOf(request));
    return this.#take(limiters.known, `${kind} ${kid ?? tokenId ?? name}`);
  }

  /** Counts a failure; the caller is refused once it has too many. */
  failure(request: FastifyRequest): HttpProblem | undefined {
    const limiters = this.#limiters.get("failures");
    return limiters && this.#take(limiters.unknown, addressOf(request));
  }

  #take(limiter: RateLimiter, caller: string): HttpProblem | undefined {
    const taken = limiter.take(caller, 1, this.#now());
    if (taken.ok) return undefined;
    return new HttpProblem("request/rate", undefined, { retryAfterSeconds: taken.retryAfterSeconds });
  }
}

/** Who comes through a Unix socket is this machine. */
function addressOf(request: FastifyRequest): string {
  const { ip } = request;
  return ip === undefined || ip === "" ? "socket" : addressKey(ip);
}
