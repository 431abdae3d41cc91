/**
 * Verifiers that are processes of their own, over HTTP, for a story that waits for each answer. The operator's agent
 * comes to them without credentials; the parties' people come with a token, each to their own verifier.
 */
import type { VerifierLink } from "../agent/agent.ts";
import type { VerifierClient } from "../client/client.ts";
import { type Synchronous, SyncVerifiers } from "../client/sync.ts";
import type { OrderRequest } from "../verifier/order-book.ts";
import type { Account, SignedOrder, VerifierHost, Verifiers } from "./verifiers.ts";

/** Where a verifier is reached, and with which token its own people come. */
export type ReachableVerifier = { readonly host: VerifierHost; readonly socketPath: string; readonly token: string };

/** With a socket the host is only a name (RFC 9110 section 7.2). */
const ORIGIN = "http://localhost";
/** Of one request. Where all processes start at once on a busy machine, one may have to wait. */
const TIMEOUT_MS = 30_000;

type Client = Synchronous<VerifierClient>;

export class RemoteVerifiers implements Verifiers {
  readonly hosts: readonly VerifierHost[];
  readonly link: VerifierLink;
  readonly #sync: SyncVerifiers;
  readonly #clock: () => number;
  /** What each verifier's clock was set to last. */
  readonly #clocksMs = new Map<string, number>();

  /** `sync` is of `syncVerifiers`. `clock` gives the agreement time in ms, which the verifiers are told. */
  constructor(sync: SyncVerifiers, hosts: readonly VerifierHost[], clock: () => number) {
    this.hosts = hosts;
    this.#sync = sync;
    this.#clock = clock;
    const circle = () => this.#circle();
    // Only one of them has the time authority's key, and the operator knows which.
    const clockTower = () => this.#at(hosts.find(({ tellsTime }) => tellsTime)!);
    this.link = {
      agreementsAfter: (version) => circle().agreementsAfter(version),
      enrol: (endorsement, certificate) => circle().enrol(endorsement, certificate),
      challenge: (ueid) => circle().challenge(ueid),
      issueLicense: (evidence, request) => circle().issueLicense(evidence, request),
      issueRecovery: (evidence) => circle().issueRecovery(evidence),
      appraise: (evidence) => circle().appraise(evidence),
      acceptReport: (report, intervals) => circle().acceptReport(report, intervals),
      ordersAfter: (epoch) => circle().ordersAfter(epoch),
      beacon: () => clockTower().beacon(),
      timeProof: (nonce) => clockTower().timeProof(nonce),
      logProof: (digest, from) => circle().logProof(digest, from),
    };
  }

  order(request: OrderRequest, parties: readonly string[]): SignedOrder {
    const drafted = this.#people(this.#hostOf(parties[0]!)).proposeOrder(request);
    let { bytes, active } = drafted;
    let holder: VerifierHost | undefined;
    for (const party of parties) {
      const host = this.#hostOf(party);
      const people = this.#people(host);
      const { id } = holder === undefined ? drafted : people.importOrder(bytes);
      ({ bytes, active } = people.approveOrder(id, party));
      holder = host;
    }
    if (active) for (const host of this.hosts) if (host !== holder) this.#people(host).importOrder(bytes);
    return { epoch: drafted.epoch, quorum: drafted.quorum, bytes };
  }

  settle(ueid: Uint8Array, evidenceOn: (nonce: Uint8Array) => Uint8Array): void {
    for (const host of this.hosts) {
      const verifier = this.#at(host);
      verifier.appraise(evidenceOn(verifier.nonce(ueid).nonce));
    }
  }

  accounts(ueid: Uint8Array): readonly Account[] {
    return this.hosts.map((host) => {
      const people = this.#people(host);
      return { host, reportsTaken: people.device(ueid).reportSequence, books: people.books(ueid) };
    });
  }

  #hostOf(party: string): VerifierHost {
    return this.hosts.find(({ parties }) => parties.includes(party))!;
  }

  #circle(): VerifierLink {
    for (const host of this.hosts) this.#setClock(host);
    return this.#sync.link;
  }

  #at(host: VerifierHost): Client {
    this.#setClock(host);
    return this.#sync.verifier(host.name);
  }

  #people(host: VerifierHost): Client {
    this.#setClock(host);
    return this.#sync.verifier(peopleOf(host));
  }

  #setClock(host: VerifierHost): void {
    const nowMs = this.#clock();
    if (this.#clocksMs.get(host.name) === nowMs) return;
    this.#sync.verifier(peopleOf(host)).setClock(nowMs);
    this.#clocksMs.set(host.name, nowMs);
  }
}

export function syncVerifiers(verifiers: readonly ReachableVerifier[]): SyncVerifiers {
  // Nothing is tried twice, and all are waited for: one seed gives one run, however busy the machine is.
  const options = { url: ORIGIN, timeoutMs: TIMEOUT_MS, triesMax: 1 };
  return new SyncVerifiers({
    verifiers: verifiers.map(({ host, socketPath }) => ({ name: host.name, options: { ...options, socketPath } })),
    others: verifiers.map(({ host, socketPath, token }) => ({
      name: peopleOf(host),
      options: { ...options, socketPath, token },
    })),
    graceMs: TIMEOUT_MS,
  });
}

function peopleOf({ name }: VerifierHost): string {
  return `${name}'s people`;
}
