/** The rules of tlog-witness over sizes and roots alone, without HTTP, store or signatures: what a witness must answer. */
import type { TestLog } from "./rig.ts";

/** A request of a log for one of its heads. `proof`: whether it sends the right one, or one that does not hold. */
export type Step = {
  readonly log: TestLog;
  readonly oldSize: number;
  readonly size: number;
  readonly proof: "right" | "wrong";
  /** Whose signature is below. */
  readonly signer: "log" | "stranger";
};

export class ReferenceWitness {
  /** Of the newest head; undefined before the first. */
  head: { readonly size: number; readonly root: string } | undefined;

  /** The status, and the size that a 409 says. */
  answer({ log, oldSize, size, proof, signer }: Step): { status: number; size?: number } {
    if (signer === "stranger") return { status: 403 };
    if (oldSize > size) return { status: 400 };
    const known = this.head?.size ?? 0;
    if (oldSize !== known) return { status: 409, size: known };
    const root = Buffer.from(log.root(size)).toString("hex");
    if (size === known && this.head !== undefined && this.head.root !== root) return { status: 422 };
    if (proof === "wrong") return { status: 422 };
    const isGrown = known > 0 && Buffer.from(log.root(known)).toString("hex") !== this.head!.root;
    if (isGrown) return { status: 422 };
    this.head = { size, root };
    return { status: 200 };
  }
}
