/** Erasing secrets. A store to linear memory is visible to the host, so no compiler may leave it out. */

export function wipe(ptr: usize, len: i32): void {
  memory.fill(ptr, 0, len);
}
