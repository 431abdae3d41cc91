/** Entry of `npm run campaign`. */
import { STANDARD } from "../streams.ts";
import { campaignCommand } from "./command.ts";

process.exitCode = await campaignCommand(process.argv.slice(2), STANDARD);
