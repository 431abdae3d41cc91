/** What `quiesce courier` is given: verifiers with their tokens, a folder of boards, the terms of an offline license. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import { Limit } from "../../firmware/protocol/limits.ts";
import { SocketDriver } from "../agent/socket-driver.ts";
import { Circle } from "../client/circle.ts";
import { VerifierClient } from "../client/client.ts";
import { CLASS_KEYS, isByteClass } from "../policy/classes.ts";
import type { OfflineLicenseCall } from "../service/service.ts";
import type { PackOptions } from "./commands/courier-pack.ts";
import { quantityOption } from "./commands/policy-input.ts";
import { wrongUse } from "./exit.ts";

const FILE_BYTES_MAX = 1_048_576;
/** Within the folder of the boards. */
const KEEP = "courier";

/** Each is named by its address: nonces that travel are found again by that. */
export function circleOf(urls: readonly string[], tokenFiles: readonly string[] = [], caFile?: string): Circle {
  if (tokenFiles.length > 1 && tokenFiles.length !== urls.length) {
    throw wrongUse(`${tokenFiles.length} token files for ${urls.length} verifiers: give one for all, or one for each`);
  }
  const ca = caFile === undefined ? undefined : textOf(caFile);
  const members = urls.map((url, index) => {
    const tokenFile = tokenFiles.length === 1 ? tokenFiles[0] : tokenFiles[index];
    const token = tokenFile === undefined ? undefined : textOf(tokenFile).trim();
    return { name: url.replace(/\/+$/, ""), client: new VerifierClient({ url, ca, token }) };
  });
  return new Circle(members);
}

export function socketsOf(folder: string): SocketDriver {
  return new SocketDriver(folder);
}

export function keepOf({ keep, boards }: { readonly keep?: string; readonly boards?: string }): string {
  return keep ?? join(boards!, KEEP);
}

/** Undefined where none is asked for. */
export function offlineCallOf(options: PackOptions): OfflineLicenseCall | undefined {
  const { offlineLicense, budget, ticks, window } = options;
  if (offlineLicense === undefined) {
    if ((budget ?? ticks ?? window) === undefined) return undefined;
    throw wrongUse("--budget, --ticks and --window are the terms of an --offline-license");
  }
  if (budget === undefined || ticks === undefined || window === undefined) {
    throw wrongUse("--offline-license needs its terms: --budget, --ticks and --window");
  }
  const ueids = offlineLicense.split(",").map(ueidOf);
  if (ueids.length > Limit.COHORT_MAX) throw wrongUse(`an offline license is for ${Limit.COHORT_MAX} boards at most`);
  return {
    ueids,
    terms: {
      budget: new Map(budget.split(",").map(workOf)),
      ticksMax: quantityOption(ticks, "ticks", "--ticks"),
      windowSeconds: Number(quantityOption(window, "seconds", "--window")),
    },
  };
}

function ueidOf(text: string): Uint8Array {
  if (!new RegExp(`^[0-9a-f]{${2 * Limit.UEID_BYTES}}$`).test(text)) {
    throw wrongUse(`'${text}' is no UEID: ${2 * Limit.UEID_BYTES} hex digits`);
  }
  return new Uint8Array(Buffer.from(text, "hex"));
}

function workOf(text: string): [EngineClass, bigint] {
  const [key = "", quantity = ""] = text.split("=", 2);
  const engineClass = CLASS_KEYS.get(key);
  if (engineClass === undefined) throw wrongUse(`--budget names no engine class '${key}': docs/policy.md lists them`);
  return [engineClass, quantityOption(quantity, isByteClass(engineClass) ? "bytes" : "operations", "--budget")];
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw wrongUse(`${path} has over ${FILE_BYTES_MAX} bytes`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && cause.name === "CliError") throw cause;
    throw wrongUse(`${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}
