/** A verifier as the agent's circle sees it from the other end of the network: the service's own calls, and its events. */
import type { CircleClient } from "../../host/client/circle.ts";
import { ClientError } from "../../host/client/errors.ts";
import { verifierError } from "../../host/client/problem.ts";
import type { ServiceEvent, VerifierService } from "../../host/service/service.ts";
import { StoreError } from "../../host/store/errors.ts";
import type { Judge } from "./judge.ts";
import type { Life, Network } from "./network.ts";
import type { Simulation } from "./simulation.ts";
import type { VerifierHost } from "./verifier-host.ts";

const TIMEOUT_MS = 15_000;
/** A stream of events on which nothing comes for so long is taken for dead. */
const SILENCE_MS = 60_000;

export interface LinkParts {
  readonly sim: Simulation;
  readonly network: Network;
  readonly judge: Judge;
  /** Who asks: the agent, or the parties' people. */
  readonly from: string;
  readonly life: Life;
  /** Recoveries are not shown to verifiers that had no part in them. */
  readonly hidesRecoveries?: boolean;
}

/** Asks a verifier over the network. Rejects with its refusal, or a `ClientError`. */
export function askOf(host: VerifierHost, { network, from, life }: LinkParts) {
  return <T>(name: string, ask: (service: VerifierService) => Promise<T>): Promise<T> =>
    network.ask({
      from,
      to: host.name,
      name,
      serve: async () => {
        try {
          return await host.serve(ask);
        } catch (error) {
          throw error instanceof StoreError ? new ClientError("client/unavailable", error.code) : error;
        }
      },
      timeoutMs: TIMEOUT_MS,
      timeout: () => new ClientError("client/timeout"),
      life,
    });
}

export function verifierLink(host: VerifierHost, parts: LinkParts): CircleClient {
  const ask = askOf(host, parts);
  const { judge, hidesRecoveries } = parts;
  return {
    about: () => ask("about", (service) => service.about()),
    agreementsAfter: (version) => ask("agreements", (service) => service.agreementsAfter(version)),
    appraise: (evidence, nonces) => ask("appraise", (service) => service.appraise(evidence, nonces)),
    beacon: () => ask("beacon", (service) => service.beacon()),
    close: async () => {},
    devices: (query = {}) => ask("devices", (service) => service.devices(query)),
    enrol: (endorsement, certificate, of) => ask("enrol", (service) => service.enrol(endorsement, certificate, of)),
    events: () => eventsOf(host, parts),
    importLicense: (bytes) => ask("import", (service) => service.importLicense(bytes)),
    importRecovery: async (bytes) => {
      if (!hidesRecoveries) await ask("import", (service) => service.importRecovery(bytes));
    },
    license: (call) =>
      ask("license", async (service) => {
        const answer = await service.license(call);
        judge.signed(answer);
        return answer;
      }),
    logHeads: () => ask("log heads", (service) => service.logHeads()),
    logProof: (digest, from) => ask("log proof", (service) => service.logProof(digest, from)),
    logTile: (tile) => ask("log tile", (service) => service.logTile(tile)),
    nonce: (ueid) => ask("nonce", (service) => service.nonce(ueid)),
    offerLogHead: (text) => ask("log head", (service) => service.offerLogHead(text)),
    offlineLicense: (call) => ask("offline", (service) => service.offlineLicense(call)),
    open: (opening) => ask("open", (service) => service.open(opening)),
    openingsWanted: (ueid) => ask("openings", (service) => service.openingsWanted(ueid)),
    ordersAfter: (epoch) => ask("orders", (service) => service.ordersAfter(epoch)),
    recovery: (call) =>
      ask("recovery", async (service) => {
        const answer = await service.recovery(call);
        judge.recovered(answer);
        return answer;
      }),
    async reports(items) {
      const outcomes = await ask("reports", async (service) => {
        const taken = await service.reports(items);
        judge.took(host.name, items, taken);
        return taken;
      });
      return outcomes.map((outcome) =>
        outcome.status === "refused"
          ? { status: outcome.status, error: verifierError(outcome.code, outcome.message)! }
          : outcome,
      );
    },
    timeProof: (nonce) => ask("time", (service) => service.timeProof(nonce)),
  };
}

/** Ends by rejecting, as a connection does: when the verifier went down, or nothing came for too long. */
async function* eventsOf(host: VerifierHost, parts: LinkParts): AsyncGenerator<ServiceEvent | undefined> {
  const { sim, network, from, life } = parts;
  const arrived: ServiceEvent[] = [];
  let wake = () => {};
  const listen = async (service: VerifierService) =>
    service.subscribe((event) =>
      network.send(host.name, from, "event", () => {
        arrived.push(structuredClone(event));
        wake();
      }),
    );
  let leave: (() => void) | undefined;
  await askOf(host, parts)("events", async (service) => {
    leave?.();
    leave = await listen(service);
  });
  const { service } = host;
  try {
    yield undefined;
    while (!life.isOver && host.service === service) {
      const event = arrived.shift();
      if (event) {
        yield event;
        continue;
      }
      const isSilent = await new Promise<boolean>((resolve) => {
        const callOff = sim.after(SILENCE_MS, "silence", () => resolve(true));
        wake = () => {
          callOff();
          resolve(false);
        };
      });
      if (isSilent) break;
    }
    throw new ClientError("client/connect", "the stream of events ended");
  } finally {
    leave?.();
  }
}
