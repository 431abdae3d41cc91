/**
 * The agent's disk. What was synced stays; what was written without is there for as long as the machine is, and a crash of
 * the machine undoes some of it.
 */
import { dirname } from "node:path";
import type { Files } from "../../host/agent/daemon/files.ts";
import type { Life } from "./network.ts";
import type { Simulation } from "./simulation.ts";

const WRITE_MS = 2;
const SYNC_MS = 10;

export class Disk {
  readonly #sim: Simulation;
  readonly #files = new Map<string, Uint8Array>();
  /** What was there before changes that are not synced. */
  readonly #before = new Map<string, Uint8Array | undefined>();

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** As one process sees it. What it began and did not end when it crashed has not happened. */
  filesOf(life: Life): Files {
    const takes = (ms: number, act: () => void) =>
      new Promise<void>((resolve) => {
        this.#sim.after(ms, "disk", () => {
          if (life.isOver) return;
          act();
          resolve();
        });
      });
    return {
      makeFolder: async () => {},
      list: async (folder) => [...this.#files.keys()].filter((path) => dirname(path) === folder).map(nameIn),
      readIfThere: async (path, bytesMax) => {
        const bytes = this.#files.get(path);
        return bytes && bytes.length <= bytesMax ? bytes.slice() : undefined;
      },
      writeDurably: (path, bytes) =>
        takes(SYNC_MS, () => {
          this.#change(path, bytes.slice());
          this.#sync(dirname(path));
        }),
      writeWhole: (path, bytes) => takes(WRITE_MS, () => this.#change(path, bytes.slice())),
      remove: (path) => takes(WRITE_MS, () => this.#change(path, undefined)),
    };
  }

  /** The machine's power goes: of each file that was changed since it was synced, the change or the file before is there. */
  crash(): void {
    for (const [path, bytes] of this.#before) {
      if (this.#sim.random.below(2) === 0) continue;
      this.#sim.count("files undone by a crash");
      this.#put(path, bytes);
    }
    this.#before.clear();
  }

  /** What a folder holds now stays. */
  #sync(folder: string): void {
    for (const path of [...this.#before.keys()]) if (dirname(path) === folder) this.#before.delete(path);
  }

  #change(path: string, bytes: Uint8Array | undefined): void {
    if (!this.#before.has(path)) this.#before.set(path, this.#files.get(path));
    this.#put(path, bytes);
  }

  #put(path: string, bytes: Uint8Array | undefined): void {
    if (bytes) this.#files.set(path, bytes);
    else this.#files.delete(path);
  }
}

function nameIn(path: string): string {
  return path.slice(dirname(path).length + 1);
}
