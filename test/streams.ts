/** Where a command of the developers writes. */
export type Streams = { out(text: string): void; err(text: string): void };

/** Those of the process. */
export const STANDARD: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** Runs a command and keeps what it writes, for a test. */
export async function kept(
  command: (streams: Streams) => number | Promise<number>,
): Promise<{ exit: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const exit = await command({
    out(text) {
      out += text;
    },
    err(text) {
      err += text;
    },
  });
  return { exit, out, err };
}
