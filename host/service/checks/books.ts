/** The books of each device: no work that nothing covers, and no report of more than was issued. */
import { decodeLicense } from "../../objects/license.ts";
import { allWork, mostWork, workBetween } from "../../objects/work.ts";
import { parseSign } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import { LICENSES_ALONE } from "../../store/structure.ts";
import { type LicenseTerms, overrunOf, worstCase } from "../../verifier/books.ts";
import { readAgreements } from "./agreements.ts";
import { readOf, sameWork } from "./read.ts";
import { ByDevice, checkedDevices, found } from "./rows.ts";

export const books: Check = {
  name: "books",
  async *run({ db }) {
    const agreements = [...(await readAgreements(db)).values()];
    const rows = ByDevice.licenses(db, LICENSES_ALONE);
    for await (const device of checkedDevices(db)) {
      const { record } = device.state;
      const pending: LicenseTerms[] = [];
      let installed: LicenseTerms | undefined;
      for await (const { bytes, sequence } of rows.of(device.id)) {
        if (sequence < record.books.licenseSequence) continue;
        const license = readOf(() => decodeLicense(parseSign(bytes).payload));
        if ("fault" in license) continue;
        if (sequence > record.books.licenseSequence) pending.push(license.value);
        else installed = license.value;
      }
      const budget = allWork(installed?.budget);
      // After a recovery nothing is installed, whatever the sequence.
      if (!sameWork(record.books.budget, budget) && !sameWork(record.books.budget, allWork(undefined))) {
        yield found("devices", device.row, "its books have another budget than its license");
      }
      const overrun = overrunOf(record.books).findIndex((work) => work > 0n);
      if (overrun >= 0) yield found("devices", device.row, `its books have an overrun of class ${overrun}`);
      // Which agreement a drain was under is not known: the most that any allowed.
      const most = agreements
        .map((agreement) => worstCase(record.books, pending, agreement))
        .reduce(mostWork, record.books.totals);
      const beyond = workBetween(record.chain.totals, most).findIndex((work) => work < 0n);
      if (beyond >= 0) yield found("devices", device.row, `it reported more work of class ${beyond} than was licensed`);
    }
  },
};
