/** Writing a whole object into a flash sector of its own, and making sure that it is there. */
import { flashErase, flashProgram, flashRead } from "../hal";
import { FlashShape } from "../protocol/board";

const SECTOR_BYTES: u32 = FlashShape.SECTOR_BYTES;
const PAGE_BYTES: u32 = FlashShape.PAGE_BYTES;
const readBack: usize = memory.data(FlashShape.SECTOR_BYTES, 8);

/**
 * Erases the sector and programs it from the `SECTOR_BYTES` at `source`. False if the sector did not come up blank, or
 * does not hold the bytes afterwards: it is worn out, and nothing may depend on it.
 */
export function writeSector(sector: u32, source: usize): bool {
  const base = sector * SECTOR_BYTES;
  flashErase(sector);
  if (!isBlank(base, SECTOR_BYTES, readBack)) return false;
  for (let at: u32 = 0; at < SECTOR_BYTES; at += PAGE_BYTES) flashProgram(base + at, source + <usize>at, PAGE_BYTES);
  return flashHolds(base, source, SECTOR_BYTES, readBack);
}

/** Whether flash holds the `length` bytes (a multiple of 8) at `source`; `buffer` takes what it holds. */
export function flashHolds(address: u32, source: usize, length: u32, buffer: usize): bool {
  flashRead(address, buffer, length);
  for (let at: usize = 0; at < <usize>length; at += 8) {
    if (load<u64>(buffer + at) != load<u64>(source + at)) return false;
  }
  return true;
}

/** Whether `length` bytes (a multiple of 8) of flash are erased; `buffer` takes them. */
export function isBlank(address: u32, length: u32, buffer: usize): bool {
  flashRead(address, buffer, length);
  for (let at: usize = 0; at < <usize>length; at += 8) {
    if (load<u64>(buffer + at) != u64.MAX_VALUE) return false;
  }
  return true;
}
