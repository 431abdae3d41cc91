/** What the governor may take, and why no more: it must fit beside whatever else is on a chip. */
export const KIB = 1024;
export const PAGE_BYTES = 64 * KIB;
export const PAGES_MAX = 2;
export const IMAGE_BYTES_MAX = 48 * KIB;
/** Thousands of devices then fit where one program runs. */
export const STATE_BYTES_MAX = 4 * KIB;
