/**
 * A board on the bench, for tests and attacks on the firmware: real governor, simulated parts, three parties (license 2, pause 1,
 * resume 2 of 3) and a time authority whose keys are at hand. Objects are made by the host's own encoders; any field
 * can be overridden to make a bad one.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ObjectType, OrderAction } from "../firmware/protocol/claims.ts";
import { EngineClass } from "../firmware/protocol/classes.ts";
import { Command } from "../firmware/protocol/commands.ts";
import { type Agreement, agreementDigest, signAgreement } from "../host/objects/agreement.ts";
import { verifyCertificate } from "../host/objects/endorsement.ts";
import { decodeInfo, type Info } from "../host/objects/evidence.ts";
import { decodeIntervals, type Interval } from "../host/objects/intervals.ts";
import { type License, signLicense } from "../host/objects/license.ts";
import { type Order, signOrder } from "../host/objects/order.ts";
import { type Recovery, signRecovery } from "../host/objects/recovery.ts";
import { signTime, type TimeStatement } from "../host/objects/time.ts";
import { type UsageReport, verifyUsageReport } from "../host/objects/usage-report.ts";
import { type CborValue, decode, encode } from "../host/protocol/cbor.ts";
import { ed25519Signer, type Signer, type VerificationKey, verificationKey } from "../host/protocol/cose.ts";
import { errorPhrase } from "../host/protocol/error-phrases.ts";
import { Board, type BoardOptions } from "../sim-board/board.ts";
import { governorImage } from "../sim-board/built-governor.ts";
import type { Phase } from "../sim-board/workloads/types.ts";

export { governorImage };

/** A signer from a name: the same key every time. */
export function signerOf(name: string): Signer {
  return ed25519Signer(sha256(new TextEncoder().encode(`quiesce test ${name}`)));
}

export const PARTIES = ["north", "south", "inspectorate"].map(signerOf);
export const CLOCK = signerOf("clock");
export const STRANGER = signerOf("stranger");

const TICK_HZ = 1000;
const member = (signer: Signer, name: string) => ({ kid: signer.kid, publicKey: signer.publicKey, name });

/** BF16, copy and link; slices of one minute at 10^15 operations a second. */
export function agreementOf(change: Partial<Agreement> = {}): Agreement {
  return {
    version: 1,
    name: "test",
    parties: PARTIES.map((party, i) => member(party, `party ${i}`)),
    quorums: { license: 2, pause: 1, resume: 2, update: 2, amend: 2 },
    timeAuthorities: [member(CLOCK, "clock")],
    timeQuorum: 1,
    caps: new Map([
      [EngineClass.TENSOR_BF16, { budgetMax: 10n ** 20n, rateMax: 10n ** 12n }],
      [EngineClass.COPY, { budgetMax: 10n ** 18n, rateMax: 10n ** 10n }],
      [EngineClass.LINK_TX, { budgetMax: 10n ** 18n, rateMax: 10n ** 9n }],
    ]),
    tickHz: TICK_HZ,
    driftPpm: 100,
    leaseSeconds: 300,
    licenseTicksMax: 86_400_000n,
    sliceTicks: 60_000n,
    drain: new Map([
      [EngineClass.COPY, 10n ** 12n],
      [EngineClass.LINK_TX, 10n ** 12n],
    ]),
    drainTicksMax: 120_000n,
    offline: true,
    svnLeast: 0,
    ...change,
  };
}

/** One second of work: 10^14 BF16 operations and 10^9 bytes of copy, unless told otherwise. */
export function phaseOf(seconds: number, change: Partial<Phase> = {}): Phase {
  const perSecond = (amount: bigint) => (amount * BigInt(Math.round(seconds * 1000))) / 1000n;
  return {
    name: "work",
    durationSeconds: seconds,
    measured: false,
    work: new Map<number, bigint>([
      [EngineClass.TENSOR_BF16, perSecond(10n ** 14n)],
      [EngineClass.COPY, perSecond(10n ** 9n)],
    ]),
    ...change,
  };
}

/** What `REPORT` answered, verified. */
export type Reported = { bytes: Uint8Array; intervalBytes: Uint8Array; report: UsageReport; intervals: Interval[] };

/** The governor refused what had to be accepted. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** Why, by name. */
  readonly reason: string;

  constructor(code: number) {
    super(`refused with 0x${code.toString(16).padStart(4, "0")}`);
    this.reason = errorPhrase(code).name;
  }
}

export class Rig {
  readonly board: Board;
  readonly agreement: Agreement;
  readonly digest: Uint8Array;
  readonly ueid: Uint8Array;
  readonly deviceKey: VerificationKey;

  constructor(change: Partial<Agreement> = {}, options: Partial<BoardOptions> = {}) {
    this.agreement = agreementOf(change);
    this.digest = agreementDigest(this.agreement);
    this.board = new Board({ image: governorImage(), seed: 1, tickHz: this.agreement.tickHz, ...options });
    const made = this.board.manufacture();
    this.ueid = made.ueid;
    this.deviceKey = verificationKey(made.devicePublicKey);
  }

  /** Powered up, provisioned, clock set; no license yet. */
  static ready(change: Partial<Agreement> = {}, options: Partial<BoardOptions> = {}): Rig {
    const rig = new Rig(change, options);
    rig.board.powerOn();
    rig.must(rig.provision());
    rig.must(rig.syncTime());
    return rig;
  }

  /** The same with a license in force: the gate is open. */
  static open(change: Partial<Agreement> = {}, options: Partial<BoardOptions> = {}): Rig {
    const rig = Rig.ready(change, options);
    rig.must(rig.send(Command.LICENSE, rig.license()));
    return rig;
  }

