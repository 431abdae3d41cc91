/**
 * Multiples of the base point B (RFC 8032 section 5.1): 4.6 KB that the image would else hold as tables. They are computed
 * when the module starts, before any key is there, and boot's self-tests sign and verify by them. A test computes them by
 * other means.
 */
import { COMB_TABLE_BYTES, combBuild, combWipe } from "./comb25519";
import { POINT_BYTES, pointDecode } from "./point25519";
import { ODD_MULTIPLES_BYTES, oddMultiplesBuild } from "./straus25519";

/** B for multiplication by a comb. */
export const BASE_COMB: usize = memory.data(COMB_TABLE_BYTES, 8);

/** Entry i is (2 i + 1) B, i < 16: the digits of a non-adjacent form of width 6. */
export const BASE_ODD_MULTIPLES: usize = memory.data(ODD_MULTIPLES_BYTES, 8);

const ENCODED: usize = memory.data(32, 8);
const BASE: usize = memory.data(POINT_BYTES, 8);

/** B = (x, 4/5) with x even: 0x58 and 31 times 0x66. */
export function baseTablesBuild(): void {
  memory.fill(ENCODED, 0x66, 32);
  store<u8>(ENCODED, 0x58);
  pointDecode(BASE, ENCODED);
  combBuild(BASE_COMB, BASE);
  oddMultiplesBuild(BASE_ODD_MULTIPLES, BASE);
  // Not secret, but then memory that signing leaves behind is memory as it was.
  combWipe();
}
