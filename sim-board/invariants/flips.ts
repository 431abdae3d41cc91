/** S7: flipping any one bit of a signed object makes it refused, and leaves the device as it was. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { Claim } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import type { Board } from "../board.ts";
import { array, byteString, type Item, integer, read } from "../cbor.ts";
import { InvariantBroken } from "./broken.ts";

/** What a refusal may change (docs/protocol.md, "Failures"): the sender's account, and the wear of writing it down. */
const PENALTIES: ReadonlySet<Item> = new Set([Claim.FAILURES, Claim.CHALLENGE, Claim.WEAR, Claim.LAST_CODE]);

/** A mailbox request with objects as its arguments. */
export function requestOf(command: number, ...objects: readonly Uint8Array[]): Uint8Array {
  return array(integer(command), ...objects.map(byteString));
}

/** The code of an answer. */
export function codeOf(answer: Uint8Array): number {
  const item = read(answer);
  return Array.isArray(item) ? Number(item[0]) : -1;
}

/**
 * Offers `object` with each of `bits` flipped (default: all of them), each to the board as it stands now, and leaves the
 * board so. Returns how many were tried. `request` makes what the board is asked of the object, where it does not go alone.
 * @throws InvariantBroken
 */
export function flipEveryBit(
  board: Board,
  command: number,
  object: Uint8Array,
  bits?: Iterable<number>,
  request = (bad: Uint8Array) => requestOf(command, bad),
): number {
  const before = board.snapshot();
  const seen = observable(board);
  board.restore(before);
  let tried = 0;
  for (const bit of bits ?? everyBit(object)) {
    const bad = object.slice();
    bad[bit >>> 3]! ^= 1 << (bit & 7);
    const code = codeOf(board.request(request(bad)));
    if (code === 0) throw new InvariantBroken("S7", `command ${command} accepts its object with bit ${bit} flipped`);
    const now = observable(board);
    if (now !== seen) {
      throw new InvariantBroken("S7", `bit ${bit} of command ${command}'s object changed the device: ${seen} → ${now}`);
    }
    board.restore(before);
    tried++;
  }
  return tried;
}

function* everyBit(object: Uint8Array): Iterable<number> {
  for (let bit = 0; bit < object.length * 8; bit++) yield bit;
}

/** All that shows of a device, penalties aside: its claims, its fuses, its credit. */
function observable(board: Board): string {
  const info = read(board.request(array(integer(Command.INFO))));
  const claims = Array.isArray(info) && info[1] instanceof Map ? [...info[1]] : [];
  const credit = Array.from({ length: EngineClass.COUNT }, (_, c) => board.accelerator.creditOf(c));
  return [
    ...claims.filter(([key]) => !PENALTIES.has(key)).map(([key, value]) => `${key}=${show(value)}`),
    `fuses=${board.fuses.snapshot().words.join(",")}`,
    `credit=${credit.join(",")}`,
  ].join(" ");
}

function show(item: Item): string {
  if (item instanceof Uint8Array) return bytesToHex(item);
  if (Array.isArray(item)) return `[${item.map(show).join(",")}]`;
  if (item instanceof Map) return `{${[...item].map(([key, value]) => `${show(key)}:${show(value)}`).join(",")}}`;
  return String(item);
}
