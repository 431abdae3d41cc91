/** A verifier for load over HTTP: one party, system clock, no rate limits, on a free port. */
import { randomBytes } from "node:crypto";
import { serviceLogger } from "../../host/http/logging.ts";
import { type RunningVerifier, runVerifier } from "../../host/http/run.ts";
import { type Agreement, signAgreement } from "../../host/objects/agreement.ts";
import { POLICY_DEFAULT } from "../../host/policy/policy.ts";
import { verificationKey } from "../../host/protocol/cose.ts";
import { readConfig } from "../../host/service/config/read-config.ts";
import type { ServiceSettings } from "../../host/service/context.ts";
import { createService } from "../../host/service/create.ts";
import { SqlClientStore, SqlReplayStore, SqlTokenStore } from "../../host/store/auth-stores.ts";
import type { Store } from "../../host/store/store.ts";
import { agreementOf, CLOCK, MANUFACTURER, MEASUREMENT, PARTY_SIGNERS } from "./fake-governor.ts";
import { poolSigner } from "./pool-signer.ts";

const YEAR_SECONDS = 31_536_000;
const UNLIMITED = { readPerSecond: 0, evidencePerSecond: 0, writePerSecond: 0, failuresPerSecond: 0 };

export function loadAgreement(): { agreement: Agreement; bytes: Uint8Array } {
  const [first] = agreementOf().parties;
  const agreement = agreementOf({
    parties: [first!],
    quorums: { license: 1, pause: 1, resume: 1, update: 1, amend: 1 },
    leaseSeconds: YEAR_SECONDS,
  });
  return { agreement, bytes: signAgreement(agreement, PARTY_SIGNERS.slice(0, 1)) };
}

/** Closing it closes the store. */
export async function serveStore(
  store: Store,
  { nonceSeconds }: Pick<ServiceSettings, "nonceSeconds"> = {},
): Promise<RunningVerifier> {
  const settings: ServiceSettings = {
    policy: POLICY_DEFAULT,
    references: {
      manufacturers: [verificationKey(MANUFACTURER.publicKey)],
      measurements: [{ digest: MEASUREMENT, svnLeast: 0 }],
    },
    models: new Map(),
    registration: { owner: "operator", site: "hall" },
    ...(nonceSeconds !== undefined && { nonceSeconds }),
  };
  const signer = poolSigner(PARTY_SIGNERS[0]!);
  const service = await createService(store, {
    settings: () => settings,
    partySigners: [signer],
    timeSigners: [poolSigner(CLOCK)],
    verdictSigner: signer,
    clock: Date.now,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    agreement: loadAgreement().bytes,
  });
  return runVerifier(
    readConfig(JSON.stringify({ listen: { port: 0 }, rate: UNLIMITED }), process.cwd(), {}),
    {
      service,
      tokens: new SqlTokenStore(store),
      clients: new SqlClientStore(store),
      replays: new SqlReplayStore(store, Date.now),
      close: () => service.close(),
    },
    {
      logger: serviceLogger("error", process.stderr),
      version: "0.0.0",
      policy: { format: "quiesce-policy/1", name: "none", counting: "native" },
    },
  );
}
