// biome-ignore-all lint: AssemblyScript, which asc checks
// @ts-nocheck
/** Ways to leak a secret that a compiler lets through, and one that doesn't: for the test of the test. */
import { ed25519Sign } from "../../../firmware/crypto/ed25519";
import "../../../firmware/panic";

const IO: usize = memory.data(8192, 16);
export function io(): usize {
  return IO;
}

const TABLE: usize = memory.data<u8>([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3]);

/** Takes an entry of a table by four bits of the secret. */
export function byTable(secret: usize, out: usize): void {
  store<u8>(out, load<u8>(TABLE + (load<u8>(secret, 17) & 15)));
}

/** The same, but reads all entries and masks all but one away. */
export function byMask(secret: usize, out: usize): void {
  const wanted: u32 = load<u8>(secret, 17) & 15;
  let found: u32 = 0;
  for (let i: u32 = 0; i < 16; i++) found |= load<u8>(TABLE + i) & (((i ^ wanted) - 1) >> 24);
  store<u8>(out, <u8>found);
}

/** Leaves a loop at the first byte of the secret that is odd where even is expected, or the other way round. */
export function byEarlyExit(secret: usize, out: usize): void {
  let i: u32 = 0;
  while (i < 32 && ((load<u8>(secret + i) ^ load<u8>(TABLE + (i & 15))) & 1) == 0) i++;
  store<u8>(out, <u8>i);
}

export function byDivision(secret: usize, out: usize): void {
  store<u64>(out, load<u64>(secret) % 0xffffffff00000001);
}

/** A signature, but after one bit of the secret, when all is over, decides what is cleared. */
export function byLastBit(secret: usize, out: usize): void {
  const odd = load<u8>(secret, 31) & 1;
  ed25519Sign(secret, TABLE, 16, out);
  if (odd) memory.fill(out + 64, 0, 32);
}
