/**
 * One operation of the API, said once: who may, what it takes, what it answers. From it come the checks of a request,
 * the serializer of the answer, and the OpenAPI document.
 */
import { type Static, type TSchema, type TUint8Array, Type } from "@sinclair/typebox";
import type { FastifyContextConfig, RouteShorthandOptions } from "fastify";
import { ROUTES, type RouteId } from "../auth/access.ts";
import type { BodyForm, MediaType } from "./media.ts";
import { numbersHook } from "./numbers.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import { CLASS_STATUS, type ProblemClass } from "./problem-codes.ts";
import { Named } from "./schemas/basic.ts";
import { Problem } from "./schemas/problem.ts";

/** Which bucket of the rate limits a request draws on. */
export type RateClass = "none" | "read" | "evidence" | "write";

export interface Operation {
  readonly id: RouteId;
  readonly body: BodyForm | undefined;
  readonly rate: RateClass;
  /** Its successes are logged for those who debug only. */
  readonly isQuiet: boolean;
  /** Recorded in the audit trail, refused or not. */
  readonly isAudited: boolean;
}

declare module "fastify" {
  interface FastifyContextConfig {
    operation?: Operation;
    /** Answers of refusals by status: only the document needs their schemas. */
    problems?: Readonly<Record<string, unknown>>;
    /** The body by media type: only JSON is validated, so only the document needs the others. */
    content?: Readonly<Record<string, unknown>>;
    /** Integers of path and query. */
    numbers?: ReturnType<typeof numbersHook>;
  }
}

/** What a body is: its forms by media type, and the type of what the handler gets. */
export interface Body<B extends TSchema> extends BodyForm {
  readonly schemas: Readonly<Partial<Record<MediaType, TSchema>>>;
  readonly value?: B;
}

type Answer = { readonly description: string } & Record<string, unknown>;

export interface OperationSpec<P extends TSchema, Q extends TSchema, B extends TSchema> {
  /** Its row in the table of access. */
  readonly route: RouteId;
  readonly name: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: Body<B>;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Classes of refusals beyond those that follow from the rest. */
  readonly problems?: readonly ProblemClass[];
  readonly rate?: RateClass;
  readonly isQuiet?: boolean;
  readonly isAudited?: boolean;
}

/** A media type's bytes, which the app does not look into. */
const BINARY: TSchema = Type.Unsafe<Uint8Array>({});

export function bytesBody(types: readonly MediaType[], bytesMax: number): Body<TUint8Array> {
  return { types, bytesMax, schemas: Object.fromEntries(types.map((type) => [type, BINARY])) };
}

/** JSON has room for each object in base64url, and for the members around them. */
const JSON_BYTES_MAX = 65_536;

export function jsonBody<B extends TSchema>(schema: B): Body<B> {
  return { types: ["application/json"], bytesMax: JSON_BYTES_MAX, schemas: { "application/json": schema } };
}

/** Either of the two. */
export function eitherBody<A extends TSchema, B extends TSchema>(a: Body<A>, b: Body<B>) {
  const body: Body<TSchema & { static: Static<A> | Static<B> }> = {
    types: [...a.types, ...b.types],
    bytesMax: Math.max(a.bytesMax, b.bytesMax),
    schemas: { ...a.schemas, ...b.schemas },
  };
  return body;
}

export function jsonAnswer(description: string, schema: TSchema): Answer {
  return { description, content: { "application/json": { schema } } };
}

export function bytesAnswer(description: string, type: string): Answer {
  return { description, content: { [type]: { schema: BINARY } } };
}

export function noAnswer(description: string): Answer {
  return { description, type: "null" };
}

type None = TSchema & { static: unknown };

/** As Fastify is given it: the schemas' types are those of what a handler gets. */
type OperationRoute<P, Q, B> = RouteShorthandOptions & { schema: { params: P; querystring: Q; body: B } };

