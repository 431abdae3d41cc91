/** Comparing secrets: the time taken depends on the length alone. */

/** 1 if the `len` bytes at `a` and at `b` are the same, else 0. */
export function equalBytes(a: usize, b: usize, len: i32): i32 {
  let difference: u32 = 0;
  for (let i: i32 = 0; i < len; i++) difference |= load<u8>(a + i) ^ load<u8>(b + i);
  return ((difference - 1) >> 31) as i32;
}
