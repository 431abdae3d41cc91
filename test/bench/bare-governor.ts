/** The governor off its board, where tests look for it. */
export * from "../../attack/bare-governor.ts";
