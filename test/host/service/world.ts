/** A verifier's service over a store of either engine, with parties, a clock that a test turns, and devices it plays. */
import { randomBytes } from "node:crypto";
import { afterEach } from "vitest";
import { type Agreement, agreementDigest, signAgreement } from "../../../host/objects/agreement.ts";
import type { Policy } from "../../../host/policy/policy.ts";
import { POLICY_DEFAULT } from "../../../host/policy/policy.ts";
import { type Signer, verificationKey } from "../../../host/protocol/cose.ts";
import type { ServiceSettings } from "../../../host/service/context.ts";
import { createService } from "../../../host/service/create.ts";
import type { FrostSeat } from "../../../host/service/frost-gathering.ts";
import type { LogHere } from "../../../host/service/log/transparency-log.ts";
import type { SignedAnswer } from "../../../host/service/service.ts";
import type { SqlService } from "../../../host/service/sql-service.ts";
import { openStore, type Store, type StorePlace } from "../../../host/store/store.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import type { LicenseRequest } from "../../../host/verifier/licensing.ts";
import {
  agreementOf,
  BF16,
  CLOCK,
  FakeGovernor,
  type GovernorWorld,
  MANUFACTURER,
  MEASUREMENT,
  PARTY_SIGNERS,
  signerOf,
} from "../fake-governor.ts";

export const REQUEST: LicenseRequest = { budget: new Map([[BF16, 1000n]]), ticksMax: 1000n, windowSeconds: 600 };

export interface WorldOptions {
  readonly agreement?: Partial<Agreement>;
  readonly policy?: Partial<Policy>;
  /** Whose keys are here; default all three. */
  readonly parties?: readonly Signer[];
  /** Shares of groups' keys that are here. */
  readonly frost?: readonly FrostSeat[];
  /** The agreement as its parties signed it; default by all three. */
  readonly agreementBytes?: Uint8Array;
  /** Time authorities whose keys are here; default the agreement's. */
  readonly timeSigners?: readonly Signer[];
  /** Its log; default one without witnesses, by the key of its verdicts. */
  readonly log?: LogHere;
  /** For a run that is to be the same again; default the system's. */
  readonly random?: (bytes: number) => Uint8Array;
}

export function asyncSigner({ kid, publicKey, sign }: Signer) {
  return { kid, publicKey, sign: async (message: Uint8Array) => sign(message) };
}

/** When every world begins, Unix milliseconds. */
export const STARTS_MS = 1_800_000_000_500;

export class ServiceWorld implements GovernorWorld {
  nowMs = STARTS_MS;
  agreement: Agreement;
  digest: Uint8Array;
  readonly store: Store;
  service!: SqlService;
  settings: ServiceSettings;
  /** Fake governors of these tests are always given a nonce, and upload through `upload`. */
  readonly verifier = {
    challenge: (): Uint8Array => {
      throw new Error("ask the service for a nonce");
    },
    acceptReport: (): void => {
      throw new Error("upload to the service");
    },
  };

  readonly #random: (bytes: number) => Uint8Array;

  private constructor(store: Store, options: WorldOptions) {
    this.store = store;
    this.#random = options.random ?? ((bytes) => new Uint8Array(randomBytes(bytes)));
    this.agreement = agreementOf(options.agreement);
    this.digest = agreementDigest(this.agreement);
    this.settings = {
      policy: { ...POLICY_DEFAULT, ...options.policy },
      references: {
        manufacturers: [verificationKey(MANUFACTURER.publicKey)],
        measurements: [{ digest: MEASUREMENT, svnLeast: 0 }],
      },
      models: new Map(),
      registration: { owner: "operator", site: "hall 1" },
    };
  }

  static async open(place: StorePlace, options: WorldOptions = {}): Promise<ServiceWorld> {
    const world = new ServiceWorld(await openStore(place), options);
    await world.start(options.parties ?? PARTY_SIGNERS, options.timeSigners, options);
    return world;
  }

  /** A process of the verifier: as many as a test wants may share the store of PostgreSQL. */
  async start(parties: readonly Signer[], timeSigners: readonly Signer[] = [CLOCK], options: WorldOptions = {}) {
    this.service = await createService(this.store, {
      settings: () => this.settings,
      partySigners: parties.map(asyncSigner),
      frost: options.frost,
      timeSigners: timeSigners.map(asyncSigner),
      verdictSigner: asyncSigner(signerOf("verdicts")),
      log: options.log,
      clock: () => this.nowMs,
      random: this.#random,
      agreement: options.agreementBytes ?? signAgreement(this.agreement, PARTY_SIGNERS),
    });
  }

  /** By the amend quorum. */
  async amend(change: Partial<Agreement>): Promise<void> {
    const next = { ...this.agreement, version: this.agreement.version + 1, ...change };
    await this.service.amend(signAgreement(next, PARTY_SIGNERS.slice(0, this.agreement.quorums.amend)));
    this.agreement = next;
    this.digest = agreementDigest(next);
  }

  device(name = "device"): FakeGovernor {
    return new FakeGovernor(this, name);
  }

  async enrolled(name = "device"): Promise<FakeGovernor> {
    const device = this.device(name);
    await this.service.enrol(device.endorsement(), device.certificate());
    return device;
  }

  async evidence(device: FakeGovernor, change: object = {}): Promise<Uint8Array> {
    const { nonce } = await this.service.nonce(device.ueid);
    return device.evidence({ nonce, ...change });
  }

  /** Evidence and the license that answers it, with the whole quorum. */
  async license(device: FakeGovernor, terms = REQUEST): Promise<Uint8Array> {
    return whole(await this.service.license({ evidence: await this.evidence(device), terms }));
  }

  async upload(device: FakeGovernor): Promise<void> {
    const [outcome] = await this.service.reports([device.report()]);
    if (outcome!.status !== "taken") throw new Error(JSON.stringify(outcome));
  }

  async close(): Promise<void> {
    await this.service.close();
  }
}

/** Opens worlds for one test after the other; each is closed after its test, once `atEnd` has looked at it. */
export function worldsOn(place: () => StorePlace, atEnd: (world: ServiceWorld) => Promise<void> = async () => {}) {
  const worlds: ServiceWorld[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) {
      await atEnd(world);
      await world.close();
    }
  });
  return async (options?: WorldOptions): Promise<ServiceWorld> => {
    const world = await ServiceWorld.open(place(), options);
    worlds.push(world);
    return world;
  };
}

export function whole(answer: SignedAnswer): Uint8Array {
  if (!answer.complete) throw new Error(`${answer.have} of ${answer.need} signatures`);
  return answer.bytes;
}

/** Of the refusal; undefined where there is none. */
export async function codeOf(act: Promise<unknown>): Promise<string | undefined> {
  try {
    await act;
  } catch (error) {
    if (error instanceof VerifierError) return error.code;
    throw error;
  }
  return undefined;
}
