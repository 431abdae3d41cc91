/**
 * Server-sent events (WHATWG HTML, section 9.2): one subscription to the service, written to everyone who listens. They
 * are a nudge and not the truth: whoever connects, or was cut off, fetches beacon and orders anew. So a reader who is
 * slow is not waited for but dropped, and nothing is kept for those who are away.
 */
import type { ServerResponse } from "node:http";
import type { ServiceEvent, VerifierService } from "../service/service.ts";
import type { ServiceMetrics } from "./metrics.ts";
import { orderJson } from "./views.ts";
import { base64urlText } from "./wire.ts";

export interface EventOptions {
  /** Listeners at one time. */
  readonly listenersMax: number;
  /** A comment keeps proxies from closing a connection on which nothing happens. */
  readonly heartbeatSeconds: number;
  /** What may wait for a slow reader. */
  readonly backlogBytesMax: number;
}

const RETRY_MS = 2000;

export class EventHub {
  readonly #options: EventOptions;
  readonly #metrics: ServiceMetrics;
  readonly #listeners = new Set<ServerResponse>();
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(service: Pick<VerifierService, "subscribe">, options: EventOptions, metrics: ServiceMetrics) {
    this.#options = options;
    this.#metrics = metrics;
    this.#unsubscribe = service.subscribe((event) => this.#send(eventText(event)));
    this.#heartbeat = setInterval(() => this.beat(), options.heartbeatSeconds * 1000);
    this.#heartbeat.unref();
  }

  get isFull(): boolean {
    return this.#listeners.size >= this.#options.listenersMax;
  }

  /** Writes to it from now on, until it closes. Its header is sent already. */
  add(response: ServerResponse): void {
    this.#listeners.add(response);
    this.#metrics.listeners.set(this.#listeners.size);
    response.once("close", () => {
      this.#listeners.delete(response);
      this.#metrics.listeners.set(this.#listeners.size);
    });
    response.write(`retry: ${RETRY_MS}\n: listening\n\n`);
  }

  /** Once for everyone. */
  beat(): void {
    this.#send(":\n\n");
  }

  /** Ends all streams; clients connect to another process, or to this one's successor. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#unsubscribe();
    for (const response of this.#listeners) response.end();
  }

  #send(text: string): void {
    for (const response of this.#listeners) {
      if (response.writableLength + text.length <= this.#options.backlogBytesMax) {
        response.write(text);
        continue;
      }
      this.#metrics.listenersDropped.inc();
      response.destroy();
    }
  }
}

function eventText(event: ServiceEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(eventJson(event))}\n\n`;
}

function eventJson(event: ServiceEvent): Readonly<Record<string, unknown>> {
  if (event.type === "beacon") return { bytes: base64urlText(event.bytes) };
  return event.type === "order" ? orderJson(event.order) : { version: event.version };
}
