/** All attacks of the hostile host, in the order in which people read of them. */
import type { Attack } from "./attack.ts";
import { COVERT } from "./covert.ts";
import { FLOODING } from "./flooding.ts";
import { IDENTITY } from "./identity.ts";
import { KEYS } from "./keys.ts";
import { LICENSES } from "./licenses.ts";
import { LOGS } from "./log.ts";
import { METER } from "./meter.ts";
import { OBJECTS } from "./objects.ts";
import { ORDERS } from "./orders.ts";
import { POWER } from "./power.ts";
import { TIME } from "./time.ts";

/** By what they attack. */
export const ATTACK_GROUPS: readonly (readonly [title: string, attacks: readonly Attack[]])[] = [
  ["Licenses", LICENSES],
  ["Orders", ORDERS],
  ["Time", TIME],
  ["The log", LOGS],
  ["Signatures and keys", KEYS],
  ["Objects", OBJECTS],
  ["Identity", IDENTITY],
  ["The meter", METER],
  ["Power and flash", POWER],
  ["Flooding", FLOODING],
  ["Covert channels", COVERT],
];

export const ATTACKS: readonly Attack[] = ATTACK_GROUPS.flatMap(([, attacks]) => attacks);
