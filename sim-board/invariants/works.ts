/** Work of all classes together, by engine class. */
import { EngineClass } from "../../firmware/protocol/classes.ts";

export type Works = bigint[];

export function noWork(): Works {
  return new Array<bigint>(EngineClass.COUNT).fill(0n);
}

export function sumOf(...parts: Works[]): Works {
  return noWork().map((_, c) => parts.reduce((total, part) => total + part[c]!, 0n));
}

export function leastOf(a: Works, b: Works): Works {
  return a.map((value, c) => (isLess(b[c]!, value) ? b[c]! : value));
}

export function mostOf(a: Works, b: Works): Works {
  return a.map((value, c) => (isLess(value, b[c]!) ? b[c]! : value));
}

/** `Math.max` and the rule that asks for it know no bigint. */
function isLess(a: bigint, b: bigint): boolean {
  return a < b;
}
