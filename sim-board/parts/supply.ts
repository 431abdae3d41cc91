/**
 * The power supply, seen as a fault point. Every operation that changes something outside RAM passes here, so a test can
 * count the operations of a run and then cut the power at each of them, or at each byte written to flash (the way of
 * MCUboot's simulator).
 */
import { PowerCut } from "../errors.ts";

/** Something that changed a part. */
export type Operation = {
  readonly name: "flash program" | "flash erase" | "fuse burn" | "counter step" | "credit grant" | "gate close";
  /** Bytes programmed or erased; 0 for all that is not flash. */
  readonly flashBytes: number;
};

export class Supply {
  /** While there is one, every operation is noted in it as it begins. */
  log: Operation[] | undefined;
  /** Operations that changed a part so far: programs, erases, fuse burns, counter steps, grants, closings. */
  operations = 0;
  /** Bytes programmed or erased so far. */
  flashBytes = 0;
  #cutAtOperation = Number.POSITIVE_INFINITY;
  #cutAtFlashByte = Number.POSITIVE_INFINITY;

  /** Cuts the power as the operation after the next `count` begins: `count` operations still happen. */
  cutAfterOperations(count: number): void {
    this.#cutAtOperation = this.operations + count;
  }

  /** Cuts the power once `count` more bytes of flash are programmed or erased. */
  cutAfterFlashBytes(count: number): void {
    this.#cutAtFlashByte = this.flashBytes + count;
  }

  /** Whether a cut is still to come. */
  get isArmed(): boolean {
    return Math.min(this.#cutAtOperation, this.#cutAtFlashByte) < Number.POSITIVE_INFINITY;
  }

  clear(): void {
    this.#cutAtOperation = Number.POSITIVE_INFINITY;
    this.#cutAtFlashByte = Number.POSITIVE_INFINITY;
  }

  /** True if the power goes now, before this operation is whole. The caller leaves what half of it leaves, and throws. */
  failsNow(name: Operation["name"], flashBytes = 0): boolean {
    this.log?.push({ name, flashBytes });
    if (this.operations >= this.#cutAtOperation) {
      this.clear();
      return true;
    }
    this.operations++;
    return false;
  }

  /** For operations that happen as a whole or not at all. */
  operation(name: Operation["name"], flashBytes = 0): void {
    if (this.failsNow(name, flashBytes)) throw new PowerCut(name);
  }

  /** How many of `wanted` flash bytes still happen. */
  takeFlashBytes(wanted: number): number {
    const granted = Math.min(wanted, this.#cutAtFlashByte - this.flashBytes);
    this.flashBytes += granted;
    if (granted < wanted) this.clear();
    return granted;
  }
}
