/** Errors of policies, quantities and fleets: what field, what value, what is allowed. docs/policy.md lists the codes. */
export type PolicyErrorCode =
  | "policy/quantity"
  | "policy/document"
  | "policy/field"
  | "policy/fleet"
  | "policy/unbounded";

export class PolicyError extends Error {
  readonly code: PolicyErrorCode;
  /** Where: `caps[0].boardsMax`, or what the value is for. */
  readonly field: string;

  constructor(code: PolicyErrorCode, field: string, value: unknown, allowed: string) {
    super(`${field}: ${shown(value)}: ${allowed}`);
    this.name = "PolicyError";
    this.code = code;
    this.field = field;
  }
}

/** As JSON, but for numbers that a file may have and JSON has no text for: `1e999` is `"Infinity"`. */
export function jsonText(value: unknown): string | undefined {
  return JSON.stringify(value, (_name, inner) =>
    typeof inner === "number" && !Number.isFinite(inner) ? `${inner}` : inner,
  );
}

const SHOWN_CHARACTERS_MAX = 60;

/** A value as a message shows it: short, and on one line. */
export function shown(value: unknown): string {
  if (value === undefined) return "it is missing";
  const text = typeof value === "bigint" || typeof value === "number" ? `${value}` : (jsonText(value) ?? String(value));
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text;
}
