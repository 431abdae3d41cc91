/** Makes a board known to every verifier of the circle, and again when its attestation key is another one. */
import { createHash } from "node:crypto";
import type { Circle } from "../../client/circle.ts";
import type { Registration } from "../../service/service.ts";
import type { BoardPort } from "../driver.ts";
import { AgentError } from "../errors.ts";
import { failureOf, type Outcome } from "../outcome.ts";
import type { BoardStore } from "./board-store.ts";

export interface EnrolmentParts {
  readonly circle: Circle;
  readonly store: BoardStore;
  readonly port: BoardPort;
  /** The attestation key's certificate, by the board. */
  readonly identity: () => Promise<Uint8Array>;
  /** What to say to a verifier of whose the board is. */
  readonly registrationFor: (verifier: string) => Partial<Registration> | undefined;
}

export class Enrolment {
  readonly #parts: EnrolmentParts;
  /** Of the governor image that was certified: another one has another key. */
  #measurement: string | undefined;
  #certificate: Uint8Array | undefined;

  constructor(parts: EnrolmentParts) {
    this.#parts = parts;
  }

  /** Some verifier does not know the board after all. */
  forget(): void {
    for (const { name } of this.#parts.circle.members) this.#parts.store.setEnrolled(name, undefined);
  }

  /** Undefined where all know the board already. */
  async run(measurement: string): Promise<Outcome | undefined> {
    const { circle, store, port, identity, registrationFor } = this.#parts;
    if (measurement !== this.#measurement || !this.#certificate) {
      this.#certificate = await identity();
      this.#measurement = measurement;
    }
    const certificate = this.#certificate;
    const digest = createHash("sha256").update(certificate).digest("hex");
    const lacking = circle.members.filter(({ name }) => store.enrolledBy(name) !== digest);
    if (lacking.length === 0) return undefined;
    const endorsement = await port.endorsement();
    if (!endorsement) throw new AgentError("agent/endorsement-missing", port.name);
    let failure: Outcome | undefined;
    for (const { name, client } of lacking) {
      try {
        await client.enrol(endorsement, certificate, registrationFor(name));
        store.setEnrolled(name, digest);
      } catch (error) {
        failure ??= failureOf(error);
        if (!failure) throw error;
      }
    }
    return failure ?? { ok: true };
  }
}
