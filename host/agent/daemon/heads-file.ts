/** Heads that the agent knows of, in its folder: what a log once signed is held against it after a restart too. */
import { join } from "node:path";
import type { HeadSplit, KnownHead } from "../../log/heads.ts";
import { MemoryHeads } from "../../log/memory-heads.ts";
import { AgentError } from "../errors.ts";
import { type Files, MACHINE_FILES } from "./files.ts";

const FILE = "heads.json";
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const HASH_HEX = /^[0-9a-f]{64}$/;

/** Empty where there is none. Rejects with an `AgentError` for a file that is none of these. */
export async function readHeads(folder: string, files: Files = MACHINE_FILES): Promise<MemoryHeads> {
  const path = join(folder, FILE);
  const bytes = await files.readIfThere(path, FILE_BYTES_MAX);
  if (!bytes) return new MemoryHeads();
  try {
    const text = Buffer.from(bytes).toString("utf8");
    const { version, heads, splits } = JSON.parse(text, revive) as {
      version: unknown;
      heads: KnownHead[];
      splits: HeadSplit[];
    };
    if (version !== 1) throw new TypeError(`version ${version}`);
    return new MemoryHeads(heads, splits);
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError) {
      throw new AgentError("agent/state", `${path} cannot be read`, { cause });
    }
    throw cause;
  }
}

export function writeHeads(folder: string, { heads, splits }: MemoryHeads, files: Files = MACHINE_FILES) {
  const text = JSON.stringify({ version: 1, heads, splits }, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  );
  return files.writeDurably(join(folder, FILE), new TextEncoder().encode(`${text}\n`));
}

/** Hashes are bytes. */
function revive(_key: string, value: unknown): unknown {
  return typeof value === "string" && HASH_HEX.test(value) ? new Uint8Array(Buffer.from(value, "hex")) : value;
}
