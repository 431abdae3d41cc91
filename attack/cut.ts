/** One cut of the power: where in an operation, and what it leaves there. */
import type { Board } from "../sim-board/board.ts";
import type { Operation } from "../sim-board/parts/supply.ts";
import type { TearOrder } from "../sim-board/parts/tear.ts";

/** How cells that were left halfway are read: while the device recovers, and from then on. */
const SETTLING = { e: ["either", "either"], r: ["low", "high"], f: ["high", "low"] } as const;
type Settling = keyof typeof SETTLING;
export const SETTLINGS = Object.keys(SETTLING) as readonly Settling[];

export type Cut =
  | { readonly kind: "before" }
  /** So many bytes of the operation happen. */
  | { readonly kind: "torn"; readonly bytes: number; readonly order: TearOrder; readonly settling?: Settling }
  /** The counter steps so often. */
  | { readonly kind: "steps"; readonly steps: 1 | 2 }
  /** Some bits of a fuse word burn: which ones is drawn. */
  | { readonly kind: "burn"; readonly draw: number };

/** Pulses of a fuse that were too short, tried with so many draws of the bits that took it. */
const BURN_DRAWS = 8;
/** Cells that waver are tried at so many stages of each operation. */
const WAVER_STAGES = 8;

const BEFORE: Cut = { kind: "before" };

/** Every cut of an operation: at each of its bytes, in each order. */
export function* cutsOf({ name, flashBytes }: Operation): Generator<Cut> {
  yield BEFORE;
  if (name === "counter step") for (const steps of [1, 2] as const) yield { kind: "steps", steps };
  if (name === "fuse burn") for (let draw = 0; draw < BURN_DRAWS; draw++) yield { kind: "burn", draw };
  if (flashBytes === 0) return;
  const orders: TearOrder[] = name === "flash erase" ? ["front", "back", "zeros"] : ["front", "back"];
  for (const order of orders) for (let bytes = 0; bytes < flashBytes; bytes++) yield { kind: "torn", bytes, order };
  for (let stage = 0; stage < WAVER_STAGES; stage++) {
    const bytes = Math.floor(((stage + 0.5) * flashBytes) / WAVER_STAGES);
    yield { kind: "torn", bytes, order: "even" };
    for (const order of [...orders, "even"] as const) {
      for (const settling of SETTLINGS) yield { kind: "torn", bytes, order, settling };
    }
  }
}

/** Arms it: the power goes at the operation that comes after `operations` more and `bytesBefore` bytes of flash. */
export function arm(board: Board, cut: Cut, operations: number, bytesBefore: number): void {
  const { supply, flash, counter, fuses } = board;
  flash.mend();
  counter.stepsWhenCut = cut.kind === "steps" ? cut.steps : 0;
  if (cut.kind === "burn") fuses.draw(cut.draw);
  if (cut.kind !== "torn") {
    supply.cutAfterOperations(operations);
    return;
  }
  flash.tear = { order: cut.order, cells: cut.settling ? "waver" : "settle" };
  if (cut.settling) flash.waversAs = SETTLING[cut.settling][0];
  supply.cutAfterFlashBytes(bytesBefore + cut.bytes);
}

/** After the recovery: cells that wavered settle. */
export function settle(board: Board, cut: Cut): void {
  if (cut.kind === "torn" && cut.settling) board.flash.waversAs = SETTLING[cut.settling][1];
}

/** Short, for an id. */
export function cutName(cut: Cut): string {
  if (cut.kind === "before") return "";
  if (cut.kind === "steps") return `.s${cut.steps}`;
  if (cut.kind === "burn") return `.b${cut.draw}`;
  return `.${cut.bytes}-${cut.order}${cut.settling ?? ""}`;
}
