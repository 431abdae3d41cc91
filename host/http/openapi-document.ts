/** The OpenAPI document by itself: of an app that is made for it, and that nobody asks anything else. */
import { MemoryClientStore, MemoryReplayStore, MemoryTokenStore } from "../auth/memory.ts";
import type { VerifierService } from "../service/service.ts";
import { buildApp } from "./app.ts";
import { serviceLogger } from "./logging.ts";

const NO_LIMIT = { perSecond: 0, burst: 1 };

export async function openApiDocument(version: string): Promise<object> {
  const { app } = await buildApp({ subscribe: () => () => {} } as unknown as VerifierService, {
    trust: {
      tokens: new MemoryTokenStore(),
      clients: new MemoryClientStore(),
      replays: new MemoryReplayStore(Date.now),
      authorities: new Set(),
    },
    rates: { read: NO_LIMIT, evidence: NO_LIMIT, write: NO_LIMIT, failures: NO_LIMIT, callersMax: 1 },
    events: { listenersMax: 0, heartbeatSeconds: 3600, backlogBytesMax: 0 },
    logger: serviceLogger("silent"),
    version,
    scheme: "https",
    proxies: [],
    policy: {},
    beaconSeconds: 10,
    importBytesMax: 1,
    setClock: () => {},
    access: { tokens: new MemoryTokenStore(), clients: new MemoryClientStore() },
  });
  const document = app.swagger();
  await app.close();
  return document;
}
