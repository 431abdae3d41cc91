/**
 * Serial NOR flash: pages are programmed (bits only fall), sectors erased (all bits rise). Illegal writes are refused
 * aloud, where a real part would quietly store something else.
 *
 * Shape, size and endurance: Winbond W25Q64JV datasheet, "Features". Times: from the typical one of the fastest to the
 * most of the slowest among the makers' serial NOR parts (AC characteristics of their datasheets).
 */
import { FlashShape } from "../../firmware/protocol/board.ts";
import { BoardError, PowerCut } from "../errors.ts";
import type { Random } from "../random.ts";
import type { Supply } from "./supply.ts";
import { changeTorn, type Tear } from "./tear.ts";

export const FLASH_PART = {
  name: "Winbond W25Q64JV",
  pageProgramMsLeast: 0.7,
  pageProgramMsMost: 3,
  sectorEraseMsLeast: 30,
  sectorEraseMsMost: 400,
  /** Erases of a sector that the maker warrants. */
  enduranceErases: 100_000,
  retentionYears: 20,
} as const;

const ERASED = 0xff;
const ERASED_PAGE = Buffer.alloc(FlashShape.PAGE_BYTES, ERASED);

export type FlashOptions = {
  /** Sectors of 4 KiB that belong to the governor; 2,048 are the whole part. */
  sectors: number;
  /** Erases after which bits of a sector begin to stick. */
  enduranceErases?: number;
  random: Random;
  supply: Supply;
};

/** The content alone: what an operator with a clip on the chip reads and writes back. */
export type FlashImage = readonly Uint8Array[];
/** Cells of a sector that waver, as masks of its bytes. */
type Wavering = ReadonlyMap<number, Uint8Array>;
export type FlashSnapshot = {
  sectors: FlashImage;
  wavering: Wavering;
  erases: readonly number[];
  random: readonly number[];
};

export class Flash {
  readonly sectors: number;
  readonly enduranceErases: number;
  /** Erases of each sector since manufacture. */
  readonly erases: number[];
  /** Fault: how an operation that loses its power leaves its cells. */
  tear: Tear = { order: "front", cells: "settle" };
  /** Fault: what cells that waver are read as; a campaign lets them settle so, either way. */
  waversAs: "low" | "high" | "either" = "either";
  /** Fault: the write after so many is acknowledged, and never happens, or only as another one begins. */
  lie: { kind: "lost" | "late"; after: number } | undefined;
  readonly #random: Random;
  readonly #supply: Supply;
  #data: Uint8Array[];
  /** Sectors whose array no snapshot shares; the others are copied before they change. */
  #owned: boolean[];
  #wavering = new Map<number, Uint8Array>();
  #stuck: { sector: number; offset: number; bit: number; value: number }[] = [];
  #late: (() => void) | undefined;

  constructor(options: FlashOptions) {
    if (!Number.isInteger(options.sectors) || options.sectors < 1 || options.sectors > 2048) {
      throw new BoardError("board/option", `${options.sectors} flash sectors: the part has 1 to 2,048`);
    }
    this.sectors = options.sectors;
    this.enduranceErases = options.enduranceErases ?? FLASH_PART.enduranceErases;
    this.erases = new Array<number>(options.sectors).fill(0);
    this.#random = options.random;
    this.#supply = options.supply;
    const blank = new Uint8Array(FlashShape.SECTOR_BYTES).fill(ERASED);
    this.#data = new Array<Uint8Array>(options.sectors).fill(blank);
    this.#owned = new Array<boolean>(options.sectors).fill(false);
  }

  get bytes(): number {
    return this.sectors * FlashShape.SECTOR_BYTES;
  }

  read(address: number, destination: Uint8Array): void {
    this.#inRange(address, destination.length);
    let done = 0;
    while (done < destination.length) {
      const at = address + done;
      const offset = at % FlashShape.SECTOR_BYTES;
      const length = Math.min(destination.length - done, FlashShape.SECTOR_BYTES - offset);
      const sector = this.#data[(at - offset) / FlashShape.SECTOR_BYTES]!;
      const part = destination.subarray(done, done + length);
      part.set(sector.subarray(offset, offset + length));
      this.#disturb((at - offset) / FlashShape.SECTOR_BYTES, offset, part);
      done += length;
    }
  }

