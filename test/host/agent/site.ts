/** A board with the governor that ships, and a verifier of three parties in the same process, for tests of the agent. */
import { sha256 } from "@noble/hashes/sha2.js";
import type { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { signAgreement } from "../../../host/objects/agreement.ts";
import { signEndorsement } from "../../../host/objects/endorsement.ts";
import { verificationKey } from "../../../host/protocol/cose.ts";
import { Party } from "../../../host/verifier/party.ts";
import { Verifier } from "../../../host/verifier/verifier.ts";
import { Board } from "../../../sim-board/board.ts";
import { agreementOf, CLOCK, governorImage, PARTIES, signerOf } from "../../rig.ts";

export const BF16 = EngineClass.TENSOR_BF16;
const MANUFACTURER = signerOf("manufacturer");
export const REQUEST = {
  budget: new Map([
    [BF16, 10n ** 17n],
    [EngineClass.COPY, 10n ** 14n],
  ]),
  ticksMax: 3_600_000n,
  windowSeconds: 3600,
};
export const OK = { ok: true };

export class VerifiedBoard {
  readonly agreement = agreementOf();
  readonly parties = this.agreement.parties.map(({ name }, i) => new Party(name, PARTIES[i]!));
  readonly board = new Board({ image: governorImage(), seed: 7, tickHz: this.agreement.tickHz });
  readonly verifier: Verifier;
  readonly endorsement: Uint8Array;
  #drawn = 0;

  constructor() {
    const { devicePublicKey, ueid } = this.board.manufacture();
    this.endorsement = signEndorsement(
      {
        devicePublicKey,
        ueid,
        oemId: Uint8Array.of(0xac, 0xde, 0x48),
        hardwareModel: new TextEncoder().encode("QSIM-001"),
        hardwareVersion: "1.00",
      },
      MANUFACTURER,
    );
    this.verifier = new Verifier({
      agreement: signAgreement(this.agreement, PARTIES),
      parties: this.parties,
      timeSigners: [CLOCK],
      references: {
        manufacturers: [verificationKey(MANUFACTURER.publicKey)],
        measurements: [{ digest: this.board.image.sha256, svnLeast: 0 }],
      },
      clock: () => Number(this.board.agreementMs),
      random: (bytes) => sha256(Uint8Array.of(++this.#drawn)).slice(0, bytes),
    });
    this.board.powerOn();
  }

  order(action: OrderAction): void {
    let status = this.verifier.proposeOrder({ action });
    for (const party of this.parties) {
      if (!status.active) status = this.verifier.approveOrder(status.id, party);
    }
  }
}
