/**
 * A verifier's process for the benchmark: one party, system clock, no rate limits, on a free port. Its argument is a
 * `ServerOrder` as JSON; it prints its address, and ends when its input does.
 */
import { randomBytes } from "node:crypto";
import { serviceLogger } from "../../../host/http/logging.ts";
import { runVerifier } from "../../../host/http/run.ts";
import { POLICY_DEFAULT } from "../../../host/policy/policy.ts";
import { verificationKey } from "../../../host/protocol/cose.ts";
import { readConfig } from "../../../host/service/config/read-config.ts";
import { createService } from "../../../host/service/create.ts";
import { SqlClientStore, SqlReplayStore, SqlTokenStore } from "../../../host/store/auth-stores.ts";
import { openStore, type StorePlace } from "../../../host/store/store.ts";
import { CLOCK, MANUFACTURER, MEASUREMENT, PARTY_SIGNERS } from "../../host/fake-governor.ts";
import { poolSigner } from "./keys.ts";
import { benchAgreement } from "./world.ts";

const place = JSON.parse(process.argv[2]!) as StorePlace;
const store = await openStore(place);
const [north] = PARTY_SIGNERS;
const signer = poolSigner(north!);
const service = await createService(store, {
  settings: () => settings,
  partySigners: [signer],
  timeSigners: [poolSigner(CLOCK)],
  verdictSigner: signer,
  clock: Date.now,
  random: (bytes) => new Uint8Array(randomBytes(bytes)),
  agreement: benchAgreement().bytes,
});
const settings = {
  policy: POLICY_DEFAULT,
  references: {
    manufacturers: [verificationKey(MANUFACTURER.publicKey)],
    measurements: [{ digest: MEASUREMENT, svnLeast: 0 }],
  },
  models: new Map(),
  registration: { owner: "operator", site: "hall" },
};
const unlimited = { readPerSecond: 0, evidencePerSecond: 0, writePerSecond: 0, failuresPerSecond: 0 };
const config = readConfig(JSON.stringify({ listen: { port: 0 }, rate: unlimited }), process.cwd(), {});
const running = await runVerifier(
  config,
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
process.stdout.write(`${running.addresses[0]}\n`);
process.stdin.resume();
process.stdin.on("end", () => void running.close());
