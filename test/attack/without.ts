/** Governors with one defense taken out: what a campaign is worth is whether it finds them. */
import { GovernorImage } from "../../sim-board/governor-module.ts";
import { compileChanged } from "../compile.ts";

/** Compiled fast: what it decides is the same. */
const PLAIN = { target: "governor", args: ["--optimizeLevel", "0", "--shrinkLevel", "0"] } as const;

/** The governor with this text of a source replaced. */
export async function without(path: string, passage: string, instead: string): Promise<GovernorImage> {
  return new GovernorImage((await compileChanged("firmware/governor.ts", { path, passage, instead }, PLAIN)).bytes);
}
