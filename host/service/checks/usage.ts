/** Running sums: over all slots they are what the devices' own books add up to. */
import type { Check } from "../../store/fsck.ts";
import { SUMS_COUNT, sumsOf } from "../device-rows.ts";
import { decodeSums } from "../usage.ts";
import { readOf, sameWork } from "./read.ts";
import { checkedDevices, found, rowsOf } from "./rows.ts";

interface Group {
  readonly owner: string;
  readonly site: string;
  readonly model: string;
  devices: number;
  sums: bigint[];
}

/** As many groups as there are owners, sites and models together: what the service itself keeps in memory to show them. */
export const usage: Check = {
  name: "usage",
  async *run({ db }) {
    const groups = new Map<string, Group>();
    const add = ({ owner, site, model }: Omit<Group, "devices" | "sums">, devices: number, sums: readonly bigint[]) => {
      const name = JSON.stringify([owner, site, model]);
      const group = groups.get(name) ?? {
        owner,
        site,
        model,
        devices: 0,
        sums: new Array<bigint>(SUMS_COUNT).fill(0n),
      };
      group.devices += devices;
      group.sums = group.sums.map((sum, i) => sum + sums[i]!);
      groups.set(name, group);
    };
    for await (const row of rowsOf(db, "usage")) {
      const sums = readOf(() => decodeSums(row.sums));
      if ("fault" in sums) yield found("usage", row, `its sums: ${sums.fault}`);
      else add(row, row.devices, sums.value);
    }
    for await (const { row, state } of checkedDevices(db)) {
      add(
        row,
        -1,
        sumsOf(state).map((sum) => -sum),
      );
    }
    for (const { devices, sums, ...names } of groups.values()) {
      const row = { ...names, slot: 0 };
      if (devices !== 0) yield found("usage", row, `${devices} devices too many`);
      if (!sameWork(sums, new Array<bigint>(SUMS_COUNT).fill(0n)))
        yield found("usage", row, "the devices add up to other sums");
    }
  },
};
