/** The story with a verifier process for each party, over HTTP: from their start to the removal of their folders. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { found } from "./founding.ts";
import { Interrupts } from "./interrupts.ts";
import { AGREEMENT_NAME, type Demo, type DemoSettings, playDemoInTurns } from "./scenario.ts";
import { VerifierProcesses } from "./verifier-processes.ts";

export type HttpDemoSettings = DemoSettings & {
  /** Where the verifiers' folders go. Default: where the system has temporary ones. */
  below?: string | undefined;
  /** Told the process ids of the verifiers when they serve. */
  onServing?(pids: readonly number[]): void;
};

/** Connections of a process that ends break before its end is heard of: by so much at most. */
const NEWS_MS = 300;
const POLL_MS = 10;

/** Throws `VerifierProcessError` for a verifier that ended, and what `playDemo` throws. */
export async function playDemoOverHttp(settings: HttpDemoSettings): Promise<Demo> {
  const { image, workload, seed, below, onServing } = settings;
  const interrupts = new Interrupts();
  try {
    const founding = found({ workload, seed, agreementName: AGREEMENT_NAME });
    const starting = { below, check: () => interrupts.check() };
    const verifiers = await VerifierProcesses.start(founding, image.sha256, starting);
    const check = () => {
      interrupts.check();
      verifiers.check();
    };
    try {
      onServing?.(verifiers.pids);
      return await playDemoInTurns(
        settings,
        (clock) => verifiers.connect(clock),
        async () => {
          await turn();
          check();
        },
      );
    } catch (error) {
      // A signal, or a process that is gone, explains whatever else went wrong.
      for (const lateMs = performance.now() + NEWS_MS; performance.now() < lateMs; check()) await sleep(POLL_MS);
      throw error;
    } finally {
      await verifiers.stop();
    }
  } finally {
    interrupts.release();
  }
}
