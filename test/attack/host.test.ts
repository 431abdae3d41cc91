/** The table of the hostile host: it can fail. Governors with one defense taken out let the matching attack through. */
import { describe, expect, it } from "vitest";
import { attackWith } from "../../attack/host/campaign.ts";
import { ATTACKS } from "../../attack/host/table.ts";
import { governorImage } from "../rig.ts";
import { without } from "./without.ts";

const SEED = String(process.env.QUIESCE_SEED);

// biome-ignore format: a table, one row a defense
const DEFENSES: readonly [defense: string, path: string, text: string, instead: string, attack: string][] = [
  ["the sequence of licenses", "firmware/objects/license.ts", "license.sequence <= ledger.licenseSequence", "false", "licenses-out-of-order"],
  ["the license's challenge", "firmware/objects/license.ts", "equalBytes(license.nonce, CHALLENGE, Limit.NONCE_BYTES) != 0", "true", "license-lost-and-found"],
  ["the license's epoch", "firmware/objects/license.ts", "license.epoch != ledger.epoch", "false", "license-of-an-old-epoch"],
  ["the device a license names", "firmware/objects/license.ts", "license.named == 0", "false", "license-of-another-device"],
  ["the caps", "firmware/objects/license.ts", "code == ErrorCode.OK) code = checkCaps()", "false) code = checkCaps()", "license-over-the-caps"],
  ["the reserve of ticks", "firmware/journal/journal.ts", "session.licenseEndTick - spent : 0", "session.licenseEndTick : 0", "license-ticks-saved-by-resets"],
  ["the epoch of orders", "firmware/objects/order.ts", "order.epoch <= ledger.epoch", "false", "resume-replayed"],
  ["the order that a beacon names", "firmware/gate/conditions.ts", "session.epochHeard > ledger.epoch", "false", "pause-withheld"],
  ["the lease", "firmware/gate/conditions.ts", "leaseIsFresh() ? ErrorCode.OK", "true ? ErrorCode.OK", "pause-and-beacons-withheld"],
  ["the freshness of beacons", "firmware/objects/time.ts", "isStale ? ErrorCode.TIME_STALE : ErrorCode.OK", "ErrorCode.OK", "beacons-hoarded"],
  ["the nonce of time proofs", "firmware/objects/time.ts", "equalBytes(time.nonce, TIME_NONCE, Limit.NONCE_BYTES) == 0", "false", "time-proof-replayed"],
  ["that distinct keys count", "firmware/cose/quorum.ts", "(out.signers & bit) != 0", "false", "one-signer-twice"],
  ["that a signature must hold", "firmware/cose/quorum.ts", "residue != 0", "false", "cut-and-paste"],
];

describe("a governor without", () => {
  it.each(DEFENSES)("%s is found out", async (_defense, path, text, instead, attack) => {
    const image = await without(path, text, instead);
    const { findings } = attackWith(image, { seed: SEED, casesMax: 1000, only: attack });
    expect(findings.map(({ id }) => id)).toEqual([attack]);
  });
});

describe("the table of the hostile host", () => {
  it("has a name of its own for each attack", () => {
    expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length);
    for (const { name } of ATTACKS) expect(name).toMatch(/^[a-z0-9-]+$/);
  });

  it("holds in every row, with fewer repetitions", () => {
    const { each, findings } = attackWith(governorImage(), { seed: SEED, casesMax: 1000 });
    expect(findings).toEqual([]);
    expect(each?.map(({ id }) => id)).toEqual(ATTACKS.map(({ name }) => name));
  });
});
