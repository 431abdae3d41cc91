/** Parameters of studies, as scenario files give them: every one with what it means, its range and its default. */
import { type TInteger, type TNumber, Type } from "@sinclair/typebox";

/** A number from `minimum` to `maximum`, both included. */
export function quantity(description: string, standard: number, minimum: number, maximum: number): TNumber {
  return Type.Number({ description, default: standard, minimum, maximum });
}

/** A whole number from `minimum` to `maximum`, both included. */
export function whole(description: string, standard: number, minimum: number, maximum: number): TInteger {
  return Type.Integer({ description, default: standard, minimum, maximum });
}

/** A probability or a part of a whole. */
export function share(description: string, standard: number, minimum = 0, maximum = 1): TNumber {
  return quantity(description, standard, minimum, maximum);
}

export const DAY_SECONDS = 86_400;
/** Of 365 days, as the literature on inspections counts. */
export const YEAR_SECONDS = 365 * DAY_SECONDS;
