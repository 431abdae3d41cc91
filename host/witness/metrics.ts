/** What Prometheus scrapes of a witness. Label values are statuses, and origins and kinds of what was configured. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { WitnessBooks } from "./store.ts";

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class WitnessMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter<"status">;
  readonly #durations: Histogram;
  readonly #commits: Histogram;

  constructor() {
    const registers = [this.registry];
    const named = (name: string, help: string) => ({ name: `quiesce_witness_${name}`, help, registers });
    this.#requests = new Counter({
      ...named("requests_total", "Requests for a cosignature by status."),
      labelNames: ["status"],
    });
    this.#durations = new Histogram({
      ...named("request_duration_seconds", "From a request's header to its answer."),
      buckets: SECONDS,
    });
    this.#commits = new Histogram({
      ...named("commit_duration_seconds", "Durable commits of the store."),
      buckets: SECONDS,
    });
    collectDefaultMetrics({ register: this.registry });
  }

  /** Read when they are scraped. */
  observe(books: WitnessBooks): void {
    const registers = [this.registry];
    const byLog = (name: string, help: string, measure: (head: { size: number; seconds: number }) => number) =>
      new Gauge({
        name: `quiesce_witness_${name}`,
        help,
        registers,
        labelNames: ["origin"],
        collect() {
          for (const head of books.heads()) this.set({ origin: head.origin }, measure(head));
        },
      });
    byLog("head_size", "Leaves of the newest cosigned head.", ({ size }) => size);
    byLog("cosigned_timestamp_seconds", "When the newest head was cosigned.", ({ seconds }) => seconds);
    new Gauge({
      name: "quiesce_witness_conflicts",
      help: "Heads that the log signed and that were not cosigned, as far as they are kept.",
      registers,
      labelNames: ["origin", "kind"],
      collect() {
        this.reset();
        for (const { origin, kind } of books.conflicts()) this.inc({ origin, kind });
      },
    });
  }

  done(status: number, seconds: number): void {
    this.#requests.inc({ status });
    this.#durations.observe(seconds);
  }

  committed(seconds: number): void {
    this.#commits.observe(seconds);
  }
}