  /** Programs 1 to 256 bytes within one page. @throws BoardError, and then nothing is written; PowerCut. */
  program(address: number, source: Uint8Array): void {
    this.#inRange(address, source.length);
    const pageOffset = address % FlashShape.PAGE_BYTES;
    if (source.length === 0 || pageOffset + source.length > FlashShape.PAGE_BYTES) {
      throw new BoardError(
        "flash/page-edge",
        `program of ${source.length} bytes at ${address}: a page is ${FlashShape.PAGE_BYTES} bytes, of which ${FlashShape.PAGE_BYTES - pageOffset} are left there`,
      );
    }
    const index = Math.floor(address / FlashShape.SECTOR_BYTES);
    const offset = address % FlashShape.SECTOR_BYTES;
    const page = this.#data[index]!.subarray(offset, offset + source.length);
    if (!isErased(page)) refuseRisingBits(address, page, source);
    this.#supply.operation("flash program", source.length);
    if (this.lie || this.#late) this.#unlessLying(() => this.#programNow(index, offset, source.slice()));
    else this.#programNow(index, offset, source);
  }

  #programNow(index: number, offset: number, source: Uint8Array): void {
    const cells = this.#own(index).subarray(offset, offset + source.length);
    const wavering = this.#wavering.get(index)?.slice();
    const whole = this.#supply.takeFlashBytes(source.length);
    if (whole < source.length) {
      const target = cells.map((cell, i) => cell & source[i]!);
      this.#tearCells(index, offset, cells, target, whole);
      throw new PowerCut("flash program");
    }
    if (!wavering && isErased(cells)) {
      cells.set(source);
      return;
    }
    for (let i = 0; i < source.length; i++) {
      cells[i]! &= source[i]!;
      // A cell that took a whole pulse wavers no more.
      if (wavering) wavering[offset + i]! &= source[i]!;
    }
    if (wavering) this.#wavering.set(index, wavering);
  }

  /** Erases one sector. @throws BoardError, PowerCut. */
  erase(sector: number): void {
    if (!Number.isInteger(sector) || sector < 0 || sector >= this.sectors) {
      throw new BoardError("flash/out-of-range", `erase of sector ${sector}: there are ${this.sectors}`);
    }
    this.#supply.operation("flash erase", FlashShape.SECTOR_BYTES);
    this.#unlessLying(() => this.#eraseNow(sector));
  }

  #eraseNow(sector: number): void {
    const data = this.#own(sector);
    this.erases[sector]!++;
    const whole = this.#supply.takeFlashBytes(data.length);
    if (whole < data.length) {
      const level = this.tear.order === "zeros" ? 0 : ERASED;
      this.#tearCells(sector, 0, data, new Uint8Array(data.length).fill(level), whole);
      throw new PowerCut("flash erase");
    }
    data.fill(ERASED);
    this.#wavering.delete(sector);
    if (this.erases[sector]! > this.enduranceErases) {
      // Worn out: a few bits no longer rise.
      for (let i = 0; i < 4; i++) data[this.#random.below(data.length)]! &= ~(1 << this.#random.below(8));
    }
  }

  #tearCells(sector: number, offset: number, cells: Uint8Array, target: Uint8Array, whole: number): void {
    const wavering = this.#wavering.get(sector)?.slice() ?? new Uint8Array(FlashShape.SECTOR_BYTES);
    const masks = changeTorn(cells, target, whole, this.tear, this.#random);
    for (const [i, mask] of masks.entries()) wavering[offset + i]! |= mask;
    if (wavering.some((mask) => mask !== 0)) this.#wavering.set(sector, wavering);
  }

