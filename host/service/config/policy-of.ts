/** The policy that a configuration names: a preset, none, or a file. */
import { readFileSync } from "node:fs";
import { PolicyError } from "../../policy/errors.ts";
import { POLICY_DEFAULT, type Policy } from "../../policy/policy.ts";
import { PRESETS } from "../../policy/presets.ts";
import { readPolicy } from "../../policy/read-policy.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./errors.ts";

/** Throws `ConfigError`. */
export function policyOf({ policy }: Pick<Config, "policy">): Policy {
  if (policy === POLICY_DEFAULT.name) return POLICY_DEFAULT;
  const preset = PRESETS.get(policy);
  if (preset) return preset;
  try {
    return readPolicy(readFileSync(policy, "utf8"));
  } catch (error) {
    if (error instanceof PolicyError) throw new ConfigError([`policy: ${policy}: ${error.message}`]);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const why = code === "ENOENT" ? "there is no such preset (`quiesce policy list`) and no such file" : code;
    throw new ConfigError([`policy: ${policy}: ${why}`]);
  }
}
