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

export class Rates {
  readonly #limiters: ReadonlyMap<RateClass | "failures", RateLimiter>;
  readonly #now: () => number;

  constructor(options: RateOptions, now: () => number = Date.now) {
    const classes = ["read", "evidence", "write", "failures"] as const;
    this.#limiters = new Map(
      classes.flatMap((name) => {
        const { perSecond, burst } = options[name];
        const limits = { ratePerSecond: perSecond, burst, keysMax: options.callersMax };
        return perSecond > 0 ? [[name, new RateLimiter(limits)] as const] : [];
      }),
    );
    this.#now = now;
  }

  /** Undefined: it may go on. */
  refusal(rate: RateClass, request: FastifyRequest): HttpProblem | undefined {
    const limiter = this.#limiters.get(rate);
    return limiter && this.#take(limiter, callerOf(request));
  }

  /** Counts a failure; the caller is refused once it has too many. */
  failure(request: FastifyRequest): HttpProblem | undefined {
    const limiter = this.#limiters.get("failures");
    return limiter && this.#take(limiter, addressOf(request));
  }

  #take(limiter: RateLimiter, caller: string): HttpProblem | undefined {
    const taken = limiter.take(caller, 1, this.#now());
    if (taken.ok) return undefined;
    return new HttpProblem("request/rate", undefined, { retryAfterSeconds: taken.retryAfterSeconds });
  }
}

function callerOf(request: FastifyRequest): string {
  const { kind, name, kid, tokenId } = request.principal;
  return kind === "anonymous" ? addressOf(request) : `${kind} ${kid ?? tokenId ?? name}`;
}

/** Who comes through a Unix socket is this machine. */
function addressOf(request: FastifyRequest): string {
  const { ip } = request;
  return ip === undefined || ip === "" ? "socket" : addressKey(ip);
}
