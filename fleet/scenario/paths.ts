/** Paths of parameters, as points, axes and options name them: `agreement.leaseSeconds`, `verifiers.0.delaySeconds`. */
import type { Json } from "../study.ts";
import { nearestText } from "./nearest.ts";
import type { JsonObject } from "./scenario.ts";

const PATH = /^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,15}$/;

/** The parameters with the value at this path; or, as a text, why there is no such place. */
export function withValue(parameters: JsonObject, path: string, value: Json): JsonObject | string {
  if (!PATH.test(path)) return "must be names of fields with dots between them";
  return placed(parameters, path.split("."), value) as JsonObject | string;
}

function placed(inside: Json, [name, ...rest]: readonly string[], value: Json): Json {
  if (Array.isArray(inside)) {
    const index = Number(name);
    if (!/^[0-9]+$/.test(name!) || index >= inside.length)
      return `there is no item ${name}, but ${inside.length} of them`;
    const item = rest.length === 0 ? value : placed(inside[index], rest, value);
    return rest.length > 0 && typeof item === "string" ? item : inside.with(index, item);
  }
  if (typeof inside !== "object" || inside === null) return `there is nothing below it to call ${name}`;
  if (rest.length === 0) return Object.fromEntries([...Object.entries(inside), [name!, value]]);
  if (!Object.hasOwn(inside, name!)) return `there is no such field here${nearestText(name!, Object.keys(inside))}`;
  const inner = placed((inside as JsonObject)[name!]!, rest, value);
  return typeof inner === "string" ? inner : Object.fromEntries([...Object.entries(inside), [name!, inner]]);
}
