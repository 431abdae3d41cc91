/** TLS of a listener, from files that are read again when they were renewed: no restart, no connection cut. */
import { readFileSync } from "node:fs";
import type { ServerOptions } from "node:https";

export interface TlsFiles {
  /** PEM, with the chain up to the root. */
  readonly cert: string;
  readonly key: string;
  /** Who may have signed clients' certificates. */
  readonly ca: string | undefined;
  readonly requireClientCertificate: boolean;
}

type TlsOptions = Pick<ServerOptions, "cert" | "key" | "ca" | "minVersion" | "requestCert" | "rejectUnauthorized">;

/** Throws what the file system throws. */
export function readTls({ cert, key, ca, requireClientCertificate }: TlsFiles): TlsOptions {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    minVersion: "TLSv1.3",
    requestCert: requireClientCertificate,
    rejectUnauthorized: requireClientCertificate,
  };
}
