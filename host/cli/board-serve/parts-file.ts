/**
 * What a simulated board keeps without power (flash, fuses, counter), in a file, so that a restart of the process is a
 * power cycle of the board. It is written whole or not at all, each time that the governor changed a part and before
 * anybody hears of it: so the end of the process is to the board what the end of its supply is.
 */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { FlashShape } from "../../../firmware/protocol/board.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import type { Board } from "../../../sim-board/board.ts";
import { wrongUse } from "../exit.ts";

/** In JSON: bytes in base64, wide integers in decimal. */
interface PartsDocument {
  readonly version: 1;
  /** What the board's chance comes from; the fuses are burnt with it. */
  readonly seed: string;
  /** Power-ups of this process's kind: each draws other random numbers. */
  readonly starts: number;
  readonly devicePublicKey: string;
  readonly ueid: string;
  readonly counter: number;
  readonly fuses: readonly number[];
  readonly erases: readonly number[];
  /** Sectors that are not blank, by their number. */
  readonly sectors: Readonly<Record<string, string>>;
  /** What the accelerator did since manufacture, by class. */
  readonly lifetime: readonly string[];
}

export interface DeviceFacts {
  readonly seed: string;
  readonly starts: number;
  readonly devicePublicKey: Uint8Array;
  readonly ueid: Uint8Array;
}

const BYTES_MAX = 16 * 1024 * 1024;
const BLANK = 0xff;

export class PartsFile {
  readonly #path: string;
  #operations = -1;
  #counter = -1;
  #flashBytes = -1;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined where there is none yet. Throws a `CliError` for a file that is none of these. */
  read(): (DeviceFacts & { restore(board: Board): void }) | undefined {
    if (!existsSync(this.#path)) return undefined;
    const document = this.#document();
    return {
      seed: document.seed,
      starts: document.starts,
      devicePublicKey: fromBase64(document.devicePublicKey),
      ueid: fromBase64(document.ueid),
      restore: (board) => this.#guarded(() => restore(board, document)),
    };
  }

  /** Writes what changed since it was last written, if anything did. */
  save(board: Board, device: DeviceFacts): void {
    const { operations, flashBytes } = board.supply;
    const counter = board.counter.read();
    if (operations === this.#operations && flashBytes === this.#flashBytes && counter === this.#counter) return;
    this.#operations = operations;
    this.#flashBytes = flashBytes;
    this.#counter = counter;
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, JSON.stringify(documentOf(board, device)), { mode: 0o600 });
    renameSync(temporary, this.#path);
  }

  #document(): PartsDocument {
    return this.#guarded(() => {
      if (statSync(this.#path).size > BYTES_MAX) throw new Error("too long");
      const document = JSON.parse(readFileSync(this.#path, "utf8")) as PartsDocument;
      if (document.version !== 1) throw new Error(`version ${document.version}`);
      return document;
    });
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw wrongUse(`${basename(this.#path)} is no board's state: ${(cause as Error).message}`, cause);
    }
  }
}

function documentOf(board: Board, { seed, starts, devicePublicKey, ueid }: DeviceFacts): PartsDocument {
  const { sectors, erases } = board.flash.snapshot();
  const written = [...sectors.entries()].filter(([, sector]) => sector.some((byte) => byte !== BLANK));
  return {
    version: 1,
    seed,
    starts,
    devicePublicKey: toBase64(devicePublicKey),
    ueid: toBase64(ueid),
    counter: board.counter.read(),
    fuses: [...board.fuses.snapshot().words],
    erases,
    sectors: Object.fromEntries(written.map(([index, sector]) => [index, toBase64(sector)])),
    lifetime: Array.from({ length: EngineClass.COUNT }, (_, c) => board.accelerator.lifetimeOf(c).toString()),
  };
}

function restore(board: Board, { sectors, erases, fuses, counter, lifetime }: PartsDocument): void {
  const blank = new Uint8Array(FlashShape.SECTOR_BYTES).fill(BLANK);
  const fresh = board.flash.snapshot();
  board.flash.restore({
    ...fresh,
    erases,
    sectors: fresh.sectors.map((_, index) => (sectors[index] === undefined ? blank : sectorOf(sectors[index]))),
  });
  board.fuses.restore({ ...board.fuses.snapshot(), words: Uint32Array.from(fuses), locked: false });
  board.counter.restore(counter);
  board.accelerator.restore({ ...board.accelerator.snapshot(), lifetime: lifetime.map(BigInt) });
}

function sectorOf(text: string): Uint8Array {
  const sector = fromBase64(text);
  if (sector.length !== FlashShape.SECTOR_BYTES) throw new Error("a sector is not whole");
  return sector;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
