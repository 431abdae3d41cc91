import { hkdfSync } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { expect, test } from "vitest";
import { Fuse, Handoff, Lifecycle } from "../../firmware/protocol/board.ts";
import { ueidOf, verifyCertificate } from "../../host/objects/endorsement.ts";
import { verificationKey } from "../../host/protocol/cose.ts";
import { runBootRom } from "../../sim-board/boot-rom.ts";
import { manufacture, SIM_MODEL } from "../../sim-board/factory.ts";
import { Fuses } from "../../sim-board/parts/fuses.ts";
import { Supply } from "../../sim-board/parts/supply.ts";
import { Random } from "../../sim-board/random.ts";

const MEASUREMENT = sha256(Uint8Array.of(1, 2, 3));
const OTHER = sha256(Uint8Array.of(4));

function device(seed = "factory") {
  const fuses = new Fuses({ random: new Random("torn"), supply: new Supply() });
  const made = manufacture(fuses, new Random(seed));
  const secret = new Uint8Array(32);
  const view = new DataView(secret.buffer);
  for (let i = 0; i < 8; i++) view.setUint32(i * 4, fuses.read(Fuse.DEVICE_SECRET + i), true);
  return { fuses, made, secret };
}

function boot(fuses: Fuses, measurement = MEASUREMENT) {
  fuses.reset();
  const handoff = runBootRom(fuses, measurement);
  return {
    cdi: handoff.subarray(Handoff.CDI, Handoff.CDI + 32),
    measurement: handoff.subarray(Handoff.MEASUREMENT, Handoff.MEASUREMENT + 32),
    devicePublicKey: handoff.subarray(Handoff.DEVICE_PUBLIC_KEY, Handoff.DEVICE_PUBLIC_KEY + 32),
    ueid: handoff.subarray(Handoff.UEID, Handoff.UEID + 33),
    certificate: handoff.subarray(Handoff.CERTIFICATE),
  };
}

const hkdf = (ikm: Uint8Array, salt: Uint8Array, info: string) =>
  new Uint8Array(hkdfSync("sha256", ikm, salt, info, 32));
const NONE = new Uint8Array(0);

test("keys are derived as documented, by an independent HKDF", () => {
  const { fuses, made, secret } = device();
  const handoff = boot(fuses);
  expect(handoff.cdi).toEqual(hkdf(secret, MEASUREMENT, "quiesce/cdi"));
  expect(made.devicePublicKey).toEqual(ed25519.getPublicKey(hkdf(secret, NONE, "quiesce/device-key")));
  expect(handoff.devicePublicKey).toEqual(made.devicePublicKey);
  expect(handoff.ueid).toEqual(ueidOf(made.devicePublicKey));
  expect(handoff.measurement).toEqual(MEASUREMENT);
});

test("the certificate is the device key's word for the attestation key, in the protocol's own form", () => {
  const { fuses, made } = device();
  const { certificate, cdi, ueid } = boot(fuses);
  const read = verifyCertificate(certificate, verificationKey(made.devicePublicKey));
  expect(read.attestationPublicKey).toEqual(ed25519.getPublicKey(hkdf(cdi, NONE, "quiesce/attestation-key")));
  expect(read.ueid).toEqual(ueid);
  expect(read.measurement).toEqual(MEASUREMENT);
  expect(certificate.length).toBeLessThanOrEqual(Handoff.CERTIFICATE_BYTES_MAX);
});

test("another image has another CDI and attestation key, and the same device key", () => {
  const { fuses } = device();
  const one = boot(fuses);
  const two = boot(fuses, OTHER);
  expect(two.cdi).not.toEqual(one.cdi);
  expect(two.certificate).not.toEqual(one.certificate);
  expect(two.devicePublicKey).toEqual(one.devicePublicKey);
});

test("after the boot ROM nobody can read the device secret until the next reset", () => {
  const { fuses, secret } = device();
  expect(secret.some((byte) => byte !== 0)).toBe(true);
  boot(fuses);
  for (let word = Fuse.DEVICE_SECRET; word < Fuse.LIFECYCLE; word++) expect(fuses.read(word)).toBe(0);
  expect(fuses.read(Fuse.LIFECYCLE)).toBe(Lifecycle.MANUFACTURED);
});

test("each device has a secret of its own", () => {
  expect(device("one").made.ueid).not.toEqual(device("two").made.ueid);
  expect(device("one").made.ueid).toEqual(device("one").made.ueid);
});

test("the factory burns model, OEM and version so that their bytes read in order", () => {
  const { fuses } = device();
  const words = new DataView(new ArrayBuffer(16));
  [Fuse.HARDWARE_MODEL, Fuse.HARDWARE_MODEL + 1, Fuse.OEM_ID, Fuse.HARDWARE_VERSION].forEach((word, i) => {
    words.setUint32(i * 4, fuses.read(word), true);
  });
  const bytes = new Uint8Array(words.buffer);
  expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe(SIM_MODEL.model);
  expect([...bytes.subarray(8, 12)]).toEqual([0xac, 0xde, 0x48, 0]);
  expect(new TextDecoder().decode(bytes.subarray(12))).toBe(SIM_MODEL.version);
});

test.each([
  [{ model: "SHORT", oem: 1, version: "1.00" }],
  [{ model: "QSIM-001", oem: 2 ** 24, version: "1.00" }],
  [{ model: "QSIM-001", oem: 1, version: "1.0\u00e9" }],
])("a model that does not fit its fuses is refused: %o", (model) => {
  const fuses = new Fuses({ random: new Random("torn"), supply: new Supply() });
  expect(() => manufacture(fuses, new Random(1), model)).toThrow(expect.objectContaining({ code: "board/option" }));
  expect(fuses.read(Fuse.LIFECYCLE)).toBe(0);
});

test("a device is made once", () => {
  const { fuses } = device();
  expect(() => manufacture(fuses, new Random(2))).toThrow(expect.objectContaining({ code: "board/option" }));
});
