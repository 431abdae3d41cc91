/**
 * The app: routes over a `VerifierService`, and around each of them the same hooks in the same order. Nothing listens
 * yet: host/http/serve.ts does, and tests inject requests.
 */
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController, type RouteOptions } from "fastify";
import type { Logger } from "pino";
import type { Trust } from "../auth/authenticate.ts";
import type { Principal } from "../auth/principal.ts";
import type { VerifierService } from "../service/service.ts";
import { AddressTable, answerNotFound } from "./addresses.ts";
import type { App, Lifecycle, RouteContext } from "./app-types.ts";
import { auditHook } from "./audit.ts";
import { EventHub, type EventOptions } from "./events.ts";
import { Gate } from "./gate.ts";
import { logRequest } from "./logging.ts";
import { addBodyParsers } from "./media.ts";
import { ServiceMetrics } from "./metrics.ts";
import { addOpenApi } from "./openapi.ts";
import type { Operation } from "./operation.ts";
import { answerError, fieldError } from "./problem.ts";
import { type RateOptions, Rates } from "./rates.ts";
import { requestIds } from "./request-ids.ts";
import { accessRoutes } from "./routes/access.ts";
import { agreementRoutes } from "./routes/agreements.ts";
import { deviceRoutes } from "./routes/devices.ts";
import { eventRoutes } from "./routes/events.ts";
import { frostRoutes } from "./routes/frost.ts";
import { healthRoutes } from "./routes/health.ts";
import { licenseRoutes } from "./routes/licenses.ts";
import { logRoutes } from "./routes/log.ts";
import { logHeadRoutes } from "./routes/log-heads.ts";
import { nonceRoutes } from "./routes/nonces.ts";
import { orderRoutes } from "./routes/orders.ts";
import { oversightRoutes } from "./routes/oversight.ts";
import { reportRoutes } from "./routes/reports.ts";
import { timeRoutes } from "./routes/time.ts";
import { Client, Token } from "./schemas/access.ts";
import { Works } from "./schemas/basic.ts";
import { BooksRow, Device } from "./schemas/devices.ts";
import { Draft, Order } from "./schemas/orders.ts";
import { Problem } from "./schemas/problem.ts";

export interface AppOptions {
  readonly trust: Omit<Trust, "nowMs">;
  readonly rates: RateOptions;
  readonly events: EventOptions;
  readonly logger: Logger;
  /** Of the program, for the document. */
  readonly version: string;
  /** Whether clients reach it by https, here or at a proxy. */
  readonly scheme: "http" | "https";
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly proxies: readonly string[];
  /** Of host/policy/read-policy.ts. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly beaconSeconds: number;
  readonly importBytesMax: number;
  /** Who may come in; absent: nobody changes that over HTTP. */
  readonly access?: RouteContext["access"];
  /** Only where the clock is simulated. */
  readonly setClock?: (nowMs: number) => void;
  /** Default: new ones. */
  readonly metrics?: ServiceMetrics;
  /** Wall clock in ms. */
  readonly now?: () => number;
}

/** What is asked of an app beside its routes. */
export interface VerifierApp {
  readonly app: App;
  readonly lifecycle: Lifecycle;
  readonly events: EventHub;
}

/** Longer ids than any that is known here are no ids. */
const PARAMETER_CHARACTERS_MAX = 128;
const ROUTES = [
  healthRoutes,
  accessRoutes,
  agreementRoutes,
  nonceRoutes,
  licenseRoutes,
  frostRoutes,
  reportRoutes,
  deviceRoutes,
  orderRoutes,
  logHeadRoutes,
  timeRoutes,
  logRoutes,
  eventRoutes,
  oversightRoutes,
];

