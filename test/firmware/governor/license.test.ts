import { describe, expect, it } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { PARTIES, Rig, STRANGER } from "../../rig.ts";
import { altered } from "./bench.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const _LINK = EngineClass.LINK_TX;
const INT8 = EngineClass.TENSOR_INT8;
const OTHER = new Uint8Array(33).fill(1);
const offline = { nonce: undefined };

describe("what a license must be", () => {
  const table: [string, (rig: Rig) => Uint8Array, string][] = [
    ["signed by two parties, it is taken", (rig) => rig.license(), "OK"],
    ["signed by any two parties, it is taken", (rig) => rig.license({}, PARTIES.slice(1)), "OK"],
    ["one signature is not enough", (rig) => rig.license({}, PARTIES.slice(0, 1)), "COSE_QUORUM"],
    ["a stranger's signature counts for nothing", (rig) => rig.license({}, [PARTIES[0]!, STRANGER]), "COSE_QUORUM"],
    ["a third signature is one too many", (rig) => rig.license({}, PARTIES), "COSE_SIGNATURES_SURPLUS"],
    ["for another agreement", (rig) => rig.license({ agreementDigest: new Uint8Array(32) }), "LICENSE_AGREEMENT"],
    ["for another device", (rig) => rig.license({ ueid: OTHER }), "LICENSE_DEVICE"],
    [
      "for a cohort without this device",
      (rig) => rig.license({ ...offline, ueid: undefined, cohort: [OTHER] }),
      "LICENSE_DEVICE",
    ],
    [
      "for a cohort with this device",
      (rig) => rig.license({ ...offline, ueid: undefined, cohort: [OTHER, rig.ueid] }),
      "OK",
    ],
    [
      "for a cohort of 32, the most there may be",
      (rig) =>
        rig.license({ ...offline, ueid: undefined, cohort: [...Array.from({ length: 31 }, () => OTHER), rig.ueid] }),
      "OK",
    ],
    ["for a newer governor", (rig) => rig.license({ svnLeast: 2 }), "LICENSE_SVN"],
    ["for this governor or a newer one", (rig) => rig.license({ svnLeast: 1 }), "OK"],
    ["of an epoch to come", (rig) => rig.license({ epoch: 1 }), "LICENSE_EPOCH"],
    ["without a sequence of its own", (rig) => rig.license({ sequence: 0n }), "LICENSE_SEQUENCE_REPLAYED"],
    ["that skips sequences", (rig) => rig.license({ sequence: BigInt(Limit.SEQUENCE_STEP_MAX) }), "OK"],
    [
      "that jumps absurdly far",
      (rig) => rig.license({ sequence: BigInt(Limit.SEQUENCE_STEP_MAX) + 1n }),
      "LICENSE_SEQUENCE_JUMP",
    ],
    ["with the last sequence there is", (rig) => rig.license({ sequence: 2n ** 64n - 1n }), "LICENSE_SEQUENCE_JUMP"],
    ["that answers another challenge", (rig) => rig.license({ nonce: new Uint8Array(32) }), "LICENSE_NONCE"],
    ["offline, where the agreement allows it", (rig) => rig.license(offline), "OK"],
    ["that will be valid", (rig) => rig.license({ notBeforeSeconds: rig.nowSeconds + 10 }), "LICENSE_NOT_YET_VALID"],
    ["that was valid", (rig) => rig.license({ expirySeconds: rig.nowSeconds - 1 }), "LICENSE_EXPIRED"],
    ["with a budget at the agreement's cap", (rig) => rig.license({ budget: new Map([[BF16, 10n ** 20n]]) }), "OK"],
    [
      "with a budget over the cap by one",
      (rig) => rig.license({ budget: new Map([[BF16, 10n ** 20n + 1n]]) }),
      "LICENSE_BUDGET_OVER_CAP",
    ],
    [
      "with the largest budget there is",
      (rig) => rig.license({ budget: new Map([[COPY, 2n ** 128n - 1n]]) }),
      "LICENSE_BUDGET_OVER_CAP",
    ],
    [
      "with a budget for a class that the agreement does not name",
      (rig) => rig.license({ budget: new Map([[INT8, 1n]]) }),
      "LICENSE_CLASS",
    ],
    ["with a rate for such a class", (rig) => rig.license({ rate: new Map([[INT8, 1n]]) }), "LICENSE_CLASS"],
    ["with a drain for such a class", (rig) => rig.license({ drain: new Map([[INT8, 1n]]) }), "LICENSE_CLASS"],
    ["with nothing for such a class", (rig) => rig.license({ budget: new Map([[INT8, 0n]]) }), "OK"],
    ["with ticks at the cap", (rig) => rig.license({ ticksMax: 86_400_000n }), "OK"],
    ["with ticks over the cap", (rig) => rig.license({ ticksMax: 86_400_001n }), "LICENSE_TICKS_OVER_CAP"],
    ["without ticks", (rig) => rig.license({ ticksMax: 0n }), "LICENSE_TICKS_OVER_CAP"],
    [
      "with a rate of zero",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75004, new Map([[BF16, 0]]))),
      "LICENSE_CLAIM",
    ],
    ["with a rate at the cap", (rig) => rig.license({ rate: new Map([[BF16, 10n ** 12n]]) }), "OK"],
    [
      "with a rate over the cap",
      (rig) => rig.license({ rate: new Map([[BF16, 10n ** 12n + 1n]]) }),
      "LICENSE_RATE_OVER_CAP",
    ],
    ["with a drain at the cap", (rig) => rig.license({ drain: new Map([[COPY, 10n ** 12n]]) }), "OK"],
    [
      "with a drain over the cap",
      (rig) => rig.license({ drain: new Map([[COPY, 10n ** 12n + 1n]]) }),
      "LICENSE_DRAIN_OVER_CAP",
    ],
    [
      "with a drain that 64 bits do not hold",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) =>
          claims.set(-75006, new Map([[COPY, Uint8Array.of(...new Uint8Array(7), 1, ...new Uint8Array(8))]])),
        ),
      "LICENSE_CLAIM",
    ],
    [
      "for one device and a cohort",
      (rig) => altered(rig.license(offline), ObjectType.LICENSE, (claims) => claims.set(-75008, [rig.ueid])),
      "LICENSE_CLAIM",
    ],
    [
      "for nobody",
      (rig) => altered(rig.license(offline), ObjectType.LICENSE, (claims) => claims.delete(256)),
      "LICENSE_CLAIM",
    ],
    [
      "for a cohort, with one device's challenge",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) => {
          claims.delete(256);
          claims.set(-75008, [rig.ueid]);
        }),
      "LICENSE_CLAIM",
    ],
    [
      "for an empty cohort",
      (rig) =>
        altered(rig.license(offline), ObjectType.LICENSE, (claims) => {
          claims.delete(256);
          claims.set(-75008, []);
        }),
      "LICENSE_CLAIM",
    ],
    [
      "for a cohort of 33",
      (rig) =>
        altered(rig.license(offline), ObjectType.LICENSE, (claims) => {
          claims.delete(256);
          claims.set(
            -75008,
            Array.from({ length: 33 }, () => rig.ueid),
          );
        }),
      "LICENSE_CLAIM",
    ],
    [
      "with a claim that nobody knows",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75999, 1)),
      "LICENSE_CLAIM",
    ],
    [
      "without an expiry",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.delete(4)),
      "LICENSE_CLAIM",
    ],
    [
      "without a budget",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.delete(-75003)),
      "LICENSE_CLAIM",
    ],
    [
      "with a budget of a class that there is not",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75003, new Map([[12, new Uint8Array(16)]]))),
      "LICENSE_CLAIM",
    ],
    [
      "with a budget of 15 bytes",
      (rig) =>
        altered(rig.license(), ObjectType.LICENSE, (claims) =>
          claims.set(-75003, new Map([[BF16, new Uint8Array(15)]])),
        ),
      "LICENSE_CLAIM",
    ],
    [
      "with a negative sequence",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75002, -1)),
      "LICENSE_CLAIM",
    ],
    [
      "with an epoch beyond 32 bits",
      (rig) => altered(rig.license(), ObjectType.LICENSE, (claims) => claims.set(-75001, 2 ** 32)),
      "LICENSE_CLAIM",
    ],
  ];
  it.each(table)("%s", (_, license, verdict) => {
    const rig = Rig.ready();
    expect(rig.verdict(Command.LICENSE, license(rig))).toBe(verdict);
    if (verdict !== "OK") expect(rig.board.gateState).toBe(GateState.IDLE);
    expect(rig.info().licenseSequence > 0n).toBe(verdict === "OK");
  });

  it("online, where the agreement allows no other", () => {
    const rig = Rig.ready({ offline: false });
    expect(rig.verdict(Command.LICENSE, rig.license(offline))).toBe("LICENSE_OFFLINE_NOT_ALLOWED");
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
  });

  it("given to a governor that the agreement itself calls new enough", () => {
    const rig = Rig.ready({ svnLeast: 1 });
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
    const tooOld = Rig.ready({ svnLeast: 2 });
    tooOld.send(Command.LICENSE, tooOld.license());
    tooOld.restart();
    tooOld.send(Command.LICENSE, tooOld.license());
    expect(tooOld.board.gateState).not.toBe(GateState.OPEN);
  });

  it("given when the time is known", () => {
    const rig = Rig.ready();
    rig.powerCycle();
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("LICENSE_TIME_UNKNOWN");
    expect(rig.info().failures).toBe(0);
  });
});

