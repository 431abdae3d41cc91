/** Entry of `npm run campaign`. */
import { campaignCommand } from "./command.ts";

process.exitCode = await campaignCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
