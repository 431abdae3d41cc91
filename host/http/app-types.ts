/** The app's own types: what hooks put on a request, and how a handler's arguments follow from its schemas. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Static, TSchema } from "@sinclair/typebox";
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider } from "fastify";
import type { Principal } from "../auth/principal.ts";
import type { ClientStore, TokenStore } from "../auth/stores.ts";
import type { VerifierService } from "../service/service.ts";
import type { EventHub } from "./events.ts";
import type { ServiceMetrics } from "./metrics.ts";

export interface SchemaTypes extends FastifyTypeProvider {
  validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
  serializer: unknown;
}

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, SchemaTypes>;

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks: set before a handler runs. */
    principal: Principal;
    /** The code of the refusal, or empty. */
    outcome: string;
    /** What an audited request is about; empty where its path says it. */
    subject: string;
    /** Of a JSON body, as it came: signatures are over bytes. */
    rawBody: Buffer | undefined;
  }
}

/** What routes work with. */
export interface RouteContext {
  readonly service: VerifierService;
  readonly metrics: ServiceMetrics;
  readonly events: EventHub;
  readonly lifecycle: Lifecycle;
  readonly policy: Readonly<Record<string, unknown>>;
  /** Between beacons: how long caches may keep one is a part of it. */
  readonly beaconSeconds: number;
  readonly importBytesMax: number;
  /** Who may come in; undefined: nobody changes that over HTTP. */
  readonly access: { readonly tokens: TokenStore; readonly clients: ClientStore } | undefined;
  /** Wall clock in ms. */
  readonly now: () => number;
  /** Only where the clock is simulated. */
  readonly setClock: ((nowMs: number) => void) | undefined;
}

/** Once it is closing, /readyz says so and connections are not kept. */
export interface Lifecycle {
  isClosing: boolean;
}
