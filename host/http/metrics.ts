/**
 * What Prometheus scrapes (its naming conventions: base units, `_total` for counters). Label values come from the tables
 * of routes and codes, so that nobody who asks can make new ones.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { AUTH_ERRORS } from "../auth/errors.ts";
import type { ReportOutcome, SignedAnswer, VerifierService } from "../service/service.ts";
import { STORE_ERRORS } from "../store/errors.ts";
import { VERIFIER_ERRORS } from "../verifier/errors.ts";
import { HTTP_PROBLEMS } from "./problem-codes.ts";

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

const CODES = new Set(Object.keys({ ...VERIFIER_ERRORS, ...HTTP_PROBLEMS, ...AUTH_ERRORS, ...STORE_ERRORS }));

/** What is observed of one route; looked up once, when the route is made. */
export interface RouteMetrics {
  done(status: number, outcome: string, seconds: number): void;
}

export class ServiceMetrics {
  readonly registry = new Registry();
  readonly listeners: Gauge;
  readonly listenersDropped: Counter;
  readonly #requests: Counter<"method" | "route" | "status">;
  readonly #durations: Histogram<"method" | "route">;
  readonly #refusals: Counter<"code">;
  readonly #licenses: Counter<"outcome">;
  readonly #reports: Counter<"outcome">;
  readonly #batches: Histogram;
  readonly #calls: Histogram<"call">;
  readonly #commits: Histogram;
  readonly #commitSizes: Histogram;
  readonly #publications: Histogram;

