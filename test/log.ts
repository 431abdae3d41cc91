/** The log on the bench, where tests look for it. */
export * from "../attack/log.ts";
