/** The books as the verifier shows them, when every board's are closed: what was done is licensed, reported, and no more. */
import { classKeyOf } from "../../host/policy/classes.ts";
import { BF16 } from "../host/fake-governor.ts";
import type { Services } from "./services.ts";

interface Row {
  readonly engineClass: string;
  readonly licensed: string;
  readonly reported: string;
}

export interface Worked {
  readonly ueid: string;
  readonly done: bigint;
}

/** Gives what does not balance. */
export async function checkBooks(services: Services, token: string, devices: readonly Worked[]): Promise<string[]> {
  const found: string[] = [];
  const compare = (whose: string, rows: readonly Row[], done: bigint) => {
    for (const { engineClass, licensed, reported } of rows) {
      const expected = engineClass === classKeyOf(BF16) ? done : 0n;
      if (BigInt(licensed) !== expected || BigInt(reported) !== expected)
        found.push(`books of ${whose}: ${engineClass}: licensed ${licensed}, reported ${reported}, done ${expected}`);
    }
  };
  for (const { ueid, done } of devices) {
    const { books } = (await services.get(`/v1/devices/${ueid}/books`, token)) as { books: Row[] };
    compare(ueid, books, done);
  }
  const { usage } = (await services.get("/v1/usage", token)) as { usage: { devices: number; rows: Row[] }[] };
  const [fleet, ...more] = usage;
  if (!fleet || more.length > 0) return [...found, `usage has ${usage.length} rows of one fleet`];
  if (fleet.devices !== devices.length) found.push(`usage: ${fleet.devices} devices of ${devices.length}`);
  compare(
    "the fleet",
    fleet.rows,
    devices.reduce((sum, { done }) => sum + done, 0n),
  );
  return found;
}
