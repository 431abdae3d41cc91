/** The board on the bench, where tests look for it. */
export * from "../attack/rig.ts";
