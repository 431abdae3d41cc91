/** Devices: what a row's state says is what its columns say, and what the objects of its enrolment say. */
import type { Kysely } from "kysely";
import { decodeEndorsement, type Endorsement, ueidOf, verifyEndorsement } from "../../objects/endorsement.ts";
import { parseSign1, type VerificationKey } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import type { Tables } from "../../store/store.ts";
import { sameBytes } from "../../verifier/bytes.ts";
import { modelText } from "../../verifier/registry.ts";
import { type DeviceState, decodeDeviceState, encodeDeviceState } from "../device-state.ts";
import { checkRegistration } from "../registry.ts";
import { DEVICE_STATUSES, type DeviceStatus, type Registration } from "../service.ts";
import { readOf, sameWork } from "./read.ts";
import { ByDevice, checkedDevices, type Found, found, type RowOf, rowsOf } from "./rows.ts";

export const devices: Check = {
  name: "devices",
  async *run({ db }) {
    const epochNewest = await newestEpoch(db);
    for await (const row of rowsOf(db, "devices")) {
      const state = readOf(() => decodeDeviceState(row.state));
      if ("fault" in state) yield found("devices", row, `its state: ${state.fault}`);
      else for (const message of faultsOf(row, state.value, epochNewest)) yield found("devices", row, message);
    }
  },
};

async function newestEpoch(db: Kysely<Tables>): Promise<number> {
  const newest = db.selectFrom("orders").select("epoch").orderBy("epoch", "desc").limit(1);
  return (await newest.executeTakeFirst())?.epoch ?? 0;
}

function* faultsOf(row: RowOf<"devices">, state: DeviceState, epochNewest: number): Generator<string> {
  const { record, issued } = state;
  const { owner, site, profile } = row;
  if (!sameBytes(encodeDeviceState(state), row.state)) yield "its state is not as it is written";
  if (!sameBytes(record.ueid, row.ueid)) yield "its state is another device's";
  if (!sameBytes(ueidOf(record.endorsement.devicePublicKey), record.ueid)) yield "its UEID is not of its key";
  if (modelText(record.endorsement) !== row.model) yield `its model is ${modelText(record.endorsement)}`;
  if (record.sequenceIssued !== row.license_sequence) yield `license ${record.sequenceIssued} was its newest`;
  if (record.chain.head.sequence !== row.report_sequence) yield `report ${record.chain.head.sequence} was its newest`;
  const until = issued?.expirySeconds ?? 0;
  if (until !== row.licensed_until_seconds) yield `it is licensed until ${until}`;
  if (!DEVICE_STATUSES.includes(row.status as DeviceStatus)) yield `there is no status ${row.status}`;
  const registered = readOf(() =>
    checkRegistration({ owner, site, profile: (profile ?? undefined) as Registration["profile"] }),
  );
  if ("fault" in registered) yield registered.fault;
  if (row.epoch > epochNewest) yield `epoch ${row.epoch}, where ${epochNewest} is the newest`;
  const { lastSeen, books } = record;
  const isSettled =
    !lastSeen || (sameWork(lastSeen.totals, books.totals) && lastSeen.licenseSequence === books.licenseSequence);
  if (!isSettled) yield "its books are not as of the newest evidence";
}

/** Whoever knows the manufacturers has their signatures judged too. */
export function endorsements(manufacturers: readonly VerificationKey[] | undefined): Check {
  return {
    name: "endorsements",
    async *run({ db }) {
      const rows = new ByDevice(rowsOf(db, "endorsements"));
      for await (const { id, state } of checkedDevices(db)) {
        let row: RowOf<"endorsements"> | undefined;
        for await (row of rows.of(id)) yield* judgeEndorsement(row, state.record.endorsement, manufacturers);
        if (!row) yield found("endorsements", { device_id: id }, "it is not there");
      }
    },
  };
}

function* judgeEndorsement(
  row: RowOf<"endorsements">,
  known: Endorsement,
  manufacturers: readonly VerificationKey[] | undefined,
): Generator<Found> {
  const read = readOf(() => decodeEndorsement(parseSign1(row.bytes).payload));
  if ("fault" in read) {
    yield found("endorsements", row, read.fault);
    return;
  }
  const { ueid, devicePublicKey, oemId, hardwareModel, hardwareVersion } = read.value;
  const isSame =
    sameBytes(ueid, known.ueid) &&
    sameBytes(devicePublicKey, known.devicePublicKey) &&
    sameBytes(oemId, known.oemId) &&
    sameBytes(hardwareModel, known.hardwareModel) &&
    hardwareVersion === known.hardwareVersion;
  if (!isSame) yield found("endorsements", row, "the device's state says something else");
  if (manufacturers === undefined) return;
  const { kid } = parseSign1(row.bytes);
  const manufacturer = manufacturers.find((key) => kid && sameBytes(key.kid, kid));
  if (!manufacturer) {
    yield found("endorsements", row, "its manufacturer is not one that is trusted here");
    return;
  }
  const verified = readOf(() => verifyEndorsement(row.bytes, manufacturer));
  if ("fault" in verified) yield found("endorsements", row, verified.fault);
}
