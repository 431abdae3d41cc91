/**
 * What board and governor agree on beside the wire: fuse words, the boot ROM's hand-off, the head of the State block,
 * the firmware's own version. Read by both compilers.
 */

/** Words of 32 bits in the one-time-programmable fuses. */
export const enum Fuse {
  /** 8 words; the boot ROM locks them for reading until the next reset. */
  DEVICE_SECRET = 0,
  LIFECYCLE = 8,
  /** One bit a step (thermometer code): fuses only ever rise. */
  SVN_FLOOR = 9,
  /** 2 words, ASCII. */
  HARDWARE_MODEL = 10,
  /** IEEE OUI in the low 3 bytes, RFC 9711 section 4.2.3. */
  OEM_ID = 12,
  /** 4 ASCII characters. */
  HARDWARE_VERSION = 13,
  /** Slots of 9 words: the digest of an agreement, then a marker. The highest marked slot is in force. */
  AGREEMENT = 16,
  AGREEMENT_SLOT_WORDS = 9,
  AGREEMENT_SLOTS = 16,
  WORDS = 160,
}

/** Bits of the lifecycle word. */
export const enum Lifecycle {
  MANUFACTURED = 1,
  TAMPERED = 2,
}

/** Marks a fused agreement as whole; written after all its words. */
export const enum FuseMarker {
  AGREEMENT = 0x51a9e36c,
}

/** Offsets in bytes of what the boot ROM leaves in the mailbox for `boot(length)`. */
export const enum Handoff {
  /** Compound device identifier (DICE), 32 bytes. */
  CDI = 0,
  /** SHA-256 of the governor image, 32 bytes. */
  MEASUREMENT = 32,
  /** Ed25519 public key of the device, 32 bytes. */
  DEVICE_PUBLIC_KEY = 64,
  /** UEID: 0x01 and the SHA-256 of the device public key, 33 bytes. */
  UEID = 96,
  /** The attestation key's certificate, from here to the end. */
  CERTIFICATE = 132,
  CERTIFICATE_BYTES_MAX = 212,
}

/** Offsets in bytes of the first words of the State block: where a dead board says how far it came. */
export const enum StateHead {
  FORMAT = 0,
  BOOT_PROGRESS = 4,
  GATE_STATE = 8,
  LAST_CODE = 12,
}

/** Steps of boot, in order. The last one reached stands in the State block. */
export const enum BootProgress {
  RESET = 0,
  SELF_TEST_SHA256 = 1,
  SELF_TEST_SHA512 = 2,
  SELF_TEST_HMAC = 3,
  SELF_TEST_HKDF = 4,
  SELF_TEST_ED25519 = 5,
  SELF_TEST_CBOR = 6,
  TRNG = 7,
  IDENTITY = 8,
  FUSES = 9,
  JOURNAL = 10,
  AGREEMENT = 11,
  READY = 12,
}

export const enum Firmware {
  /** Security version number: raised by a release that closes a hole. */
  SVN = 1,
  STATE_FORMAT = 3,
  JOURNAL_FORMAT = 3,
}

/** Shape of the flash that the journal lies in (a serial NOR's 256-byte page and 4 KiB sector). */
export const enum FlashShape {
  PAGE_BYTES = 256,
  SECTOR_BYTES = 4096,
  /** Sectors 0–1: the agreement, two slots. Sectors 2–3: the newest report, two slots. The rest: the journal. */
  AGREEMENT_SECTOR = 0,
  REPORT_SECTOR = 2,
  JOURNAL_SECTOR = 4,
  /** A journal record's place: the five pages that the longest one takes; three records a sector. */
  RECORD_BYTES = 1280,
  RECORDS_PER_SECTOR = 3,
}
