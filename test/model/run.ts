/** Entry of `npm run model`. */
import { STANDARD } from "../streams.ts";
import { modelCommand } from "./command.ts";

process.exitCode = modelCommand(process.argv.slice(2), STANDARD);
