/** The factory: burns what makes a chip a device, and reads out the one thing that the manufacturer endorses. */
import { Fuse, Lifecycle } from "../firmware/protocol/board.ts";
import { deviceIdentity } from "./boot-rom.ts";
import { BoardError } from "./errors.ts";
import type { Fuses } from "./parts/fuses.ts";
import type { Random } from "./random.ts";

export type DeviceModel = {
  /** 8 ASCII characters: EAT hwmodel, RFC 9711 section 4.2.4. */
  model: string;
  /** IEEE OUI, 24 bits: EAT oemid, RFC 9711 section 4.2.3. */
  oem: number;
  /** 4 ASCII characters: EAT hwversion, RFC 9711 section 4.2.5. */
  version: string;
};

/** What leaves the factory on paper; the secret does not. */
export type Manufactured = { devicePublicKey: Uint8Array; ueid: Uint8Array };

export const SIM_MODEL: DeviceModel = { model: "QSIM-001", oem: 0xacde48, version: "1.00" };

const SECRET_BYTES = 32;

/** Burns a fresh device secret, the model and the lifecycle. @throws BoardError if the device was made before. */
export function manufacture(fuses: Fuses, random: Random, model: DeviceModel = SIM_MODEL): Manufactured {
  if ((fuses.read(Fuse.LIFECYCLE) & Lifecycle.MANUFACTURED) !== 0) {
    throw new BoardError("board/option", "these fuses are a device already: a secret cannot be burnt over another");
  }
  if (!Number.isInteger(model.oem) || model.oem < 0 || model.oem > 0xffffff) {
    throw new BoardError("board/option", `OEM id ${model.oem}: an IEEE OUI has 24 bits`);
  }
  const name = ascii(model.model, 8);
  const version = ascii(model.version, 4);
  const secret = random.bytes(SECRET_BYTES);
  burnBytes(fuses, Fuse.DEVICE_SECRET, secret);
  burnBytes(fuses, Fuse.HARDWARE_MODEL, name);
  burnBytes(fuses, Fuse.OEM_ID, Uint8Array.of(model.oem >>> 16, (model.oem >>> 8) & 0xff, model.oem & 0xff, 0));
  burnBytes(fuses, Fuse.HARDWARE_VERSION, version);
  // Last, so that a device whose making was cut short is none.
  fuses.burn(Fuse.LIFECYCLE, Lifecycle.MANUFACTURED);
  const { publicKey, ueid } = deviceIdentity(secret);
  secret.fill(0);
  return { devicePublicKey: publicKey, ueid };
}

/** Bytes into words, little-endian: the first byte is the lowest. */
function burnBytes(fuses: Fuses, word: number, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < bytes.length / 4; i++) fuses.burn(word + i, view.getUint32(i * 4, true));
}

function ascii(value: string, length: number): Uint8Array {
  if (value.length !== length || !/^[\x20-\x7e]*$/.test(value)) {
    throw new BoardError("board/option", `"${value}" is not ${length} printable ASCII characters`);
  }
  return new TextEncoder().encode(value);
}
