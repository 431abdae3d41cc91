/** Certificates: one for each attestation key of a device, by its device key. */
import { verifyCertificate } from "../../objects/endorsement.ts";
import { verificationKey } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import { hexOf, sameBytes } from "../../verifier/bytes.ts";
import type { DeviceRecord } from "../../verifier/storage.ts";
import { CERTIFICATES_MAX } from "../registry.ts";
import { readOf } from "./read.ts";
import { ByDevice, checkedDevices, type Found, found, type RowOf, rowsOf } from "./rows.ts";

export const certificates: Check = {
  name: "certificates",
  async *run({ db }) {
    const rows = new ByDevice(rowsOf(db, "certificates", ["device_id", "kid"]));
    for await (const { id, state } of checkedDevices(db)) {
      const { record } = state;
      const missing = new Set(record.certificates.map(({ attestationPublicKey }) => hexOf(attestationPublicKey)));
      // Older ones than the state still names stay, for the reports that they signed.
      const isCut = record.certificates.length === CERTIFICATES_MAX;
      for await (const row of rows.of(id)) {
        yield* judgeCertificate(row, record);
        const isNamed = missing.delete(hexOf(row.public_key));
        if (!isNamed && !isCut) yield found("certificates", row, "the device's state does not name it");
      }
      for (const key of missing) {
        yield found("devices", { id }, `the certificate of its attestation key ${key} is not there`);
      }
    }
  },
};

function* judgeCertificate(row: RowOf<"certificates">, record: DeviceRecord): Generator<Found> {
  const verified = readOf(() => verifyCertificate(row.bytes, verificationKey(record.endorsement.devicePublicKey)));
  if ("fault" in verified) {
    yield found("certificates", row, verified.fault);
    return;
  }
  const { ueid, attestationPublicKey, measurement } = verified.value;
  const { kid } = verificationKey(attestationPublicKey);
  if (!sameBytes(ueid, record.ueid)) yield found("certificates", row, "it is another device's");
  if (!sameBytes(kid, row.kid)) yield found("certificates", row, `its kid is ${hexOf(kid)}`);
  if (!sameBytes(attestationPublicKey, row.public_key)) yield found("certificates", row, "its key is another");
  if (!sameBytes(measurement, row.measurement)) yield found("certificates", row, "its measurement is another");
  const known = record.certificates.find((one) => sameBytes(one.attestationPublicKey, attestationPublicKey));
  if (known && !sameBytes(known.measurement, measurement)) {
    yield found("certificates", row, "the device's state has another measurement");
  }
}
