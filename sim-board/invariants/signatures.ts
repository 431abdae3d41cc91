/**
 * S9, and the half of S7 that needs no question: whatever the governor accepts from others is verified once more, against
 * the quorum that docs/protocol.md asks of it. What is in force is what was accepted before; where an exchange was torn,
 * an object holds if it does under any of what may be in force. A board whose past this rule did not see is not judged
 * until an agreement is accepted.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AgreementKey, Claim, ObjectType, OrderAction, QuorumKey } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { ErrorCode } from "../../firmware/protocol/errors.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { type Item, read } from "../cbor.ts";
import type { BoardEvent, BoardView } from "../events.ts";
import type { Check } from "./broken.ts";
import type { Exchange } from "./mailbox.ts";
import { type Fault, faultOf, type Keys, readSigned, type Signed } from "./signed.ts";

/** An agreement, as far as it says who may sign what. */
type Pact = {
  digest: string;
  parties: Keys;
  authorities: Keys;
  license: number;
  pause: number;
  resume: number;
  amend: number;
  time: number;
};

type State = {
  /** One of these is in force, the newest last; null is none yet. Empty: this rule can't know. */
  pacts: (Pact | null)[];
  /** One of these rates is in force, in thousandths; 0 is a pause. */
  rates: number[];
  /** The device's name, as soon as it said so; without it a scope may or may not mean this device. */
  ueid: string | undefined;
};

const TYPES: ReadonlyMap<Item | undefined, number> = new Map<Item, number>([
  [Command.AGREEMENT, ObjectType.AGREEMENT],
  [Command.TIME_PROOF, ObjectType.TIME_PROOF],
  [Command.BEACON, ObjectType.BEACON],
  [Command.LICENSE, ObjectType.LICENSE],
  [Command.ORDER, ObjectType.ORDER],
  [Command.RECOVER, ObjectType.RECOVERY],
]);
const RATE_FULL = 1000;
/** A slow order lies between these: enough to allow whatever any rate would. */
const ANY_RATE = [0, RATE_FULL];
const PACTS_KEPT = 16;

export class SignaturesRule {
  state: State = { pacts: [null], rates: [RATE_FULL], ueid: undefined };

  observe(event: BoardEvent, _exchange: Exchange | undefined, board: BoardView, check: Check): void {
    if (event.kind === "boot" && event.code !== ErrorCode.BOOT_NOT_PROVISIONED) this.#forgetUnseen();
    if (event.kind !== "request") return;
    const asked = read(event.request);
    if (!Array.isArray(asked)) return;
    const answered = event.answer ? read(event.answer) : undefined;
    const code = Array.isArray(answered) ? answered[0] : undefined;
    const type = TYPES.get(asked[0]);
    if (type === undefined) {
      if (code === 0 && this.state.ueid === undefined) this.#learnName((answered as Item[])[1]);
    } else if (code === 0) this.#judge(type, asked[1], check);
    else if (!event.answer || mayHaveActed(type, code, board)) this.#doubt(type, asked[1]);
  }