  #unlessLying(write: () => void): void {
    const late = this.#late;
    this.#late = undefined;
    late?.();
    const { lie } = this;
    if (!lie || lie.after-- > 0) {
      write();
      return;
    }
    if (lie.kind === "late") this.#late = write;
    this.lie = undefined;
  }

  /** What is read is not what lies there, where cells waver or stick. */
  #disturb(sector: number, offset: number, part: Uint8Array): void {
    const wavering = this.#wavering.get(sector);
    if (wavering && this.waversAs !== "high") {
      for (let i = 0; i < part.length; i++) {
        const mask = wavering[offset + i]!;
        if (mask !== 0) part[i]! &= ~(this.waversAs === "low" ? mask : mask & this.#random.u32());
      }
    }
    for (const stuck of this.#stuck) {
      const i = stuck.offset - offset;
      if (stuck.sector !== sector || i < 0 || i >= part.length) continue;
      part[i] = (part[i]! & ~(1 << stuck.bit)) | (stuck.value << stuck.bit);
    }
  }

  /** Fault: a cell is read as this from now on, whatever is written. */
  stick(address: number, bit: number, value: 0 | 1): void {
    this.#inRange(address, 1);
    const sector = Math.floor(address / FlashShape.SECTOR_BYTES);
    this.#stuck.push({ sector, offset: address % FlashShape.SECTOR_BYTES, bit: bit & 7, value });
  }

  /** Takes every fault away that was put in: no cell sticks, nothing lies, a cut tears as it does at first. */
  mend(): void {
    this.#stuck = [];
    this.#late = undefined;
    this.lie = undefined;
    this.waversAs = "either";
    this.tear = { order: "front", cells: "settle" };
  }

  /** Fault: a cell loses or gains its charge. */
  flip(address: number, bit: number): void {
    this.#inRange(address, 1);
    const sector = this.#own(Math.floor(address / FlashShape.SECTOR_BYTES));
    sector[address % FlashShape.SECTOR_BYTES]! ^= 1 << (bit & 7);
  }

  /** Reads the part out, as an operator can who has the board on the bench. */
  image(): FlashImage {
    this.#owned.fill(false);
    return [...this.#data];
  }

  /** Swaps the content for an image read earlier (or from elsewhere), whose cells are sound. Wear stays. */
  replace(image: FlashImage): void {
    if (image.length !== this.sectors) {
      throw new BoardError("flash/out-of-range", `an image of ${image.length} sectors does not fit ${this.sectors}`);
    }
    this.#data = [...image];
    this.#owned.fill(false);
    this.#wavering.clear();
  }

  /** What is random about it comes from here from now on. */
  reseed(random: Random): void {
    this.#random.restore(random.snapshot());
  }

  snapshot(): FlashSnapshot {
    const wavering = new Map(this.#wavering);
    return { sectors: this.image(), wavering, erases: [...this.erases], random: this.#random.snapshot() };
  }

  restore(snapshot: FlashSnapshot): void {
    this.replace(snapshot.sectors);
    for (const [sector, masks] of snapshot.wavering) this.#wavering.set(sector, masks);
    for (let i = 0; i < this.sectors; i++) this.erases[i] = snapshot.erases[i]!;
    this.#random.restore(snapshot.random);
  }

  #own(sector: number): Uint8Array {
    if (!this.#owned[sector]) {
      this.#data[sector] = this.#data[sector]!.slice();
      this.#owned[sector] = true;
    }
    return this.#data[sector]!;
  }

  #inRange(address: number, length: number): void {
    if (!Number.isInteger(address) || address < 0 || address + length > this.bytes) {
      throw new BoardError("flash/out-of-range", `${length} bytes at ${address}: the part holds ${this.bytes}`);
    }
  }
}

/** A page that is blank, as nearly all are before a program, takes any bytes: told so natively, not cell by cell. */
function isErased(cells: Uint8Array): boolean {
  return ERASED_PAGE.subarray(0, cells.length).equals(cells);
}

/** @throws BoardError if the source has a bit that is 0 in the page. */
function refuseRisingBits(address: number, page: Uint8Array, source: Uint8Array): void {
  for (let i = 0; i < source.length; i++) {
    if ((page[i]! & source[i]!) !== source[i]) {
      throw new BoardError(
        "flash/bit-rise",
        `program of 0x${hex(source[i]!)} over 0x${hex(page[i]!)} at ${address + i}: a bit would have to rise`,
      );
    }
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
