/**
 * The log's end where the agreement has a log: whatever parties make is logged and shown with its proof, as honest ones do.
 * What the governor takes must be shown just so, but for a pause that comes before its proof.
 */
import type { ObjectType } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { type CborValue, decode, encode } from "../../host/protocol/cbor.ts";
import { AttackSucceeded } from "../campaign.ts";
import type { BenchLog } from "../log.ts";
import type { Rig } from "../rig.ts";

const SHOWN: ReadonlySet<Command> = new Set([Command.AGREEMENT, Command.LICENSE, Command.ORDER, Command.RECOVER]);

export class Showing {
  readonly #log: BenchLog;
  readonly #sizeAtStart: number;
  readonly #parties: Rig;
  /** Requests that were made, in hex. */
  readonly #made = new Set<string>();

  constructor(log: BenchLog, parties: Rig) {
    this.#log = log;
    this.#sizeAtStart = log.size;
    this.#parties = parties;
  }

  restart(): void {
    this.#log.truncate(this.#sizeAtStart);
    this.#made.clear();
  }

  /** Undefined for what needs no proof, or cannot be logged since it is no such object. */
  requestWith(command: Command, type: ObjectType, message: Uint8Array): Uint8Array | undefined {
    const { logHead } = this.#parties.info();
    if (!SHOWN.has(command) || !logHead) return undefined;
    const index = this.#log.append(type, message);
    const proof = this.#log.proof(index, { at: this.#parties.nowSeconds, from: Number(logHead.size) });
    const request = encode([command, message, proof]);
    this.#made.add(hexOf(request));
    return request;
  }

  /** @throws AttackSucceeded if the governor has taken what was not shown. */
  check(command: Command, request: Uint8Array): void {
    if (!SHOWN.has(command) || this.#made.has(hexOf(request))) return;
    const isBare = (decode(request) as CborValue[]).length === 2;
    if (command === Command.ORDER && isBare && this.#parties.info().logHead) return;
    throw new AttackSucceeded(`command ${command} was taken with a proof that the log did not give`);
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
