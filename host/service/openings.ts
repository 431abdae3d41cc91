/** Intervals that devices must show: asked for when a report comes without its own, checked against its root. */
import { checkOpening, decodeOpening } from "../objects/opening.ts";
import { Refusal } from "../protocol/refusal.ts";
import { VerifierError } from "../verifier/errors.ts";
import type { ServiceContext } from "./context.ts";
import { readDevice } from "./device-rows.ts";
import { markOpened, readOwed, readOwedReport } from "./report-rows.ts";
import type { OpeningWanted } from "./service.ts";

const SHOWN_MAX = 256;

export class Openings {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** The oldest first. */
  async wanted(ueid: Uint8Array): Promise<readonly OpeningWanted[]> {
    const { store } = this.#context;
    const { id } = await readDevice(store, ueid);
    const owed = await readOwed(store.db, id, SHOWN_MAX);
    return owed.map(({ sequence, index }) => ({ ueid, reportSequence: sequence, index }));
  }

  /** Throws `opening/malformed`, `opening/unwanted` and `opening/mismatch`. */
  async open(bytes: Uint8Array): Promise<void> {
    const opening = readOpening(bytes);
    const { store, clock } = this.#context;
    const { id } = await readDevice(store, opening.ueid);
    const { reportSequence } = opening;
    const owed = await readOwedReport(store.db, id, reportSequence);
    if (!owed || owed.index !== opening.proof.index)
      throw new VerifierError("opening/unwanted", `report ${reportSequence}`);
    if (!checkOpening(opening, owed.report, owed.totalsBefore)) throw new VerifierError("opening/mismatch");
    await store.write((tx) => markOpened(tx, id, reportSequence, clock()));
  }
}

function readOpening(bytes: Uint8Array) {
  try {
    return decodeOpening(bytes);
  } catch (error) {
    if (error instanceof Refusal) throw new VerifierError("opening/malformed", error.message, { cause: error });
    throw error;
  }
}
