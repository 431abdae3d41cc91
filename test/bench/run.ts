/** Entry of `npm run bench`. */
import { STANDARD } from "../streams.ts";
import { benchCommand } from "./command.ts";

process.exitCode = await benchCommand(process.argv.slice(2), STANDARD);
