/** Operations of `build/primitives.wasm`. A new one is one more entry of the list. */
import { ObjectType } from "../../firmware/protocol/claims.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { objectAad } from "../../host/objects/aad.ts";
import { parseSign1 } from "../../host/protocol/cose.ts";
import { counted, countsOf } from "../instrument/count.ts";
import { loadPrimitives, type Primitives, primitivesBytes } from "../primitives.ts";
import { Rig } from "../rig.ts";
import { measuredImage } from "./image.ts";
import type { Operation } from "./operations.ts";

const KIB = 1024;

export function primitiveOperations(): Operation[] {
  const module = counted(primitivesBytes());
  const plain = loadPrimitives();
  const filled = (length: number, fill: number) => new Uint8Array(length).fill(fill);
  const [seed, short, long] = [filled(32, 7), filled(64, 1), filled(KIB, 2)];
  const signature = plain.ed25519Sign(seed, short);
  const publicKey = plain.ed25519PublicKey(seed);
  const rig = Rig.ready({}, { image: measuredImage() });
  const evidence = rig.ask(Command.EVIDENCE, filled(32, 7))[1] as Uint8Array;
  const claims = parseSign1(evidence).payload;
  const attestationKey = rig.attestationKey().publicKey;
  const aad = objectAad(ObjectType.EVIDENCE);

  const operation = (
    name: string,
    act: (firmware: Primitives) => unknown,
    before: (firmware: Primitives) => unknown = () => {},
  ): Operation => ({
    name,
    count() {
      const firmware = loadPrimitives(module);
      before(firmware);
      return countsOf(firmware.global64, () => {
        if (act(firmware) === false) throw new Error(`${name}: refused`);
      });
    },
  });
  const verifyKnown = (firmware: Primitives) => firmware.ed25519VerifyKnown(signature, short, publicKey);
  return [
    operation("Ed25519 public key", (firmware) => firmware.ed25519PublicKey(seed)),
    operation("Ed25519 sign, 64 B", (firmware) => firmware.ed25519Sign(seed, short)),
    operation("Ed25519 sign by a key pair, 64 B", (firmware) => firmware.ed25519SignKeyPair(seed, publicKey, short)),
    operation("Ed25519 verify, 64 B", (firmware) => firmware.ed25519Verify(signature, short, publicKey)),
    operation("Ed25519 verify, 64 B, and keep the key's combs", verifyKnown, verifyKnown),
    operation("Ed25519 verify under a known key, 64 B", verifyKnown, (firmware) => {
      for (let i = 0; i < 2; i++) verifyKnown(firmware);
    }),
    operation("SHA-256, 64 B", (firmware) => firmware.sha256(short)),
    operation("SHA-256, 1 KiB", (firmware) => firmware.sha256(long)),
    operation("SHA-512, 64 B", (firmware) => firmware.sha512(short)),
    operation("SHA-512, 1 KiB", (firmware) => firmware.sha512(long)),
    operation("HMAC-SHA-256, 64 B", (firmware) => firmware.hmacSha256(seed, short)),
    operation("HMAC-SHA-256, 1 KiB", (firmware) => firmware.hmacSha256(seed, long)),
    operation("HKDF-SHA-256, 32 B", (firmware) => firmware.hkdfSha256(seed, new Uint8Array(0), short, 32)),
    operation("CBOR check of evidence's claims", (firmware) => firmware.cborCheck(claims) === 0),
    operation("COSE_Sign1 verify of evidence", (firmware) => firmware.coseSign1Verify(evidence, attestationKey, aad)),
  ];
}
