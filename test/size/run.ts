/** Entry of `npm run size`. */
import { STANDARD } from "../streams.ts";
import { sizeCommand } from "./command.ts";

process.exitCode = await sizeCommand(process.argv.slice(2), STANDARD);
