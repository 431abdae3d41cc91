/** What every use case of the service is given. */
import type { AsyncSigner } from "../keys/signer.ts";
import type { BoardKind } from "../policy/fleet.ts";
import type { Policy } from "../policy/policy.ts";
import type { Store } from "../store/store.ts";
import type { Nonces } from "../verifier/nonces.ts";
import type { ReferenceValues } from "../verifier/registry.ts";
import type { Attesters } from "./attesters.ts";
import type { FrostSeat } from "./frost-gathering.ts";
import type { TransparencyLog } from "./log/transparency-log.ts";
import type { LocalParties } from "./parties.ts";
import type { Registration } from "./service.ts";
import type { Shared } from "./shared.ts";

/** What is set from outside, and may change while the service runs. */
export interface ServiceSettings {
  readonly policy: Policy;
  readonly references: ReferenceValues;
  /** By hardware model: what one board can do at most. */
  readonly models: ReadonlyMap<string, BoardKind>;
  /** What a device is registered as when nobody says. */
  readonly registration: Registration;
  /** How long a nonce is good for; absent: `NONCE_LIFETIME_MS`. */
  readonly nonceSeconds?: number;
}

export interface ServiceContext {
  readonly store: Store;
  readonly shared: Shared;
  readonly settings: () => ServiceSettings;
  readonly parties: LocalParties;
  /** Shares of groups' keys that are here. */
  readonly frost: readonly FrostSeat[];
  /** Time authorities whose keys are here. */
  readonly timeSigners: readonly AsyncSigner[];
  /** Signs attestation results. */
  readonly verdictSigner: AsyncSigner;
  /** Where all that is signed by its whole quorum is made public before it is handed out. */
  readonly log: TransparencyLog;
  readonly nonces: Nonces;
  readonly attesters: Attesters;
  /** Agreement time in ms. */
  readonly clock: () => number;
  readonly random: (bytes: number) => Uint8Array;
  /** Which of the running sums this process adds to. */
  readonly slot: number;
  /** When the store was put back from a backup; undefined: it never was. */
  readonly restoredMs: number | undefined;
  /** Told of each durable commit of requests that came together. */
  readonly committed?: ((seconds: number, requests: number) => void) | undefined;
}
