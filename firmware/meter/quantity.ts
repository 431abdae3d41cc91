/**
 * Quantities of work: unsigned, 128 bits, little-endian in memory (low word first), big-endian on the wire. 2^128
 * operations are 10^15 years at 10^16 a second; a sum that would pass the end stays there and says so.
 */

/** Adds; false when the sum saturated. */
export function quantityAdd(quantity: usize, amount: u64): bool {
  const low = load<u64>(quantity) + amount;
  if (low >= amount) {
    store<u64>(quantity, low);
    return true;
  }
  const high = load<u64>(quantity, 8);
  if (high == u64.MAX_VALUE) {
    store<u64>(quantity, u64.MAX_VALUE);
    return false;
  }
  store<u64>(quantity, low);
  store<u64>(quantity, high + 1, 8);
  return true;
}

/** Takes away, down to zero. */
export function quantityTake(quantity: usize, amount: u64): void {
  const low = load<u64>(quantity);
  const high = load<u64>(quantity, 8);
  if (low >= amount) {
    store<u64>(quantity, low - amount);
  } else if (high > 0) {
    store<u64>(quantity, low - amount);
    store<u64>(quantity, high - 1, 8);
  } else {
    store<u64>(quantity, 0);
  }
}

/** The quantity, or 2^64 - 1 if it is larger. */
export function quantityAsU64(quantity: usize): u64 {
  return load<u64>(quantity, 8) == 0 ? load<u64>(quantity) : u64.MAX_VALUE;
}

/** a - b as 64 bits; 2^64 - 1 if it does not fit, 0 if b is larger. */
export function quantityBeyond(a: usize, b: usize): u64 {
  if (quantityLess(a, b)) return 0;
  const low = load<u64>(a) - load<u64>(b);
  const borrow: u64 = load<u64>(a) < load<u64>(b) ? 1 : 0;
  return load<u64>(a, 8) - load<u64>(b, 8) - borrow == 0 ? low : u64.MAX_VALUE;
}

export function quantityLess(a: usize, b: usize): bool {
  const highA = load<u64>(a, 8);
  const highB = load<u64>(b, 8);
  return highA < highB || (highA == highB && load<u64>(a) < load<u64>(b));
}

export function quantityCopy(to: usize, from: usize): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
}

export function quantityIsZero(quantity: usize): bool {
  return (load<u64>(quantity) | load<u64>(quantity, 8)) == 0;
}

/** From 16 bytes of the wire. */
export function quantityFromWire(quantity: usize, bytes: usize): void {
  store<u64>(quantity, bswap<u64>(load<u64>(bytes, 8)));
  store<u64>(quantity, bswap<u64>(load<u64>(bytes)), 8);
}

/** To 16 bytes of the wire. */
export function quantityToWire(bytes: usize, quantity: usize): void {
  store<u64>(bytes, bswap<u64>(load<u64>(quantity, 8)));
  store<u64>(bytes, bswap<u64>(load<u64>(quantity)), 8);
}
