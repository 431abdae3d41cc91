/**
 * A policy as data: what a party signs licenses by, beyond the agreement's caps. What is not named is not limited, except
 * that where a map of classes is given, a class that is not in it gets nothing. Format and meaning: docs/policy.md.
 */
import type { EngineClass } from "../../firmware/protocol/classes.ts";
import type { WorkByClass } from "../objects/work.ts";
import type { CountingRule } from "./counting.ts";

export const POLICY_FORMAT = "quiesce-policy/1";

export const CAP_SCOPES = ["party", "site", "model", "fleet"] as const;
/** Whose boards a cap counts together: those of one owner, at one place, of one hardware model, or all. */
export type CapScope = (typeof CAP_SCOPES)[number];

export interface PolicyCap {
  readonly per: CapScope;
  /** Only this party, site or model; absent: each of them by itself. */
  readonly name?: string;
  /** Boards licensed at one time. */
  readonly boardsMax?: bigint;
  /** Counted operations licensed in one period. */
  readonly operationsMax?: bigint;
  /** The period; absent: ever. */
  readonly periodSeconds?: bigint;
}

/** Boards that may be licensed together. */
export interface FixedSets {
  readonly boardsTogetherMax?: bigint;
  /** Named sets of UEIDs (lower-case hex): boards of one set may be licensed together, boards of two may not. */
  readonly peerSets?: readonly PeerSet[];
}

export interface PeerSet {
  readonly name: string;
  readonly ueids: readonly string[];
}

/** What a board registered for this use may do. */
export interface WorkProfile {
  readonly name: "training" | "inference";
  readonly classes: readonly EngineClass[];
  /** Bytes of each link direction in one license. */
  readonly linkBytesMax?: bigint;
}

export interface Policy {
  readonly name: string;
  readonly title?: string;
  /** Where the figures come from. */
  readonly source?: string;
  readonly counting: CountingRule;
  /** The most of each class in one license. */
  readonly budgetMax?: WorkByClass;
  /** The most counted operations in one license. */
  readonly operationsMax?: bigint;
  /** From signing to expiry. */
  readonly licenseSecondsMax?: bigint;
  readonly licenseTicksMax?: bigint;
  /** The next license only when at most this part of the one in force is left, of its time or of a class's budget. */
  readonly renewalMarginPermille?: bigint;
  /** A license must name a rate of at most this for each class that it budgets; per second at the nominal tick rate. */
  readonly rateMaxPerSecond?: ReadonlyMap<EngineClass, bigint>;
  readonly drainMax?: WorkByClass;
  /** The most that the agreement's baseline may be of a license's budget, class by class. */
  readonly baselinePermilleMax?: bigint;
  /** Licenses without a nonce that one device may hold uninstalled; 0: none are signed. */
  readonly offlineLicensesMax?: bigint;
  readonly cohortLicenses?: boolean;
  readonly caps?: readonly PolicyCap[];
  readonly fixedSets?: FixedSets;
  readonly profiles?: readonly WorkProfile[];
}

/** Limits nothing beyond the agreement, and counts each operation as one. */
export const POLICY_DEFAULT: Policy = { name: "none", counting: "native" };
