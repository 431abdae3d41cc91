/** Whether enough parties of the agreement in force signed an object. */

import { coseSignQuorum } from "../cose/quorum";
import { CoseSign } from "../cose/sign";
import { ObjectType } from "../protocol/claims";
import { PARTY_KEYS, pact } from "../state";
import { AAD_BYTES, aadOf } from "./claims";

/** OK if exactly `quorum` parties signed this kind of object; `message` then holds its payload and its proof. */
export function partiesSigned(ptr: usize, length: i32, type: ObjectType, quorum: u32, message: CoseSign): i32 {
  return coseSignQuorum(ptr, length, PARTY_KEYS, <i32>pact.parties, <i32>quorum, aadOf(type), AAD_BYTES, message);
}