export function operation<P extends TSchema = None, Q extends TSchema = None, B extends TSchema = None>(
  spec: OperationSpec<P, Q, B>,
) {
  const { route, body, params, query } = spec;
  const operation: Operation = {
    id: route,
    body: body && { types: body.types, bytesMax: body.bytesMax },
    rate: spec.rate ?? (body ? "write" : "read"),
    isQuiet: spec.isQuiet ?? body === undefined,
    isAudited: spec.isAudited ?? false,
  };
  const schema = {
    operationId: spec.name,
    tags: [spec.tag],
    summary: spec.summary,
    description: [spec.description, accessText(route)].filter(Boolean).join(" "),
    security: securityOf(route),
    "x-route": route,
    "x-access": ROUTES[route],
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body?.schemas["application/json"] && { body: contentOf(body, ["application/json"]) }),
    response: spec.answers,
  };
  const config: FastifyContextConfig = {
    operation,
    problems: problemAnswers(spec),
    ...(body && { content: contentOf(body, body.types) }),
    numbers: numbersHook(params, query),
  };
  return { schema, config, ...(body && { bodyLimit: body.bytesMax }) } as unknown as OperationRoute<P, Q, B>;
}

function contentOf({ schemas }: Body<TSchema>, types: readonly MediaType[]) {
  return { content: Object.fromEntries(types.map((type) => [type, { schema: schemas[type] }])) };
}

function accessText(route: RouteId): string {
  const access = ROUTES[route];
  if (access === "public") return "Anyone may.";
  if (access === "evidence") return "Anyone may who brings it: what a device signed stands for itself.";
  return `Roles: ${access.join(", ")}.`;
}

/** Credentials that are sent are judged everywhere, so an open operation lists none as a choice of its own. */
function securityOf(route: RouteId): Record<string, string[]>[] {
  const access = ROUTES[route];
  const credentials: Record<string, string[]>[] = [{ token: [] }, { signature: [] }];
  return typeof access === "string" ? [{}, ...credentials] : credentials;
}

const PROBLEM_TEXTS: Readonly<Partial<Record<number, string>>> = {
  400: "malformed: the sender's software is broken",
  401: "unauthorized: the credentials are missing or do not hold",
  403: "against policy or forbidden: it is understood, and may not be",
  404: "unknown: there is no such thing",
  409: "more signatures are needed, and `draft`, `have` and `need` say how to go on; or it is about what is not here yet",
  413: "too large",
  415: "the body's media type or coding is not taken here",
  422: "invalid: the object is not what it claims to be",
  429: "too many requests: Retry-After says when",
  500: "a fault of the verifier",
  503: "the verifier cannot answer now",
};

function problemAnswers<P extends TSchema, Q extends TSchema, B extends TSchema>(spec: OperationSpec<P, Q, B>) {
  const classes: ProblemClass[] = ["unauthorized", "rate", "internal", "unavailable", ...(spec.problems ?? [])];
  if (spec.body) classes.push("malformed", "too-large", "media-type");
  if (spec.params || spec.query) classes.push("malformed");
  if (typeof ROUTES[spec.route] !== "string") classes.push("forbidden");
  const statuses = [...new Set(classes.map((name) => CLASS_STATUS[name]))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const content = { [PROBLEM_TYPE]: { schema: status === 409 ? MoreSignatures : Named(Problem) } };
      return [status, { description: PROBLEM_TEXTS[status]!, content, ...PROBLEM_HEADERS[status] }];
    }),
  );
}

const PROBLEM_HEADERS: Readonly<Partial<Record<number, { headers: Record<string, TSchema> }>>> = {
  401: { headers: { "WWW-Authenticate": Type.String({ description: "RFC 9110 section 11.6.1" }) } },
  429: { headers: { "Retry-After": Type.Integer({ description: "in seconds", minimum: 1 }) } },
};

const MoreSignatures = Type.Intersect([
  Named(Problem),
  Type.Object({
    draft: Type.Optional(Type.String({ description: "the object as far as it is signed, in base64url" })),
    have: Type.Optional(Type.Integer({ minimum: 0 })),
    need: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
]);
