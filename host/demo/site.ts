/**
 * One site: a board with its operator's agent, and at the other end the parties with their verifiers. All keys, and all
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
import type { Agreement } from "../objects/agreement.ts";
import { signEndorsement } from "../objects/endorsement.ts";
import { errorCodeText } from "../protocol/refusal.ts";
import { type Founding, found } from "./founding.ts";
import { OneVerifier } from "./one-verifier.ts";
import { Recorder } from "./recorder.ts";
import { BEACON_SECONDS } from "./terms.ts";
import type { Verifiers, VerifiersAt } from "./verifiers.ts";

/** A plain crystal is off by so much at most, fast or slow. Well within the agreement's bound. */
const DRIFT_PPM_MAX = 20;

export type SiteOptions = {
  image: GovernorImage;
  workload: Workload;
  seed: number;
  agreementName: string;
  /** Default: all keys in one verifier in this process. */
  verifiers?: VerifiersAt | undefined;
};

type Failed = Outcome & { ok: false };

/** A step of an honest site was refused: it cannot go on. */
class SiteError extends Error {
  constructor(step: string, { by, code, message }: Failed) {
    super(`${step}: the ${by} refused with ${by === "board" ? errorCodeText(code as number) : code}: ${message}`);
    this.name = "SiteError";
  }
}

/** Nobody refused a step of an honest site: a verifier was not reached. */
class LinkError extends Error {
  constructor(step: string, { code, message }: Failed) {
    super(`${step}: ${code}: ${message}`);
    this.name = "LinkError";
  }
}

export class Site {
  readonly workload: Workload;
  readonly agreement: Agreement;
  readonly founding: Founding;
  readonly board: Board;
  readonly verifiers: Verifiers;
  readonly recorder: Recorder;
  readonly mailbox: Mailbox;
  readonly agent: Agent;
  readonly ueid: Uint8Array;
  readonly endorsement: Uint8Array;
  /** Whether the operator carries the beacons to the board. */
  carriesBeacons = true;

  constructor({ image, workload, seed, agreementName, verifiers }: SiteOptions) {
    const random = new Random(seed);
    this.workload = workload;
    this.founding = found({ workload, seed, agreementName });
    this.agreement = this.founding.agreement;
    this.board = new Board({
      image,
      seed,
      chip: accelerator(workload.accelerator),
      tickHz: this.agreement.tickHz,
      drift: { model: "constant", ppm: random.stream("drift").below(2 * DRIFT_PPM_MAX + 1) - DRIFT_PPM_MAX },
    });
    const made = this.board.manufacture();
    this.ueid = made.ueid;
    const { founding } = this;
    this.endorsement = signEndorsement({ ...made, ...hardwareOf(SIM_MODEL) }, founding.manufacturer.signer);
    const clock = () => Number(this.board.agreementMs);
    const nonces = random.stream("nonces");
    const oneVerifier = () =>
      new OneVerifier({ founding, measurement: image.sha256, clock, random: (count) => nonces.bytes(count) });
    this.verifiers = verifiers?.(clock) ?? oneVerifier();
    this.recorder = new Recorder(this.verifiers.link);
    this.mailbox = new Mailbox((request) => this.board.request(request));
    this.agent = new Agent(this.mailbox, this.recorder);
  }

  /** Names of the parties, as the agreement has them. */
  get parties(): readonly string[] {
    return this.agreement.parties.map(({ name }) => name);
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
    this.verifiers.settle(this.ueid, (nonce) => {
      const evidence = this.mailbox.evidence(nonce);
      this.recorder.evidence.push(evidence);
      return evidence;
    });
  }

  #carryBeacons(): void {
    this.board.after(BEACON_SECONDS, () => {
      if (this.carriesBeacons && this.board.on) this.agent.deliverBeacon();
      this.#carryBeacons();
    });
  }
}

/** Goes on only if a step of an honest site was done. Throws a `SiteError` or a `LinkError`. */
export function must(step: string, outcome: Outcome): void {
  if (outcome.ok) return;
  throw outcome.by === "link" ? new LinkError(step, outcome) : new SiteError(step, outcome);
}

function hardwareOf({ model, oem, version }: DeviceModel) {
  const oemId = Uint8Array.of(oem >>> 16, (oem >>> 8) & 0xff, oem & 0xff);
  return { oemId, hardwareModel: new TextEncoder().encode(model), hardwareVersion: version };
}