describe("whom a license names", () => {
  it("is read anew from each: nothing lingers from the one before", () => {
    const rig = Rig.ready();
    const cohort = (...names: Uint8Array[]) => rig.license({ ...offline, ueid: undefined, cohort: names });
    expect(rig.verdict(Command.LICENSE, rig.license())).toBe("OK");
    expect(rig.verdict(Command.LICENSE, cohort(OTHER))).toBe("LICENSE_DEVICE");
    expect(rig.verdict(Command.LICENSE, cohort(OTHER, rig.ueid))).toBe("OK");
    expect(rig.verdict(Command.LICENSE, rig.license({ ueid: OTHER }))).toBe("LICENSE_DEVICE");
    expect(rig.verdict(Command.LICENSE, cohort(rig.ueid, OTHER))).toBe("OK");
    expect(rig.verdict(Command.LICENSE, cohort(OTHER, OTHER))).toBe("LICENSE_DEVICE");
  });
});

describe("what a license allows", () => {
  it("is its own: neither rate nor drain of the one before lingers", () => {
    const rig = Rig.ready();
    const { accelerator } = rig.board;
    const rate = new Map([[BF16, 10n ** 9n]]);
    rig.must(rig.send(Command.LICENSE, rig.license({ rate, drain: new Map([[COPY, 10n ** 11n]]) })));
    expect(rig.board.gateState).toBe(GateState.SLOWED);
    rig.must(rig.send(Command.LICENSE, rig.license({ drain: undefined })));
    expect(rig.board.gateState).toBe(GateState.OPEN);
    // The bucket fills at the agreement's rate again: to more than a slice at the rate of before.
    rig.board.advance(120);
    expect(accelerator.creditOf(BF16)).toBeGreaterThan(6n * 10n ** 13n);
    rig.obey(OrderAction.PAUSE);
    expect(accelerator.creditOf(COPY)).toBe(0n);
    expect(rig.board.gateState).toBe(GateState.PAUSED);
  });
});
