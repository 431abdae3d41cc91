/** Entry of `npm run instructions`. */
import { STANDARD } from "../streams.ts";
import { instructionsCommand } from "./command.ts";

process.exitCode = await instructionsCommand(process.argv.slice(2), STANDARD);
