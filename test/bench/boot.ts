/** Boot: from reset to a challenge, and the governor alone to READY against the cryptography that it cannot do without. */
import { hrtime } from "node:process";
import { Command } from "../../firmware/protocol/commands.ts";
import { encode } from "../../host/protocol/cbor.ts";
import { Registers } from "../../sim-board/parts/registers.ts";
import { loadPrimitives, type Primitives } from "../primitives.ts";
import { Rig } from "../rig.ts";
import { handoffOf, type Knobs, recordBytes, wired } from "./bare-governor.ts";
import type { Bench, Case } from "./frame.ts";

/** What the device key signs of the attestation key. */
const CERTIFICATE_BYTES = 160;

const LIMIT_NS = 3_000_000n;

/** A counter that outlasts the rounds, and flash that does not wear in them. */
export const LONG_LIFE = { counterLifeSteps: 0xffffffff, flashEnduranceErases: 1e9 };

export const boot: Bench = {
  about: "from reset, boot ROM included, to a challenge; the governor's boot against the cryptography in it alone",
  cases(): Case[] {
    const rig = Rig.ready({}, { ...LONG_LIFE, invariants: false });
    const knobs: Knobs = { ticks: 0n, registers: new Registers() };
    const handoff = handoffOf(rig);
    const challenge = encode([Command.TIME_CHALLENGE]);
    const cryptography = cryptographyOfBoot(loadPrimitives(), recordBytes(rig));
    return [
      {
        name: "reset to a challenge",
        against: "the limit, 3 ms",
        ours() {
          const handoff = handoffOf(rig);
          const governor = wired(rig, knobs);
          const code = governor.boot(handoff) || governor.doorbell(challenge)[1];
          if (code !== 0) throw new Error(`no challenge: 0x${code?.toString(16)}`);
        },
        theirs: () => spin(LIMIT_NS),
      },
      {
        name: "boot to READY",
        against: "its cryptography alone",
        ours() {
          const code = wired(rig, knobs).boot(handoff);
          if (code !== 0) throw new Error(`boot failed with 0x${code.toString(16)}`);
        },
        theirs: cryptography,
      },
    ];
  },
};

function spin(ns: bigint): void {
  for (const end = hrtime.bigint() + ns; hrtime.bigint() < end; );
}

/** Self-test, identity, and the journal's record read and written, as `firmware/boot` does them. */
function cryptographyOfBoot(primitives: Primitives, recordBytes: number): () => void {
  const seed = new Uint8Array(32).fill(7);
  const short = new Uint8Array(3);
  const certificate = new Uint8Array(CERTIFICATE_BYTES);
  const record = new Uint8Array(recordBytes);
  const publicKey = primitives.ed25519PublicKey(seed);
  const signatures = [short, certificate].map((message) => primitives.ed25519Sign(seed, message));
  return () => {
    primitives.sha256(short);
    primitives.sha512(short);
    primitives.hmacSha256(seed, short);
    primitives.ed25519PublicKey(seed);
    primitives.ed25519Sign(seed, short);
    primitives.ed25519Verify(signatures[0]!, short, publicKey);
    primitives.ed25519Verify(signatures[0]!, certificate, publicKey);
    primitives.ed25519SignKeyPair(seed, publicKey, short);
    // A new key twice, then its combs: what it takes to build them is the governor's own.
    for (let i = 0; i < 2; i++) primitives.ed25519Verify(signatures[0]!, short, publicKey);
    for (let i = 0; i < 2; i++) primitives.ed25519VerifyKnown(signatures[0]!, short, publicKey);
    for (let i = 0; i < 3; i++) primitives.hkdfSha256(seed, short, short, 32);
    primitives.ed25519PublicKey(seed);
    primitives.ed25519Verify(signatures[1]!, certificate, publicKey);
    for (let i = 0; i < 2; i++) primitives.hmacSha256(seed, record);
  };
}
