/** The verifier at the other end, of all three parties: what it says of a device that asks for its next license. */

import { Command } from "../../firmware/protocol/commands.ts";
import { signAgreement } from "../../host/objects/agreement.ts";
import { signEndorsement } from "../../host/objects/endorsement.ts";
import { verificationKey } from "../../host/protocol/cose.ts";
import { VerifierError } from "../../host/verifier/errors.ts";
import { Party } from "../../host/verifier/party.ts";
import { Verifier } from "../../host/verifier/verifier.ts";
import { Random } from "../../sim-board/random.ts";
import { CLOCK, PARTIES, type Rig, signerOf } from "../rig.ts";
import { BF16, COPY } from "./proof.ts";

const MANUFACTURER = signerOf("manufacturer");
export const REQUEST = {
  budget: new Map([
    [BF16, 36n * 10n ** 17n],
    [COPY, 36n * 10n ** 14n],
  ]),
  ticksMax: 3_600_000n,
  windowSeconds: 3600,
};

/** Trusts this board's image, and has enrolled the board. */
export function verifierOf(rig: Rig, change: { svnLeast?: number } = {}): Verifier {
  const random = new Random("verifier");
  const verifier = new Verifier({
    agreement: signAgreement(rig.agreement, PARTIES),
    parties: rig.agreement.parties.map(({ name }, i) => new Party(name, PARTIES[i]!)),
    timeSigners: [CLOCK],
    references: {
      manufacturers: [verificationKey(MANUFACTURER.publicKey)],
      measurements: [{ digest: rig.board.image.sha256, svnLeast: change.svnLeast ?? 0 }],
    },
    clock: () => Number(rig.board.agreementMs),
    random: (bytes) => random.bytes(bytes),
  });
  enrol(rig, verifier);
  return verifier;
}

/** @throws VerifierError */
export function enrol(rig: Rig, verifier: Verifier): void {
  const { oemId, hardwareModel, hardwareVersion } = rig.info();
  const { publicKey: devicePublicKey } = rig.deviceKey;
  const endorsement = { devicePublicKey, ueid: rig.ueid, oemId, hardwareModel, hardwareVersion };
  verifier.enrol(signEndorsement(endorsement, MANUFACTURER), rig.ask(Command.IDENTITY)[1] as Uint8Array);
}

/** The device's evidence on a nonce of this verifier. */
export function evidenceFor(rig: Rig, verifier: Verifier): Uint8Array {
  return rig.ask(Command.EVIDENCE, verifier.challenge(rig.ueid))[1] as Uint8Array;
}

/** Uploads the newest report. */
export function upload(rig: Rig, verifier: Verifier): void {
  const { bytes, intervalBytes } = rig.report();
  verifier.acceptReport(bytes, intervalBytes);
}

/** A license of this verifier, installed. @throws VerifierError */
export function renew(rig: Rig, verifier: Verifier): void {
  rig.must(rig.send(Command.LICENSE, verifier.issueLicense(evidenceFor(rig, verifier), REQUEST)));
}

/** What the verifier says to it: the code of its refusal, or OK. */
export function verifierSays(act: () => unknown): string {
  try {
    act();
    return "OK";
  } catch (error) {
    if (error instanceof VerifierError) return error.code;
    throw error;
  }
}

/** The device reports, and asks for its next license. */
export function nextLicenseIs(rig: Rig, verifier: Verifier): string {
  return verifierSays(() => {
    upload(rig, verifier);
    renew(rig, verifier);
  });
}
