/** Entry of `npm run bench`. */
import { benchCommand } from "./command.ts";

process.exitCode = await benchCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
