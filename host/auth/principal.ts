/** Who asks, and the roles that whoever asks can have. */
export const ROLES = ["admin", "approver", "registrar", "auditor", "agent", "peer"] as const;
export type Role = (typeof ROLES)[number];

export interface Principal {
  /** `person`: by a token. `service`: by a signed request. `device`: by its evidence. */
  readonly kind: "anonymous" | "person" | "service" | "device";
  readonly name: string;
  readonly roles: readonly Role[];
  /** Of a service's key. */
  readonly kid?: string;
  /** Of a person's token: two may bear one name. */
  readonly tokenId?: string;
}

export const ANONYMOUS: Principal = { kind: "anonymous", name: "anonymous", roles: [] };

/** One or more of the known roles, each once. */
export function areRoles(roles: readonly string[]): roles is readonly Role[] {
  const areKnown = roles.every((role) => (ROLES as readonly string[]).includes(role));
  return roles.length > 0 && areKnown && new Set(roles).size === roles.length;
}
