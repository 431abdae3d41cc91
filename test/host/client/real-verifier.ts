/** A real verifier: the HTTP app over the SQL service in a folder of its own, with the parties and boards of test/rig.ts. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../../host/auth/client.ts";
import { MemoryClientStore, MemoryReplayStore, MemoryTokenStore } from "../../../host/auth/memory.ts";
import type { Role } from "../../../host/auth/principal.ts";
import { createToken } from "../../../host/auth/token.ts";
import { buildApp } from "../../../host/http/app.ts";
import { serviceLogger } from "../../../host/http/logging.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { POLICY_DEFAULT } from "../../../host/policy/policy.ts";
import { ed25519Signer, type Signer, verificationKey } from "../../../host/protocol/cose.ts";
import { createService } from "../../../host/service/create.ts";
import type { FrostSeat } from "../../../host/service/frost-gathering.ts";
import type { LogHere } from "../../../host/service/log/transparency-log.ts";
import type { SqlService } from "../../../host/service/sql-service.ts";
import { openStore } from "../../../host/store/store.ts";
import { agreementOf, CLOCK, governorImage, PARTIES, signerOf } from "../../rig.ts";
import { DAY_MS, NO_RATES } from "../http/rig.ts";
import { asyncSigner } from "../service/world.ts";
import { MANUFACTURER } from "./fake-service.ts";

export interface RealVerifierOptions {
  /** Indexes of the parties whose keys are here; default all. */
  readonly here?: readonly number[];
  /** Shares of groups' keys that are here. */
  readonly frost?: readonly FrostSeat[];
  /** The agreement as its parties signed it; default by all of test/rig.ts. */
  readonly agreementBytes?: Uint8Array;
  readonly agreement?: Parameters<typeof agreementOf>[0];
  readonly clock?: () => number;
  readonly nonceSeconds?: number;
  /** Its log; default one without witnesses, by the key of its verdicts. */
  readonly log?: LogHere | undefined;
  /** How often beacons are pushed; default never. */
  readonly beaconMs?: number;
  /** Default: plain HTTP. */
  readonly tls?: TlsOptions;
  /** Default: a free one. */
  readonly port?: number;
}

export interface RealVerifier {
  readonly service: SqlService;
  readonly url: string;
  readonly port: number;
  /** Of the last clock that was set. */
  readonly clockMs: () => number | undefined;
  /** Answers a request itself, or says by false that the verifier is to. */
  fault: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Ends every connection. */
  cut(): void;
  token(...roles: Role[]): Promise<string>;
  /** The key of a client that signs its requests. */
  client(...roles: Role[]): Promise<Signer>;
  /** A client that has its key already. */
  admit(publicKey: Uint8Array, ...roles: Role[]): Promise<void>;
  close(): Promise<void>;
}

export async function openRealVerifier(options: RealVerifierOptions = {}): Promise<RealVerifier> {
  const { here = [0, 1, 2], clock = Date.now } = options;
  const scheme = options.tls ? "https" : "http";
  const folder = mkdtempSync(join(tmpdir(), "quiesce-verifier-"));
  const service = await createService(await openStore({ folder }), {
    settings: () => ({
      policy: POLICY_DEFAULT,
      references: {
        manufacturers: [verificationKey(MANUFACTURER.publicKey)],
        measurements: [{ digest: governorImage().sha256, svnLeast: 0 }],
      },
      models: new Map(),
      registration: { owner: "operator", site: "hall 1" },
      nonceSeconds: options.nonceSeconds,
    }),
    partySigners: here.map((index) => asyncSigner(PARTIES[index]!)),
    frost: options.frost,
    timeSigners: [asyncSigner(CLOCK)],
    verdictSigner: asyncSigner(signerOf("verdicts")),
    log: options.log,
    clock,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    agreement: options.agreementBytes ?? signAgreement(agreementOf(options.agreement), PARTIES),
    beaconMs: options.beaconMs,
  });
  const [tokens, clients, authorities] = [new MemoryTokenStore(), new MemoryClientStore(), new Set<string>()];
  let clockMs: number | undefined;
  const { app } = await buildApp(service, {
    trust: { tokens, clients, replays: new MemoryReplayStore(Date.now), authorities },
    rates: NO_RATES,
    events: { listenersMax: 16, heartbeatSeconds: 15, backlogBytesMax: 65_536 },
    logger: serviceLogger("silent", { write: () => {} }),
    version: "0.0.0",
    scheme,
    proxies: [],
    policy: { format: "quiesce-policy/1", name: "none", counting: "native" },
    beaconSeconds: 10,
    importBytesMax: 100_000,
    setClock: (nowMs) => {
      clockMs = nowMs;
    },
  });
  const listener: RequestListener = (request, response) => {
    if (!verifier.fault(request, response)) app.routing(request, response);
  };
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  authorities.add(`127.0.0.1:${port}`);
  const verifier: RealVerifier = {
    service,
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    clockMs: () => clockMs,
    fault: () => false,
    cut: () => server.closeAllConnections(),
    token: async (...roles) => {
      const nowMs = Date.now();
      const { token, record } = createToken({ name: "Ada", roles, expiresMs: nowMs + DAY_MS, nowMs });
      await tokens.addToken(record);
      return token;
    },
    client: async (...roles) => {
      const signer = ed25519Signer(randomBytes(32));
      await verifier.admit(signer.publicKey, ...roles);
      return signer;
    },
    admit: async (publicKey, ...roles) => {
      await clients.addClient(createClient({ publicKey, name: "agent", roles, nowMs: Date.now() }));
    },
    close: async () => {
      await app.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await service.close();
      rmSync(folder, { recursive: true });
    },
  };
  return verifier;
}
