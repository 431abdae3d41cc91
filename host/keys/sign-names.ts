/** What a party signs, as the command line calls it. */
export const SIGN_TYPES = ["agreement", "license", "order", "recovery"] as const;

export type SignType = (typeof SIGN_TYPES)[number];
