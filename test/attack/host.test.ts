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
  ["the second measure of work", "firmware/meter/settle.ts", "uncounted && code == ErrorCode.OK", "false", "counter-frozen"],
  ["the look at counters that run backward", "firmware/meter/settle.ts", "done >> 63 != 0", "false", "accelerator-reset-alone"],
  ["the steps kept back from grants", "firmware/gate/credit.ts", "!journalCanGrant()) return ErrorCode.JOURNAL_COUNTER_WORN", "false) return ErrorCode.JOURNAL_COUNTER_WORN", "counter-at-its-end"],
  ["that credit lost in a cut counts as done", "firmware/boot/boot.ts", "if (!settleLost()) ledger", "if (false) ledger", "power-cut-for-budget"],
  ["empty buckets under a cap", "firmware/gate/credit.ts", "capped ? 0 : load<u64>(rateMaxOf(c))", "load<u64>(rateMaxOf(c))", "power-cut-for-rate"],
  ["the health test of the generator", "firmware/identity/random.ts", "repeats || load<u64>(out, 8)", "false && load<u64>(out, 8)", "generator-stuck-later"],
  ["the mixing of what is drawn", "firmware/identity/random.ts", "  mix(out);", "", "generator-that-repeats-itself"],
  ["the back-off", "firmware/gate/failures.ts", "ledger.failures >= <u32>Limit.FAILURES_MAX", "false", "retries-unlimited"],
  ["that no failure counts while the back-off lasts", "firmware/gate/failures.ts", " || backOffIsOn()) return;", ") return;", "flood-of-orders"],
  ["the log proof", "firmware/objects/license.ts", "code = checkLogged(ObjectType.LICENSE", "code = 0; else code = checkLogged(ObjectType.LICENSE", "license-in-secret"],
  ["the entry of its own", "firmware/log/proof.ts", "!includes(proof.root, proof.size, proof.index, leafHash, proof.path, proof.pathCount)", "false", "license-under-another-entry"],
  ["the history of the log", "firmware/log/merkle.ts", "if (last != 0 || equalBytes(OLDER, oldRoot, DIGEST) == 0) return false;", "", "log-forked"],
  ["the size that was seen", "firmware/log/proof.ts", "if (proof.size < ledger.logSize) return ErrorCode.LOG_ROLLED_BACK;", "if (proof.size < ledger.logSize) return 0;", "log-rolled-back"],
  ["the order of witnesses", "firmware/log/proof.ts", "witness < next || ", "", "log-with-one-witness-twice"],
  ["the age of cosignatures", "firmware/log/proof.ts", "if (isStale(seconds))", "if (false)", "log-head-hoarded"],
  ["one tree", "firmware/log/proof.ts", "proof.size != proof.checkpointSize", "false", "log-of-a-bigger-tree"],
  ["the proof of a resume", "firmware/objects/order.ts", "if (pauses && pact.pauseBeforeProof", "if (pact.pauseBeforeProof", "resume-in-secret"],
  ["the proof of a recovery", "firmware/objects/recovery.ts", "code == ErrorCode.OK ? checkLogged(ObjectType.RECOVERY, ptr, length, subjects) : code", "code", "recovery-in-secret"],
  ["the proof of an amendment", "firmware/objects/agreement.ts", "code = checkLoggedForAll(ObjectType.AGREEMENT, ptr, length);", "code = ErrorCode.OK;", "amendment-in-secret"],
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
