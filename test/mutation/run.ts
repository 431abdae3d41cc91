/** Entry of `npm run mutation`. */
import { STANDARD } from "../streams.ts";
import { mutationCommand } from "./command.ts";

process.exitCode = await mutationCommand(process.argv.slice(2), STANDARD);