export async function buildApp(service: VerifierService, options: AppOptions): Promise<VerifierApp> {
  const { logger, now = Date.now, metrics = new ServiceMetrics() } = options;
  const lifecycle: Lifecycle = { isClosing: false };
  const events = new EventHub(service, options.events, metrics);
  const app = newFastify(options);
  const rates = new Rates(options.rates, now);
  const gate = new Gate({ trust: options.trust, rates, lifecycle, scheme: options.scheme, now });
  const addresses = new AddressTable(app);
  addBodyParsers(app);
  for (const schema of [Problem, Works, BooksRow, Device, Order, Draft, Token, Client]) app.addSchema(schema);
  const hooks: HookContext = { gate, metrics, logger, lifecycle };
  app.addHook("onRoute", (route) => addHooks(route, service, hooks));
  await addOpenApi(app, options.version);
  metrics.observeState(service);
  const context: RouteContext = {
    service: metrics.timed(service),
    metrics,
    events,
    lifecycle,
    policy: options.policy,
    beaconSeconds: options.beaconSeconds,
    importBytesMax: options.importBytesMax,
    access: options.access,
    now,
    setClock: options.setClock,
  };
  for (const addRoutes of ROUTES) addRoutes(app as App, context);
  addNotFound(app, addresses, hooks);
  app.addHook("preClose", (done) => {
    events.close();
    done();
  });
  await app.ready();
  return { app: app as App, lifecycle, events };
}

function newFastify({ logger, proxies }: AppOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    // The app logs requests itself, when it knows what came of them.
    logController: new LogController({ disableRequestLogging: true }),
    // A line that needs the request's id says it: no logger is made for each request.
    childLoggerFactory: (parent) => parent,
    genReqId: requestIds(),
    trustProxy: proxies.length > 0 && [...proxies],
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX, caseSensitive: true, ignoreTrailingSlash: false },
    frameworkErrors: answerError,
    // A value is of its type or refused, and what is not known is refused.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: false } },
  });
  app.setErrorHandler(answerError);
  app.setSchemaErrorFormatter(fieldError);
  app.decorateRequest("principal", null as unknown as Principal);
  app.decorateRequest("outcome", "");
  app.decorateRequest("subject", "");
  app.decorateRequest("rawBody", undefined);
  return app;
}

type HookContext = { gate: Gate; metrics: ServiceMetrics; logger: Logger; lifecycle: Lifecycle };

/** By what its operation says: the hooks of a route, once and for all its requests. */
function addHooks(route: RouteOptions, service: VerifierService, context: HookContext): void {
  const { gate } = context;
  const { operation, numbers } = route.config ?? {};
  if (operation === undefined) throw new Error(`${route.method} ${route.url} is no operation`);
  const before = operation.body ? [gate.body(operation)] : [];
  route.onRequest = gate.arrival(operation);
  route.preValidation = numbers ? [numbers, ...before] : before;
  if (operation.isAudited) route.onSend = auditHook(operation, service);
  route.onResponse = observer(String(route.method), route.url, operation, context);
}

function observer(
  method: string,
  url: string,
  operation: Pick<Operation, "isQuiet">,
  { metrics, logger, lifecycle }: HookContext,
): NonNullable<RouteOptions["onResponse"]> {
  const observed = metrics.route(method, url);
  return (request, reply, done) => {
    observed.done(reply.statusCode, request.outcome, reply.elapsedTime / 1000);
    logRequest(logger, request, reply, url, operation.isQuiet);
    // One that came before the service was stopped was told that its connection would be kept.
    if (lifecycle.isClosing) request.raw.socket.end();
    done();
  };
}

/** Answered before any body is read. */
function addNotFound(app: FastifyInstance, addresses: AddressTable, context: HookContext): void {
  const answer = answerNotFound(addresses);
  const hooks: Pick<RouteOptions, "onRequest" | "onResponse"> = {
    onRequest: (request, reply) => {
      context.gate.greet(request, reply);
      answer(request, reply);
    },
    onResponse: observer("other", "none", { isQuiet: true }, context),
  };
  // Its type names only two of the hooks that it takes.
  app.setNotFoundHandler(hooks as object, answer);
}
