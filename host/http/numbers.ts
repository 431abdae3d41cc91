/** Integers in paths and queries are text: those that have an integer's one form become numbers before they are judged. */
import type { TSchema } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from "fastify";

const INTEGER = /^(?:0|[1-9][0-9]{0,15})$/;

/** Names of a schema's members that are integers. */
function integersOf(schema: TSchema | undefined): string[] {
  const properties = (schema?.properties ?? {}) as Readonly<Record<string, TSchema>>;
  return Object.keys(properties).filter((name) => properties[name]!.type === "integer");
}

/** The hook that makes numbers of them; undefined where there are none. Everything else is left for the schema. */
export function numbersHook(params: TSchema | undefined, query: TSchema | undefined) {
  const [inParams, inQuery] = [integersOf(params), integersOf(query)];
  if (inParams.length + inQuery.length === 0) return undefined;
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    convert(request.params, inParams);
    convert(request.query, inQuery);
    done();
  };
}

function convert(values: unknown, names: readonly string[]): void {
  const texts = values as Record<string, unknown>;
  for (const name of names) {
    const text = texts[name];
    if (typeof text === "string" && INTEGER.test(text)) texts[name] = Number(text);
  }
}
