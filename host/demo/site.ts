/**
 * One site: a board with its operator's agent, and at the other end the parties with their verifier. All keys, and all
 * that is random, come from one seed.
 */

import { accelerator } from "../../sim-board/accelerators.ts";
import { Board } from "../../sim-board/board.ts";
import { type DeviceModel, SIM_MODEL } from "../../sim-board/factory.ts";
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import { Random } from "../../sim-board/random.ts";
import type { Workload } from "../../sim-board/workloads/types.ts";
import { Agent, type Outcome } from "../agent/agent.ts";
import { Mailbox } from "../mailbox.ts";
import { type Agreement, signAgreement } from "../objects/agreement.ts";
import { signEndorsement } from "../objects/endorsement.ts";
import { ed25519Signer, type Signer } from "../protocol/cose.ts";
import { errorCodeText } from "../protocol/refusal.ts";
import { Party } from "../verifier/party.ts";
import { timeMember } from "../verifier/time-authority.ts";
import { Verifier } from "../verifier/verifier.ts";
import { Recorder } from "./recorder.ts";
import { BEACON_SECONDS, termsFor } from "./terms.ts";

const PARTY_NAMES = ["North", "South", "Inspectorate"] as const;
/** A plain crystal is off by so much at most, fast or slow. Well within the agreement's bound. */
const DRIFT_PPM_MAX = 20;

export type SiteOptions = {
  image: GovernorImage;
  workload: Workload;
  seed: number;
  agreementName: string;
};

/** A step of an honest site was refused: it cannot go on. */
class SiteError extends Error {
  constructor(step: string, outcome: Outcome & { ok: false }) {
    const code = outcome.by === "board" ? errorCodeText(outcome.code) : outcome.code;
    super(`${step}: the ${outcome.by} refused with ${code}: ${outcome.message}`);
    this.name = "SiteError";
  }
}

export class Site {
  readonly workload: Workload;
  readonly agreement: Agreement;
  readonly parties: readonly Party[];
  readonly board: Board;
  readonly verifier: Verifier;
  readonly recorder: Recorder;
  readonly mailbox: Mailbox;
  readonly agent: Agent;
  readonly ueid: Uint8Array;
  readonly endorsement: Uint8Array;
  /** Whether the operator carries the beacons to the board. */
  carriesBeacons = true;

  constructor({ image, workload, seed, agreementName }: SiteOptions) {
    const random = new Random(seed);
    const signerOf = (name: string): Signer => ed25519Signer(random.stream(`key of ${name}`).bytes(32));
    this.workload = workload;
    const signers = PARTY_NAMES.map((name) => signerOf(name));
    this.parties = PARTY_NAMES.map((name, i) => new Party(name, signers[i]!));
    const clock = signerOf("time authority");
    this.agreement = {
      ...termsFor(workload),
      version: 1,
      name: agreementName,
      parties: this.parties.map(({ member }) => member),
      timeAuthorities: [timeMember("Observatory", clock)],
      timeQuorum: 1,
    };
    this.board = new Board({
      image,
      seed,
      chip: accelerator(workload.accelerator),
      tickHz: this.agreement.tickHz,
      drift: { model: "constant", ppm: random.stream("drift").below(2 * DRIFT_PPM_MAX + 1) - DRIFT_PPM_MAX },
    });
    const made = this.board.manufacture();
    const manufacturer = signerOf("manufacturer");
    this.ueid = made.ueid;
    this.endorsement = signEndorsement({ ...made, ...hardwareOf(SIM_MODEL) }, manufacturer);
    const nonces = random.stream("nonces");
    this.verifier = new Verifier({
      agreement: signAgreement(this.agreement, signers),
      parties: this.parties,
      timeSigners: [clock],
      references: { manufacturers: [manufacturer], measurements: [{ digest: image.sha256, svnLeast: 0 }] },
      clock: () => Number(this.board.agreementMs),
      random: (count) => nonces.bytes(count),
    });
    this.recorder = new Recorder(this.verifier);
    this.mailbox = new Mailbox((request) => this.board.request(request));
    this.agent = new Agent(this.mailbox, this.recorder);
  }

  /** Powers the board up, provisions and enrols it, sets its clock, and begins to carry beacons. */
  commission(): void {
    this.board.powerOn();
    must("provision", this.agent.provision());
    must("enrol", this.agent.enrol(this.endorsement));
    must("set the clock", this.agent.syncTime());
    must("first beacon", this.agent.deliverBeacon());
    this.#carryBeacons();
  }

  /** The closed loop ends here: a last report, and evidence of it, so that the books are settled. */
  closeBooks(): void {
    must("last report", this.agent.report());
    const evidence = this.mailbox.evidence(this.verifier.challenge(this.ueid));
    this.recorder.evidence.push(evidence);
    this.verifier.appraise(evidence);
  }

  #carryBeacons(): void {
    this.board.after(BEACON_SECONDS, () => {
      if (this.carriesBeacons && this.board.on) this.agent.deliverBeacon();
      this.#carryBeacons();
    });
  }
}

/** Goes on only if a step of an honest site was done. Throws a `SiteError`. */
export function must(step: string, outcome: Outcome): void {
  if (!outcome.ok) throw new SiteError(step, outcome);
}

function hardwareOf({ model, oem, version }: DeviceModel) {
  const oemId = Uint8Array.of(oem >>> 16, (oem >>> 8) & 0xff, oem & 0xff);
  return { oemId, hardwareModel: new TextEncoder().encode(model), hardwareVersion: version };
}
