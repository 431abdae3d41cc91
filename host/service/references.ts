/** Reference values as a configuration names them: CoRIM files, and digests by themselves. */
import { readFileSync, statSync } from "node:fs";
import { verificationKey } from "../protocol/cose.ts";
import { readCorim } from "../rats/corim.ts";
import { CorimError } from "../rats/errors.ts";
import { verifyCorim } from "../rats/signed-corim.ts";
import type { ReferenceMeasurement } from "../verifier/registry.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/errors.ts";

const FILE_BYTES_MAX = 1_048_576;

/** Throws `ConfigError` for a file that cannot be read, holds nothing of governors, or is not valid now. */
export function readReferences({ corim, measurements, signers }: Config["references"]): ReferenceMeasurement[] {
  const keys = signers.map(verificationKey);
  const fromFiles = corim.flatMap((path) => {
    try {
      const bytes = fileOf(path);
      const { measurements: found, validity } = keys.length > 0 ? verifyCorim(bytes, keys) : readCorim(bytes);
      const nowSeconds = Math.floor(Date.now() / 1000);
      const { notBeforeSeconds = 0, notAfterSeconds = Number.POSITIVE_INFINITY } = validity;
      if (nowSeconds < notBeforeSeconds || nowSeconds > notAfterSeconds)
        throw new ConfigError([`${path} is not valid now`]);
      if (found.length === 0) throw new ConfigError([`${path} says nothing of governors`]);
      return found.map(({ digest, svnLeast }) => ({ digest, svnLeast: svnLeast ?? 0 }));
    } catch (error) {
      if (error instanceof CorimError) throw new ConfigError([`references.corim: ${path}: ${error.message}`]);
      if (error instanceof ConfigError) throw new ConfigError(error.lines.map((line) => `references.corim: ${line}`));
      throw error;
    }
  });
  return [...fromFiles, ...measurements.map((digest) => ({ digest, svnLeast: 0 }))];
}

function fileOf(path: string): Uint8Array {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new ConfigError([`${path} has over ${FILE_BYTES_MAX} bytes`]);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([`${path} cannot be read: ${code === "ENOENT" ? "there is no such file" : code}`]);
  }
}
