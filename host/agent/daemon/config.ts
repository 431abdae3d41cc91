/** What the agent's configuration says: docs/agent.md describes every key. */
import type { LogLevel } from "../../log-levels.ts";
import type { Registration } from "../../service/service.ts";
import type { LicenseRequest } from "../../verifier/licensing.ts";

export interface VerifierConfig {
  readonly name: string;
  readonly url: string;
  readonly socket?: string;
  /** Paths of files. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tokenFile?: string;
}

export interface AgentConfig {
  /** Folder of what survives restarts. */
  readonly state: string;
  readonly boards: {
    /** Folder of sockets. */
    readonly sockets: string;
    readonly everySeconds: number;
    readonly timeoutSeconds: number;
  };
  readonly verifiers: readonly VerifierConfig[];
  /** The agent's own key, which signs its requests. */
  readonly signing?: { readonly keys: string; readonly kid?: string; readonly passphraseFile?: string };
  /** Whose the boards are. */
  readonly registration?: Partial<Registration>;
  readonly license: {
    /** Absent: whatever verifiers give by default. */
    readonly terms?: LicenseRequest;
    /** A license is renewed when less than this part of it is left. */
    readonly renewAt: number;
    /** The part is larger by up to this part of itself, by chance. */
    readonly jitter: number;
  };
  readonly reports: {
    readonly everySeconds: number;
    /** With so many that too few verifiers have, no further report is made. */
    readonly waitingMax: number;
    /** Of each board, for verifiers that lag and for openings. */
    readonly keep: number;
  };
  /** Between two looks at verifiers that push nothing. */
  readonly pollSeconds: number;
  readonly requests: {
    /** To one verifier. */
    readonly inFlightMax: number;
    readonly timeoutSeconds: number;
    readonly triesMax: number;
  };
  /** Whether a recovery is asked for where a board lost its journal. */
  readonly recover: boolean;
  readonly logLevel: LogLevel;
}
