/** Follows a log for `quiesce log monitor`, and says what it sees. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { wait } from "../client/retry.ts";
import { LogError } from "../log/errors.ts";
import { writeDurably } from "../log/folder.ts";
import type { LogKeys } from "../log/log-keys.ts";
import { type Followed, Monitor } from "../log/monitor.ts";
import { FolderSource, HttpSource, type LogSource } from "../log/source.ts";
import { formatSplitView, SplitView } from "../log/split-view.ts";
import type { MonitorOptions } from "./commands/log-monitor.ts";
import { Exit, verdictOf, wrongUse } from "./exit.ts";
import { trustedOf } from "./log-input.ts";
import { cosignedText, headValue } from "./log-terms-view.ts";
import { countText, exactText, plainText } from "./names.ts";
import { color, hex, print, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";

/** What may pass by itself: files that are written just now, a cache that is behind. */
const MAY_PASS: ReadonlySet<string> = new Set(["log/source", "log/tile", "log/rolled-back"]);
const SPLIT_VIEW_FILE = "split-view.json";

/** Until SIGINT or SIGTERM, a split view, or something that does not pass. Throws what `Monitor` throws. */
export async function monitorLog(log: string, options: MonitorOptions, asJson: boolean): Promise<void> {
  const { keys } = trustedOf(options);
  const source = sourceOf(log, options);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  try {
    await withProgress(1, "entries", async (update) => {
      const monitor = await Monitor.open({ source, folder: options.mirror, keys, onProgress: update });
      await looks(monitor, { keys, options, asJson, signal: stopping.signal });
    });
  } catch (error) {
    if (stopping.signal.aborted) return;
    if (!(error instanceof SplitView)) throw failed(error, asJson);
    await keep(error, options.mirror, asJson);
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
    await source.close();
  }
}

interface Looks {
  readonly keys: LogKeys;
  readonly options: MonitorOptions;
  readonly asJson: boolean;
  readonly signal: AbortSignal;
}

async function looks(monitor: Monitor, { keys, options, asJson, signal }: Looks): Promise<void> {
  let shown = "";
  while (!signal.aborted) {
    try {
      const followed = await monitor.follow();
      // A head that was seen before is worth a line where somebody asked for this one look.
      if (options.once || followed.checkpoint.note !== shown) show(followed, keys, asJson);
      shown = followed.checkpoint.note;
    } catch (error) {
      if (options.once || !mayPass(error)) throw error;
      tell(error, asJson);
    }
    if (options.once) return;
    await wait(options.every * 1000, signal);
  }
}

function mayPass(error: unknown): boolean {
  return verdictOf(error).exit === Exit.UNREACHABLE || (error instanceof LogError && MAY_PASS.has(error.code));
}

function show({ checkpoint, oldSize, cosigned, subjects }: Followed, keys: LogKeys, asJson: boolean): void {
  const entries = Math.max(0, checkpoint.size - oldSize);
  if (asJson) {
    printJson({ ok: true, newEntries: entries, cosigned, subjects, checkpoint: headValue(checkpoint, keys) });
    return;
  }
  const quorum = `${checkpoint.cosignatures.length} of ${keys.witnesses.length}`;
  const mark = cosigned ? color.green("✓") : color.yellow("!");
  print(
    `${mark} ${plainText(checkpoint.origin)}  ${exactText(checkpoint.size)} entries, ${exactText(entries)} new, ` +
      `${countText(subjects, "device")}  ${color.dim(`root ${hex(checkpoint.root).slice(0, 16)}…`)}`,
  );
  print(`  cosigned by ${quorum}: ${cosignedText(checkpoint, keys)}`);
  if (!cosigned) print(color.yellow(`  ${keys.witnessQuorum} are the quorum: no governor takes this head`));
}

/** With the code, for programs; for people the one line on stderr that ends any command. */
function failed(error: unknown, asJson: boolean): unknown {
  if (asJson) tell(error, asJson);
  return error;
}

function tell(error: unknown, asJson: boolean): void {
  const { line } = verdictOf(error);
  if (asJson) printJson({ ok: false, code: (error as { code?: string }).code ?? "internal", message: line });
  else process.stderr.write(`quiesce: ${plainText(line)}\n`);
}

/** The first split view of a log stays: one is enough. */
async function keep(error: SplitView, mirror: string, asJson: boolean): Promise<void> {
  const file = join(mirror, SPLIT_VIEW_FILE);
  const text = formatSplitView(error.evidence);
  if (!existsSync(file)) await writeDurably(file, Buffer.from(text));
  process.exitCode = Exit.SPLIT_VIEW;
  if (asJson) {
    printJson({ ok: false, message: error.message, file, ...JSON.parse(text) });
    return;
  }
  print(`${color.red("✗ split view")}: ${error.message}`);
  print(`\n${error.first}\n${error.second}`);
  print(
    `Both notes are in ${file}: publish it. \`quiesce log verify\` shows anybody with the log's key that they hold.`,
  );
}

function sourceOf(log: string, { ca }: MonitorOptions): LogSource {
  if (/^https?:\/\//.test(log)) return new HttpSource({ url: log, ...(ca !== undefined && { ca: pem(ca) }) });
  if (!existsSync(log))
    throw wrongUse(`${log} is neither an address that begins with https:// or http:// nor a folder`);
  return new FolderSource(log);
}

function pem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw wrongUse(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}
