/**
 * The firmware's primitives (`build/primitives.wasm`) beside OpenSSL by way of node:crypto, libsodium's and hash-wasm's
 * WebAssembly, and noble's JavaScript: all of them in the same rounds. What a library cannot do is left out.
 */

import { ed25519Signer } from "../../host/protocol/cose-key.ts";
import type { Ed25519Item } from "../../host/protocol/ed25519-module.ts";
import { IO_BYTES, loadPrimitives } from "../primitives.ts";
import { PARTIES, Rig } from "../rig.ts";
import {
  type Call,
  firmware,
  firmwareInPlace,
  hashWasm,
  type Library,
  libsodium,
  libsodiumInPlace,
  noble,
  nodeCrypto,
  verification,
} from "./crypto-libraries.ts";
import type { Bench, Case } from "./frame.ts";

const filled = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const SEED = filled(32, 7);
const HMAC_KEY = filled(32, 8);
const SHORT = filled(64, 1);
const KIB = filled(1024, 2);
const LONG = filled(IO_BYTES, 3);
/** Signatures of a batch. */
const MANY = 64;

/** Prepares one call of a library; nothing if it has none such. */
type Prepare = (library: Library) => Call | undefined;

export const crypto: Bench = {
  about: "Ed25519, SHA-2 and HMAC of the firmware beside OpenSSL, libsodium, hash-wasm and noble",
  async cases(): Promise<Case[]> {
    const primitives = loadPrimitives();
    const whole = beside(firmware(primitives), [nodeCrypto, await libsodium(), noble, await hashWasm(HMAC_KEY)]);
    const inPlace = beside(firmwareInPlace(loadPrimitives), [await libsodiumInPlace()]);
    const alone = { ...firmware(primitives), name: "firmware, one by one" };
    const many = beside(verification, [alone, nodeCrypto, await libsodium()]);

    const publicKey = primitives.ed25519PublicKey(SEED);
    const sign = (message: Uint8Array) => (library: Library) => library.sign?.(SEED, message);
    function verify(message: Uint8Array): Prepare {
      const signature = primitives.ed25519Sign(SEED, message);
      return (library) => library.verify?.(signature, message, publicKey);
    }
    function verifyKnown(message: Uint8Array): Prepare {
      const signature = primitives.ed25519Sign(SEED, message);
      return (library) => (library.verifyKnown ?? library.verify)?.(signature, message, publicKey);
    }
    const sha256 = (message: Uint8Array) => (library: Library) => library.sha256?.(message);
    const sha512 = (message: Uint8Array) => (library: Library) => library.sha512?.(message);
    const hmac = (message: Uint8Array) => (library: Library) => library.hmacSha256?.(HMAC_KEY, message);
    const license = signedOfLicense();
    const [ofMany, ofOne] = [signed(MANY, MANY), signed(MANY, 1)];

    return [
      whole("Ed25519 key pair", (library) => library.keyPair?.(SEED)),
      whole("Ed25519 sign 64 B", sign(SHORT)),
      whole("Ed25519 sign 1 KiB", sign(KIB)),
      whole("Ed25519 sign a license", sign(license)),
      whole("Ed25519 sign 64 B by the seed alone", (library) => library.signBySeed?.(SEED, SHORT)),
      whole("Ed25519 verify 64 B", verify(SHORT)),
      whole("Ed25519 verify 1 KiB", verify(KIB)),
      whole("Ed25519 verify a license", verify(license)),
      whole("Ed25519 verify 64 B, known key", verifyKnown(SHORT)),
      whole("Ed25519 verify a license, known key", verifyKnown(license)),
      many(`Ed25519 verify ${MANY} of ${MANY} keys, 64 B`, verifyAll(ofMany)),
      many(`Ed25519 verify ${MANY} of one key, 64 B`, verifyAll(ofOne)),
      inPlace("Ed25519 sign 64 B, in place", sign(SHORT)),
      inPlace("Ed25519 verify 64 B, in place", verify(SHORT)),
      whole("SHA-256 of 64 B", sha256(SHORT), SHORT.length),
      whole("SHA-256 of 1 KiB", sha256(KIB), KIB.length),
      whole("SHA-256 of 64 KiB", sha256(LONG), LONG.length),
      whole("SHA-512 of 64 B", sha512(SHORT), SHORT.length),
      whole("SHA-512 of 1 KiB", sha512(KIB), KIB.length),
      whole("SHA-512 of 64 KiB", sha512(LONG), LONG.length),
      inPlace("SHA-512 of 64 B, in place", sha512(SHORT), SHORT.length),
      inPlace("SHA-512 of 1 KiB, in place", sha512(KIB), KIB.length),
      whole("HMAC-SHA-256 of 64 B", hmac(SHORT), SHORT.length),
      whole("HMAC-SHA-256 of 1 KiB", hmac(KIB), KIB.length),
      // The module's buffer takes 64 KiB, the key among them.
      whole("HMAC-SHA-256 of 64 KiB", hmac(LONG.subarray(HMAC_KEY.length)), LONG.length - HMAC_KEY.length),
    ];
  },
};

/** So many signatures, of so many keys in turns. */
function signed(count: number, keys: number): Ed25519Item[] {
  const signers = Array.from({ length: keys }, (_, i) => ed25519Signer(filled(32, i)));
  return Array.from({ length: count }, (_, i) => {
    const { publicKey, sign } = signers[i % keys]!;
    return { signature: sign(SHORT), message: SHORT, publicKey };
  });
}

/** All at once, or one after the other where a library knows no better. */
function verifyAll(items: readonly Ed25519Item[]): Prepare {
  return (library) => {
    if (library.verifyMany) return library.verifyMany(items);
    const calls = items.map((item) => library.verify?.(item.signature, item.message, item.publicKey));
    return () => calls.every((call) => call?.());
  };
}

/** What makes cases of ours and these peers. All must agree, or something else is measured than what is said. */
function beside(ours: Library, peers: readonly Library[]) {
  return (name: string, prepare: Prepare, bytes?: number): Case => {
    const call = prepare(ours);
    if (call === undefined) throw new Error(`${ours.name} cannot do it: ${name}`);
    const result = call();
    if (result === false) throw new Error(`${ours.name} refuses a good signature: ${name}`);
    return {
      name,
      bytes,
      ours: call,
      peers: peers.flatMap((peer) => {
        const theirs = prepare(peer);
        if (theirs === undefined) return [];
        if (!agree(theirs(), result)) throw new Error(`${peer.name} and ${ours.name} differ: ${name}`);
        return [{ against: peer.name, theirs }];
      }),
    };
  };
}

/** A result that is not shown has nothing to differ in. */
function agree(theirs: ReturnType<Call>, ours: ReturnType<Call>): boolean {
  if (theirs instanceof Uint8Array && ours instanceof Uint8Array) return Buffer.compare(theirs, ours) === 0;
  return theirs === undefined || theirs === ours;
}

/** The bytes that a party signs of a license for a board on the bench. */
function signedOfLicense(): Uint8Array {
  let signed = new Uint8Array();
  const [party] = PARTIES;
  Rig.ready().license({}, [
    {
      ...party!,
      sign(message) {
        signed = Uint8Array.from(message);
        return party!.sign(message);
      },
    },
  ]);
  return signed;
}
