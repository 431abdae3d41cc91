/** What hosts and parties send: every command, and every signed object in the forms that take a path of their own. */
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { objectAad } from "../../host/objects/aad.ts";
import { type Agreement, signAgreement } from "../../host/objects/agreement.ts";
import type { License } from "../../host/objects/license.ts";
import { encode } from "../../host/protocol/cbor.ts";
import { firstRound, parseSign, type Signer, signSign1 } from "../../host/protocol/cose.ts";
import { CLOCK, PARTIES, type Rig, STRANGER } from "../rig.ts";
import { CLOCK_2 } from "./starts.ts";

/** Who signs, by the bits of an input's `signers`. */
const SIGNERS: readonly Signer[] = [...PARTIES, CLOCK, CLOCK_2, STRANGER];
const ONE_PARTY = 0b1;
const TWO_PARTIES = 0b11;
const ALL_PARTIES = 0b111;
const ONE_CLOCK = 0b1000;
const TWO_CLOCKS = 0b11000;

type Draft = (rig: Rig) => Uint8Array;

export type SignedKind = {
  command: Command;
  type: ObjectType;
  /** Who has to. */
  signers: number;
  /** The object as it is right now, in a COSE_Sign that nobody has signed. */
  draft: Draft;
};

const signedBy = (command: Command, type: ObjectType) => (signers: number, draft: Draft) => {
  return { command, type, signers, draft };
};
const order = signedBy(Command.ORDER, ObjectType.ORDER);
const beacon = signedBy(Command.BEACON, ObjectType.BEACON);
const timeProof = signedBy(Command.TIME_PROOF, ObjectType.TIME_PROOF);
const recovery = signedBy(Command.RECOVER, ObjectType.RECOVERY);
const license = (change: (rig: Rig) => Partial<License>): SignedKind =>
  signedBy(Command.LICENSE, ObjectType.LICENSE)(TWO_PARTIES, (rig) => rig.license(change(rig), []));
const agreement = (signers: number, change: Partial<Agreement>): SignedKind =>
  signedBy(Command.AGREEMENT, ObjectType.AGREEMENT)(signers, (rig) =>
    signAgreement({ ...rig.agreement, ...change }, []),
  );

const COPY = new Map([[EngineClass.COPY, 10n ** 9n]]);

// biome-ignore format: a table, one row a kind
export const SIGNED: Readonly<Record<string, SignedKind>> = {
  license: license(() => ({})),
  "license-small": license(() => ({ budget: COPY, drain: COPY, ticksMax: 90_000n })),
  "license-rated": license(() => ({ rate: new Map([[EngineClass.COPY, 10n ** 6n]]) })),
  "license-offline": license(() => ({ nonce: undefined })),
  "license-cohort": license(({ ueid }) => ({ nonce: undefined, ueid: undefined, cohort: [new Uint8Array(33), ueid] })),
  pause: order(ONE_PARTY, (rig) => rig.order(OrderAction.PAUSE, {}, [])),
  "pause-drain": order(ONE_PARTY, (rig) => rig.order(OrderAction.PAUSE, { drain: COPY, drainTicks: 9000n }, [])),
  "pause-scope": order(ONE_PARTY, (rig) => rig.order(OrderAction.PAUSE, { scope: [rig.ueid, new Uint8Array(33)] }, [])),
  slow: order(ONE_PARTY, (rig) => rig.order(OrderAction.SLOW, { permille: 250 }, [])),
  resume: order(TWO_PARTIES, (rig) => rig.order(OrderAction.RESUME, {}, [])),
  beacon: beacon(ONE_CLOCK, (rig) => rig.beacon({}, [])),
  "beacon-clocks": beacon(TWO_CLOCKS, (rig) => rig.beacon({}, [])),
  "time-proof": timeProof(ONE_CLOCK, (rig) => rig.timeProof({}, [])),
  "time-proof-clocks": timeProof(TWO_CLOCKS, (rig) => rig.timeProof({}, [])),
  recovery: recovery(TWO_PARTIES, (rig) => rig.recovery({}, [])),
  "recovery-paused": recovery(TWO_PARTIES, (rig) => rig.recovery({ action: OrderAction.PAUSE }, [])),
  agreement: agreement(ALL_PARTIES, {}),
  amendment: agreement(TWO_PARTIES, { version: 2, leaseSeconds: 60 }),
  "amendment-clocks": agreement(TWO_PARTIES, { version: 2, timeQuorum: 2 }),
};

/** Requests without a signed object. */
export const REQUESTS: Readonly<Record<string, Uint8Array>> = {
  info: encode([Command.INFO]),
  identity: encode([Command.IDENTITY]),
  challenge: encode([Command.TIME_CHALLENGE]),
  evidence: encode([Command.EVIDENCE, new Uint8Array(32).fill(7)]),
  report: encode([Command.REPORT]),
  "report-again": encode([Command.REPORT_AGAIN]),
  "drain-done": encode([Command.DRAIN_DONE]),
  diagnose: encode([Command.DIAGNOSE]),
  nothing: new Uint8Array(0),
};

export const OBJECT_NAMES: readonly string[] = [...Object.keys(SIGNED), ...Object.keys(REQUESTS)];

export const draftedPayload = (kind: SignedKind, rig: Rig) => parseSign(kind.draft(rig)).payload;

/** The payload signed by those whose bits are set: one clock signs a COSE_Sign1. */
export function signed({ type }: SignedKind, payload: Uint8Array, bits: number): Uint8Array {
  const signers = SIGNERS.filter((_, i) => (bits >> i) & 1);
  const isTime = type === ObjectType.BEACON || type === ObjectType.TIME_PROOF;
  const aad = objectAad(type);
  if (isTime && signers.length === 1) return signSign1(payload, signers[0]!, aad);
  const { toBeSigned, add } = firstRound(payload, aad);
  return add(signers.map(({ kid, sign }) => ({ kid, signature: sign(toBeSigned) })));
}
