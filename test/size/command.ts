/** `npm run size [-- --all] [-- --json]`: where the governor's bytes are, in its module and in its memory. */
import { parseArgs } from "node:util";
import type { Streams } from "../streams.ts";
import { buildHere, buildOf, findMain } from "./build.ts";
import { type Against, forPeople, forPrograms, limitsOf } from "./report.ts";
import { type Sizes, sizesOf } from "./sizes.ts";

const LIMIT_BROKEN = 1;
const WRONG_USE = 2;
const USAGE = `npm run size [-- options]

  --all   every function, source and region of memory, and not only the largest
  --json  one JSON document

Sizes are in bytes. Beside them stands the difference from the last commit on main, whose firmware is built for it. The
exit code is 1 if a limit is broken.

Example:
  $ npm run size -- --all
`;

/** What is looked at, and what it is compared with. */
export type Looked = { here(): Promise<Sizes>; base(): Promise<Against> };

const THIS_TREE: Looked = {
  async here() {
    return sizesOf(await buildHere());
  },
  async base() {
    const main = findMain();
    if ("why" in main) return main;
    try {
      return { commit: main.commit, sizes: sizesOf(await buildOf(main.commit)) };
    } catch (error) {
      return { why: `the firmware of ${main.commit} can't be built and read today: ${(error as Error).message}` };
    }
  },
};

/** Runs the command and returns its exit code: 0, 1 if a limit is broken, or 2 for wrong use. */
export async function sizeCommand(args: string[], { out, err }: Streams, looked = THIS_TREE): Promise<number> {
  let values: { all?: boolean; json?: boolean; help?: boolean };
  try {
    const boolean = { type: "boolean" } as const;
    ({ values } = parseArgs({ args, options: { all: boolean, json: boolean, help: boolean } }));
  } catch (error) {
    err(`${(error as Error).message.split("\n")[0]} npm run size -- --help says what there is\n`);
    return WRONG_USE;
  }
  if (values.help) {
    out(USAGE);
    return 0;
  }
  const sizes = await looked.here();
  const against = await looked.base();
  if (values.json) out(`${JSON.stringify(forPrograms(sizes, against), undefined, 2)}\n`);
  else out(`${forPeople(sizes, against, values.all === true)}\n`);
  const broken = limitsOf(sizes).filter(({ holds }) => !holds);
  for (const { name, value, most } of broken) err(`${name}: ${value}, but at most ${most} are allowed\n`);
  return broken.length > 0 ? LIMIT_BROKEN : 0;
}