  /** The answer's code and results. */
  ask(command: Command, argument?: Uint8Array, proof?: Uint8Array): readonly CborValue[] {
    const request = encode([command, ...[argument, proof].filter((given) => given !== undefined)]);
    return decode(this.board.request(request)) as CborValue[];
  }

  /** The answer's code. A log proof goes with the argument where the agreement has a log. */
  send(command: Command, argument?: Uint8Array, proof?: Uint8Array): number {
    return this.ask(command, argument, proof)[0] as number;
  }

  /** The name of the answer's code: "OK", or why not. */
  verdict(command: Command, argument?: Uint8Array, proof?: Uint8Array): string {
    return errorPhrase(this.send(command, argument, proof)).name;
  }

  must(code: number): void {
    if (code !== 0) throw new Refused(code);
  }

  info(): Info {
    return decodeInfo(this.ask(Command.INFO)[1]!);
  }

  /** The reason of the gate's last move or refusal, by name. */
  get lastReason(): string {
    return errorPhrase(this.board.lastCode).name;
  }

  /** What a class has really done since manufacture. */
  done(engineClass: EngineClass): bigint {
    return this.board.accelerator.lifetimeOf(engineClass);
  }

  provision(): number {
    return this.send(Command.AGREEMENT, signAgreement(this.agreement, PARTIES));
  }

  /** The plug is pulled and put back. The name of what boot said. */
  powerCycle(): string {
    this.board.cutPower();
    return errorPhrase(this.board.powerOn()).name;
  }

  /** The same, and the clock set: the gate may open again if anything allows it. */
  restart(): void {
    this.board.cutPower();
    this.must(this.board.powerOn());
    this.must(this.syncTime());
  }

  /** Orders, and has the time authorities confirm it, as honest ones do. */
  obey(action: OrderAction, change: Partial<Order> = {}, signers?: readonly Signer[]): void {
    this.must(this.send(Command.ORDER, this.order(action, change, signers)));
    if (this.info().timeBounds) this.must(this.send(Command.BEACON, this.beacon()));
  }

  /** The attestation key, as the device key certifies it. */
  attestationKey(): VerificationKey {
    const certificate = this.ask(Command.IDENTITY)[1] as Uint8Array;
    return verificationKey(verifyCertificate(certificate, this.deviceKey).attestationPublicKey);
  }

  report(command: Command.REPORT | Command.REPORT_AGAIN = Command.REPORT): Reported {
    const [code, bytes, intervalBytes] = this.ask(command) as [number, Uint8Array, Uint8Array];
    this.must(code);
    const report = verifyUsageReport(bytes, this.attestationKey());
    return { bytes, intervalBytes, report, intervals: decodeIntervals(intervalBytes) };
  }

  get nowSeconds(): number {
    return this.board.agreementSeconds;
  }

  timeProof(change: Partial<TimeStatement> = {}, signers: readonly Signer[] = [CLOCK]): Uint8Array {
    const nonce = change.nonce ?? (this.ask(Command.TIME_CHALLENGE)[1] as Uint8Array);
    return signTime(ObjectType.TIME_PROOF, { ...this.#time(), ...change, nonce }, signers);
  }

  syncTime(change: Partial<TimeStatement> = {}): number {
    return this.send(Command.TIME_PROOF, this.timeProof(change));
  }

  beacon(change: Partial<TimeStatement> = {}, signers: readonly Signer[] = [CLOCK]): Uint8Array {
    return signTime(ObjectType.BEACON, { ...this.#time(), ...change }, signers);
  }

  #time(): TimeStatement {
    const info = this.info();
    return {
      issuedAtSeconds: this.nowSeconds,
      agreementDigest: this.digest,
      epoch: info.epoch,
      orderDigest: info.orderDigest,
    };
  }

  /** An hour of full rate for this device, answering its challenge. */
  license(change: Partial<License> = {}, signers: readonly Signer[] = PARTIES.slice(0, 2)): Uint8Array {
    const info = this.info();
    return signLicense(
      {
        notBeforeSeconds: this.nowSeconds - 60,
        expirySeconds: this.nowSeconds + 7200,
        nonce: info.challenge,
        ueid: this.ueid,
        agreementDigest: this.digest,
        epoch: info.epoch,
        sequence: info.licenseSequence + 1n,
        budget: new Map([
          [EngineClass.TENSOR_BF16, 36n * 10n ** 17n],
          [EngineClass.COPY, 36n * 10n ** 14n],
        ]),
        ticksMax: 7_200_000n,
        drain: new Map([[EngineClass.COPY, 10n ** 11n]]),
        svnLeast: 0,
        ...change,
      },
      signers,
    );
  }

  order(action: OrderAction, change: Partial<Order> = {}, signers?: readonly Signer[]): Uint8Array {
    const quorum = action === OrderAction.RESUME ? 2 : 1;
    const info = this.info();
    return signOrder(
      {
        notBeforeSeconds: this.nowSeconds - 1,
        agreementDigest: this.digest,
        epoch: info.epoch + 1,
        previousDigest: info.orderDigest,
        action,
        ...change,
      },
      signers ?? PARTIES.slice(0, quorum),
    );
  }

  recovery(change: Partial<Recovery> = {}, signers: readonly Signer[] = PARTIES.slice(0, 2)): Uint8Array {
    const info = this.info();
    return signRecovery(
      {
        nonce: info.challenge,
        ueid: this.ueid,
        agreementDigest: this.digest,
        epoch: info.epoch,
        sequence: 100n,
        action: OrderAction.RESUME,
        totals: info.totals,
        reportHead: { sequence: 0n, digest: new Uint8Array(32) },
        orderDigest: info.orderDigest,
        ...change,
      },
      signers,
    );
  }
}
