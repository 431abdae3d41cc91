/** What people call a key. */
const LABEL_BYTES_MAX = 64;

/** 1 to 64 bytes of UTF-8 that no terminal acts on. */
export function isLabel(label: string): boolean {
  const length = Buffer.byteLength(label);
  return length > 0 && length <= LABEL_BYTES_MAX && !/[\p{C}\p{Zl}\p{Zp}]/u.test(label);
}
