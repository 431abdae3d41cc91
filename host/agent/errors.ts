/** How the agent itself fails, in one table; docs/agent.md lists them. */

// biome-ignore format: a table, one row a code
export const AGENT_ERRORS = {
  "agent/locked": "another agent uses this state folder",
  "agent/state": "the state folder cannot be used",
  "agent/report-lost": "a report that a verifier asks about is not kept any more",
  "agent/endorsement-missing": "the board has no endorsement beside it, and is not enrolled",
  "agent/duplicate": "another board here has the same identity",
  "agent/fault": "a fault of the agent: its log knows more",
} as const satisfies Record<string, string>;

export type AgentErrorCode = keyof typeof AGENT_ERRORS;

export class AgentError extends Error {
  readonly code: AgentErrorCode;

  /** `detail` says with what. */
  constructor(code: AgentErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? AGENT_ERRORS[code] : `${AGENT_ERRORS[code]} (${detail})`, options);
    this.name = "AgentError";
    this.code = code;
  }
}
