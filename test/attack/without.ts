/** Governors with one defense taken out: what looks for breaches must find that one. */
import { readFileSync } from "node:fs";
import { GovernorImage } from "../../sim-board/governor-module.ts";
import { compile } from "../compile.ts";

const root = new URL("../../", import.meta.url);

/** The governor with this text of a source replaced. */
export async function without(path: string, text: string, instead: string): Promise<GovernorImage> {
  const source = readFileSync(new URL(path, root), "utf8");
  if (source.split(text).length !== 2) throw new Error(`${path} does not have this once: ${text}`);
  const { bytes } = await compile("firmware/governor.ts", {
    target: "governor",
    args: ["--optimizeLevel", "0", "--shrinkLevel", "0"],
    readFile(name) {
      if (name === path) return source.replace(text, instead);
      try {
        return readFileSync(new URL(name, root), "utf8");
      } catch {
        return null;
      }
    },
  });
  return new GovernorImage(bytes);
}