  constructor({ processMetrics = false }: { processMetrics?: boolean } = {}) {
    const registers = [this.registry];
    const named = (name: string, help: string) => ({ name: `quiesce_verifier_${name}`, help, registers });
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter<L>({ ...named(name, help), labelNames });
    const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: readonly L[]) =>
      new Histogram<L>({ ...named(name, help), buckets, labelNames });
    this.#requests = counter("http_requests_total", "Requests by route and status.", ["method", "route", "status"]);
    this.#durations = histogram("http_request_duration_seconds", "From a request's header to its answer.", SECONDS, [
      "method",
      "route",
    ]);
    this.#refusals = counter("refusals_total", "Refused requests and reports by code.", ["code"]);
    this.#licenses = counter("licenses_total", "Answers to evidence: issued, repeated, draft.", ["outcome"]);
    this.#reports = counter("reports_total", "Usage reports: taken, repeated, refused.", ["outcome"]);
    this.#batches = histogram("report_batch_size", "Usage reports in one upload.", SIZES, []);
    this.#calls = histogram("service_call_duration_seconds", "Calls of the service behind the API.", SECONDS, ["call"]);
    this.#commits = histogram("store_commit_duration_seconds", "Durable commits of the store.", SECONDS, []);
    this.#commitSizes = histogram("store_commit_size", "Requests in one commit of the store.", SIZES, []);
    this.#publications = histogram("log_publish_duration_seconds", "Signing a head of the log, durably.", SECONDS, []);
    this.listeners = new Gauge({ ...named("event_listeners", "Clients that listen to events.") });
    this.listenersDropped = counter("event_listeners_dropped_total", "Listeners that read too slowly.", []);
    if (processMetrics) collectDefaultMetrics({ register: this.registry });
  }

  /** Gauges of the service's state, read when they are scraped; what cannot be read keeps its value. */
  observeState(service: Pick<VerifierService, "about" | "ready" | "log" | "logHeads">): void {
    // Each reads for itself: what another's reading sets would be of the scrape before.
    const gauge = <L extends string>(
      name: string,
      help: string,
      read: (gauge: Gauge<L>) => unknown,
      labels: L[] = [],
    ) =>
      new Gauge({
        name: `quiesce_${name}`,
        help,
        registers: [this.registry],
        labelNames: labels,
        async collect() {
          await Promise.resolve(read(this)).catch(() => {});
        },
      });
    gauge("verifier_ready", "Whether the store answers.", async (ready) =>
      ready.set((await service.ready().catch(() => false)) ? 1 : 0),
    );
    gauge("verifier_agreement_version", "Version of the agreement in force.", async (version) =>
      version.set((await service.about()).agreementVersion),
    );
    gauge("verifier_epoch", "Epoch of the newest active order.", async (epoch) =>
      epoch.set((await service.about()).epoch),
    );
    gauge("verifier_log_size", "Entries of the log's published head.", async (size) =>
      size.set((await service.log()).size),
    );
    gauge("verifier_log_cosigned_size", "Entries that a quorum of witnesses has cosigned.", async (size) =>
      size.set((await service.log()).cosignedSize),
    );
    const witness = async (sizes: Gauge<"witness">) => {
      for (const { name, size } of (await service.log()).witnesses) sizes.set({ witness: name }, size);
    };
    gauge("verifier_log_witness_size", "Entries that each witness has cosigned.", witness, ["witness"]);
    const head = async (sizes: Gauge<"origin">) => {
      for (const { origin, size, isLinked } of (await service.logHeads()).heads)
        if (isLinked) sizes.set({ origin }, size);
    };
    gauge("log_head_size", "Leaves of the newest head of an agreement's log that is known here.", head, ["origin"]);
    gauge("log_split_views", "Pairs of heads of the agreements' logs that no one log can have.", async (views) =>
      views.set((await service.logHeads()).splitViews.length),
    );
  }

  route(method: string, route: string): RouteMetrics {
    const durations = this.#durations.labels({ method, route });
    const byStatus = new Map<number, Counter.Internal>();
    return {
      done: (status, outcome, seconds) => {
        durations.observe(seconds);
        let requests = byStatus.get(status);
        if (requests === undefined) {
          requests = this.#requests.labels({ method, route, status });
          byStatus.set(status, requests);
        }
        requests.inc();
        if (outcome !== "") this.refused(outcome);
      },
    };
  }

  refused(code: string): void {
    this.#refusals.inc({ code: CODES.has(code) ? code : "other" });
  }

  answered(answer: SignedAnswer): void {
    this.#licenses.inc({ outcome: !answer.complete ? "draft" : answer.repeated ? "repeated" : "issued" });
  }

  reported(outcomes: readonly ReportOutcome[]): void {
    this.#batches.observe(outcomes.length);
    for (const outcome of outcomes) {
      this.#reports.inc({ outcome: outcome.status });
      if (outcome.status === "refused") this.refused(outcome.code);
    }
  }

  /** For the store: one durable commit, and how many requests it was for. */
  committed(seconds: number, requests: number): void {
    this.#commits.observe(seconds);
    this.#commitSizes.observe(requests);
  }

  /** For the log: a head was signed and is durable. */
  published(seconds: number): void {
    this.#publications.observe(seconds);
  }

  /** The service, each of whose calls is timed. */
  timed(service: VerifierService): VerifierService {
    const calls = new Map<string | symbol, unknown>();
    return new Proxy(service, {
      get: (target, name) => {
        const found = calls.get(name);
        if (found !== undefined) return found;
        const member = Reflect.get(target, name, target) as unknown;
        if (typeof member !== "function" || typeof name !== "string") return member;
        const call = this.#timedCall(name, member.bind(target) as (...args: unknown[]) => unknown);
        calls.set(name, call);
        return call;
      },
    });
  }

  #timedCall(name: string, call: (...args: unknown[]) => unknown) {
    const durations = this.#calls.labels({ call: name });
    return (...args: unknown[]): unknown => {
      const begun = performance.now();
      const result = call(...args);
      if (!(result instanceof Promise)) return result;
      // Inline, since this runs for every request: a named closure costs more to make than to run.
      result.then(
        () => durations.observe((performance.now() - begun) / 1000),
        () => durations.observe((performance.now() - begun) / 1000),
      );
      return result;
    };
  }
}
