/**
 * The log proofs on a stick, as boards are given them (docs/protocol.md, "Log"). They lead to one tree: the first that a
 * board takes continues the tree it held, and the others find it there. What no proof here fits is refused here, as the
 * governor would: a refusal of its own can cost the sender.
 */
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import type { LogHead } from "../objects/evidence.ts";
import { decodeLogProof, withoutHistory } from "../objects/log-proof.ts";
import { errorPhrase } from "../protocol/error-phrases.ts";
import { Refusal } from "../protocol/refusal.ts";
import { proofsOf, type Stick } from "./stick.ts";

export class StickProofs {
  readonly #stick: Stick;

  constructor(stick: Stick) {
    this.#stick = stick;
  }

  has(message: Uint8Array): boolean {
    return proofsOf(this.#stick, message).length > 0;
  }

  /**
   * For a governor that holds this tree. Throws a `Refusal`: `LOG_PROOF_MISSING`; `LOG_ROLLED_BACK` where the governor has
   * seen a later tree, `LOG_FORKED` where no proof starts from the one that it holds; or what is wrong with a proof's form.
   */
  of(message: Uint8Array, { size: held }: LogHead): Uint8Array {
    const found = proofsOf(this.#stick, message).map(([from, bytes]) => {
      return { from, bytes, size: BigInt(decodeLogProof(bytes).size) };
    });
    if (found.length === 0) refuse(ErrorCode.LOG_PROOF_MISSING);
    const fitting = found.filter(({ from, size }) => held === 0n || from === held || size === held);
    const newest = fitting.sort((a, b) => Number(b.size - a.size))[0];
    if (!newest) refuse(found.every(({ size }) => size < held) ? ErrorCode.LOG_ROLLED_BACK : ErrorCode.LOG_FORKED);
    return held === 0n || newest.size === held ? withoutHistory(newest.bytes) : newest.bytes;
  }
}

function refuse(code: ErrorCode): never {
  throw new Refusal(code, errorPhrase(code).phrase);
}
