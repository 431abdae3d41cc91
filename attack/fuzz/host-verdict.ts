/** What the host's own verification says of an object that is sent to a governor. */
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { type Agreement, verifyAgreement } from "../../host/objects/agreement.ts";
import { verifyLicense } from "../../host/objects/license.ts";
import { decodeOrder, verifyOrder } from "../../host/objects/order.ts";
import { verifyRecovery } from "../../host/objects/recovery.ts";
import { verifyTime } from "../../host/objects/time.ts";
import { parseSign } from "../../host/protocol/cose.ts";
import { Refusal } from "../../host/protocol/refusal.ts";

/** Verifies it under the agreement in force; a first agreement under itself. @throws Refusal */
export function hostVerify(command: number, object: Uint8Array, inForce: Agreement | undefined): unknown {
  if (command === Command.AGREEMENT) return verifyAgreement(object, inForce).agreement;
  if (inForce === undefined) throw new Refusal(ErrorCode.AGREEMENT_MISSING);
  switch (command) {
    case Command.LICENSE:
      return verifyLicense(object, inForce);
    case Command.ORDER:
      return verifyDirected(object, inForce);
    case Command.BEACON:
      return verifyTime(ObjectType.BEACON, object, inForce);
    case Command.TIME_PROOF:
      return verifyTime(ObjectType.TIME_PROOF, object, inForce);
    case Command.RECOVER:
      return verifyRecovery(object, inForce);
  }
  throw new Error(`command ${command} takes no signed object`);
}

/** What does not raise the rate takes either quorum; whether a slow order does, the host does not know here. */
function verifyDirected(object: Uint8Array, agreement: Agreement): unknown {
  const { pause, resume } = agreement.quorums;
  const { payload, signatures } = parseSign(object);
  const resumes = decodeOrder(payload).action === OrderAction.RESUME || signatures.length === resume;
  return verifyOrder(object, agreement, resumes ? resume : pause);
}
