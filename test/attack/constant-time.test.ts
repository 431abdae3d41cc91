/** The campaign of constant time finds what it looks for: primitives and governors that leak. */
import { describe, expect, it } from "vitest";
import { runCases } from "../../attack/campaign.ts";
import { casesOf } from "../../attack/constant-time.ts";
import { compileChanged } from "../compile.ts";
import { governorImage } from "../rig.ts";

const SEED = String(process.env.QUIESCE_SEED);

/** Which of the seven operations leak, with so many secrets each. */
function leaksOf(secrets: number, governor: Uint8Array, primitives?: Uint8Array): string[] {
  const { findings } = runCases("leaks", casesOf(SEED, governor, primitives), { seed: SEED, casesMax: 7 * secrets });
  return [...new Set(findings.map(({ id }) => id.split(":")[0]!))];
}

describe("the campaign of constant time", () => {
  it("finds a comparison that ends at the first difference", async () => {
    const loop = "for (let i: i32 = 0; i < len; i++) difference |= load<u8>(a + i) ^ load<u8>(b + i);";
    const early = "for (let i: i32 = 0; i < len; i++) if (load<u8>(a + i) != load<u8>(b + i)) return 0;";
    const change = { path: "firmware/crypto/equal.ts", passage: loop, instead: early };
    const { bytes } = await compileChanged("firmware/primitives.ts", change);
    expect(leaksOf(3, governorImage().bytes, bytes)).toEqual(["compare"]);
  });

  it("finds a carry that is left out where there is none, in all that signs", async () => {
    const carried = "    store<i64>(at, load<i64>(at, 8) + carried, 8);";
    const change = {
      path: "firmware/crypto/scalar25519.ts",
      passage: carried,
      instead: `if (carried == 0) continue;${carried}`,
    };
    const governor = await compileChanged("firmware/governor.ts", change, { target: "governor" });
    const primitives = await compileChanged("firmware/primitives.ts", change);
    expect(leaksOf(1, governor.bytes, primitives.bytes)).toEqual(["sign", "evidence", "report"]);
  });

  it("knows its cases by their ids, and no others", () => {
    const cases = casesOf(SEED);
    for (const index of [0, 999, 1000, cases.count - 1]) expect(cases.indexOf(cases.idOf(index))).toBe(index);
    for (const id of ["sign", "sign:1000", "sign:-1", "boot:1", "sign:1:2", "SIGN:1"])
      expect(cases.indexOf(id)).toBeUndefined();
  });
});
