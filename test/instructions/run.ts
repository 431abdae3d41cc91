/** Entry of `npm run instructions`. */
import { instructionsCommand } from "./command.ts";

process.exitCode = await instructionsCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
