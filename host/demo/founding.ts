/**
 * Who there is in a simulated story, and the agreement between them: three parties, a time authority, a manufacturer.
 * All keys come from the run's seed.
 */
import { Random } from "../../sim-board/random.ts";
import type { Workload } from "../../sim-board/workloads/types.ts";
import { type Agreement, signAgreement } from "../objects/agreement.ts";
import { ed25519Signer, type LocalSigner } from "../protocol/cose-key.ts";
import { timeMember } from "../verifier/time-authority.ts";
import { termsFor } from "./terms.ts";

const PARTY_NAMES = ["North", "South", "Inspectorate"] as const;
const CLOCK_NAME = "Observatory";
const SEED_BYTES = 32;

export type KeyHolder = {
  readonly name: string;
  /** Of its Ed25519 key. */
  readonly seed: Uint8Array;
  readonly signer: LocalSigner;
};

export type Founding = {
  readonly agreement: Agreement;
  /** Signed by all parties. */
  readonly agreementBytes: Uint8Array;
  readonly parties: readonly KeyHolder[];
  /** The time authority. */
  readonly clock: KeyHolder;
  readonly manufacturer: KeyHolder;
};

export type FoundingOptions = { workload: Workload; seed: number; agreementName: string };

export function found({ workload, seed, agreementName }: FoundingOptions): Founding {
  const random = new Random(seed);
  const holder = (name: string, stream = name): KeyHolder => {
    const bytes = random.stream(`key of ${stream}`).bytes(SEED_BYTES);
    return { name, seed: bytes, signer: ed25519Signer(bytes) };
  };
  const parties = PARTY_NAMES.map((name) => holder(name));
  const clock = holder(CLOCK_NAME, "time authority");
  const agreement: Agreement = {
    ...termsFor(workload),
    version: 1,
    name: agreementName,
    parties: parties.map(({ name, signer: { kid, publicKey } }) => ({ kid, name, publicKey })),
    timeAuthorities: [timeMember(CLOCK_NAME, clock.signer)],
    timeQuorum: 1,
  };
  const signers = parties.map(({ signer }) => signer);
  return {
    agreement,
    agreementBytes: signAgreement(agreement, signers),
    parties,
    clock,
    manufacturer: holder("manufacturer"),
  };
}
