/** All attacks of the hostile host, in the order in which people read of them. */
import type { Attack } from "./attack.ts";
import { KEYS } from "./keys.ts";
import { LICENSES } from "./licenses.ts";
import { ORDERS } from "./orders.ts";
import { TIME } from "./time.ts";

/** By what they attack. */
export const ATTACK_GROUPS: readonly (readonly [title: string, attacks: readonly Attack[]])[] = [
  ["Licenses", LICENSES],
  ["Orders", ORDERS],
  ["Time", TIME],
  ["Signatures and keys", KEYS],
];

export const ATTACKS: readonly Attack[] = ATTACK_GROUPS.flatMap(([, attacks]) => attacks);
