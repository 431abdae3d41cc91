/** A witness that runs: opened, and listening. */
import type { Logger } from "pino";
import { type Listening, type ServerLimits, serve } from "../http/serve.ts";
import { formatVkey } from "../log/note.ts";
import { buildWitnessApp } from "./app.ts";
import type { WitnessConfig } from "./config.ts";
import { WitnessMetrics } from "./metrics.ts";
import { openWitness } from "./open.ts";

export interface RunningWitness extends Listening {
  /** As whoever trusts it writes it down. */
  readonly vkey: string;
}

const LIMITS: ServerLimits = {
  connectionsMax: 1000,
  headerBytesMax: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  shutdownMs: 10_000,
};

/** Throws what `openWitness` and listening throw; nothing runs then. */
export async function runWitness(config: WitnessConfig, logger: Logger): Promise<RunningWitness> {
  const metrics = new WitnessMetrics();
  const open = await openWitness(config, {
    committed: (seconds) => metrics.committed(seconds),
    onConflict: ({ origin, kind, size }) => logger.warn({ origin, kind, size }, "conflicting head"),
  });
  try {
    const { host, port } = config.listen;
    const served = await buildWitnessApp(open.witness, open.store, { logger, metrics });
    const tcp = { host, port, ...(config.tls && { tls: config.tls }) };
    const listening = await serve(served, { tcp, limits: LIMITS });
    const close = async () => {
      const isFinished = await listening.close();
      await open.close();
      return isFinished;
    };
    return { ...listening, close, vkey: formatVkey(open.witness.key) };
  } catch (error) {
    await open.close();
    throw error;
  }
}