  /** An agreement is in force that this rule never saw. */
  #forgetUnseen(): void {
    const { state } = this;
    if (state.pacts.some((pact) => pact !== null)) return;
    state.pacts = [];
    state.rates = ANY_RATE;
  }

  #judge(type: number, object: Item | undefined, check: Check): void {
    const signed = readSigned(object);
    if (type !== ObjectType.AGREEMENT) this.#forgetUnseen();
    if (this.state.pacts.length > 0) {
      const fault = signed ? this.#faultOf(type, signed) : { id: "S9" as const, detail: "no signed object at all" };
      const say = () => `an object of type ${type} was accepted: ${fault?.detail}`;
      check("S9", fault?.id !== "S9", say);
      check("S7", fault?.id !== "S7", say);
    }
    if (signed) this.#learn(type, signed, false);
  }

  /** It may have been accepted, if it is one that may. */
  #doubt(type: number, object: Item | undefined): void {
    const signed = readSigned(object);
    if (!signed || this.state.pacts.length === 0 || this.#faultOf(type, signed)) return;
    this.#learn(type, signed, true);
  }

  #learn(type: number, signed: Signed, torn: boolean): void {
    const { state } = this;
    if (type === ObjectType.AGREEMENT) {
      const others = torn ? state.pacts : [];
      state.pacts = [...others, pactOf(signed)].slice(-PACTS_KEPT);
    } else if (type === ObjectType.ORDER) {
      const scopes = this.#scopesOf(signed.claims);
      if (!scopes.includes(true)) return;
      const others = torn || scopes.includes(false) ? state.rates : [];
      state.rates = [...new Set([...others, rateOf(signed.claims)])];
      // A recovery that only corrects the meter leaves the orders as they are.
    } else if (type === ObjectType.RECOVERY) state.rates = [...new Set([...state.rates, rateOf(signed.claims)])];
  }

  /** Undefined if the object holds under any pact and rate that may be in force; or what is wrong under the newest. */
  #faultOf(type: number, signed: Signed): Fault | undefined {
    let fault: Fault | undefined = { id: "S9", detail: "there is no agreement" };
    for (const pact of this.state.pacts) {
      if (type === ObjectType.AGREEMENT) fault = agreementFault(pact, signed);
      else if (pact) fault = this.#faultUnder(pact, type, signed);
      if (!fault) return undefined;
    }
    return fault;
  }

  #faultUnder(pact: Pact, type: number, signed: Signed): Fault | undefined {
    const isTime = type === ObjectType.BEACON || type === ObjectType.TIME_PROOF;
    if (signed.single !== (isTime && pact.time === 1)) return { id: "S9", detail: "the wrong kind of COSE message" };
    if (isTime) return faultOf(signed, type, pact.authorities, pact.time);
    const quorums = this.#quorumsOf(pact, type, signed.claims);
    const given = signed.signatures.length;
    return faultOf(signed, type, pact.parties, quorums.includes(given) ? given : quorums[0]!);
  }

  /** The numbers of signatures of which one is right. */
  #quorumsOf(pact: Pact, type: number, claims: Map<Item, Item>): number[] {
    if (type === ObjectType.LICENSE) return [pact.license];
    const action = claims.get(Claim.ACTION);
    if (type === ObjectType.RECOVERY) {
      return [action === OrderAction.PAUSE ? pact.license : Math.max(pact.license, pact.resume)];
    }
    return this.#scopesOf(claims).flatMap((inScope) =>
      this.state.rates.flatMap((rate) => {
        const raises = action === OrderAction.RESUME || (inScope && rateOf(claims) > rate);
        if (raises) return [pact.resume];
        return inScope && pact.resume < pact.pause ? [pact.pause] : [pact.pause, pact.resume];
      }),
    );
  }

  /** Whether the order is meant for this device: both, if that can't be told. */
  #scopesOf(claims: Map<Item, Item>): boolean[] {
    const scope = claims.get(Claim.SCOPE);
    if (!Array.isArray(scope)) return [true];
    const { ueid } = this.state;
    if (ueid === undefined) return [true, false];
    return [scope.some((name) => name instanceof Uint8Array && bytesToHex(name) === ueid)];
  }

  /** From `INFO`'s claims, or those of a certificate, evidence or report. */
  #learnName(result: Item | undefined): void {
    const claims = result instanceof Map ? result : readSigned(result)?.claims;
    const ueid = claims?.get(Claim.UEID);
    if (ueid instanceof Uint8Array) this.state.ueid = bytesToHex(ueid);
  }
}

/** An order or a recovery that could not be written down locks the gate: after a reset it may be in force or not. */
function mayHaveActed(type: number, code: Item | undefined, board: BoardView): boolean {
  return type !== ObjectType.AGREEMENT && board.gateState === GateState.LOCKED && code !== ErrorCode.GATE_LOCKED;
}

/** The first takes all its parties, a later one the amend quorum; the one in force, given again, nobody. */
function agreementFault(pact: Pact | null, signed: Signed): Fault | undefined {
  const next = pactOf(signed);
  if (pact?.digest === next.digest) return undefined;
  if (signed.single) return { id: "S9", detail: "the wrong kind of COSE message" };
  return faultOf(signed, ObjectType.AGREEMENT, (pact ?? next).parties, pact ? pact.amend : next.parties.size);
}

function pactOf({ payload, claims }: Signed): Pact {
  const quorums = claims.get(AgreementKey.QUORUMS);
  const quorum = (key: number) => (quorums instanceof Map ? Number(quorums.get(key)) : 0);
  return {
    digest: bytesToHex(sha256(payload)),
    parties: keysOf(claims.get(AgreementKey.PARTIES)),
    authorities: keysOf(claims.get(AgreementKey.TIME_AUTHORITIES)),
    license: quorum(QuorumKey.LICENSE),
    pause: quorum(QuorumKey.PAUSE),
    resume: quorum(QuorumKey.RESUME),
    amend: quorum(QuorumKey.AMEND),
    time: Number(claims.get(AgreementKey.TIME_QUORUM)),
  };
}

function keysOf(members: Item | undefined): Keys {
  const keys = new Map<string, Uint8Array>();
  for (const member of Array.isArray(members) ? members : []) {
    const [kid, , key] = Array.isArray(member) ? member : [];
    if (kid instanceof Uint8Array && key instanceof Uint8Array) keys.set(bytesToHex(kid), key);
  }
  return keys;
}

/** What an order or a recovery puts in force, in thousandths. */
function rateOf(claims: Map<Item, Item>): number {
  const action = claims.get(Claim.ACTION);
  if (action === OrderAction.PAUSE) return 0;
  return action === OrderAction.SLOW ? Number(claims.get(Claim.RATE_PERMILLE)) : RATE_FULL;
}
