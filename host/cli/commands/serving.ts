/** What commands that serve share: they run until they are told to stop, and take a renewed certificate meanwhile. */
import type { Logger } from "pino";
import type { Listening } from "../../http/serve.ts";
import { Exit } from "../exit.ts";

/** Until SIGTERM or SIGINT; SIGHUP reads the certificate again. */
export async function untilStopped(running: Listening, logger: Logger): Promise<void> {
  logger.info({ addresses: running.addresses }, "listening");
  const renew = () => {
    try {
      running.reloadTls();
      logger.info("certificate read again");
    } catch (err) {
      logger.error({ err }, "the certificate could not be read: the one before stays");
    }
  };
  process.on("SIGHUP", renew);
  const signal = await stopSignal();
  logger.info({ signal }, "stopping");
  const isFinished = await running.close();
  process.off("SIGHUP", renew);
  logger.info({ isFinished }, "stopped");
  if (!isFinished) process.exitCode = Exit.NOT_GOOD;
}

/** The first of them is a request; whoever sends a second one will not wait. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(Exit.NOT_GOOD));
        resolve(signal);
      });
    }
  });
}

/** What listening and reading certificates throw comes from the configuration. */
export async function listenError(error: unknown): Promise<unknown> {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !(error instanceof Error)) return error;
  const { ConfigError } = await import("../../service/config/errors.ts");
  const isListening = syscall === "listen" || syscall === "getaddrinfo";
  const isTls = code.startsWith("ERR_OSSL") || code.startsWith("ERR_TLS");
  if (isListening) return new ConfigError([`listen: ${message}`]);
  return isTls || syscall === "open" ? new ConfigError([`tls: ${message}`]) : error;
}
