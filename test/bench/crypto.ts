/** The firmware's primitives (`build/primitives.wasm`) against OpenSSL by way of node:crypto, and against noble. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { loadPrimitives } from "../primitives.ts";
import type { Bench, Case } from "./frame.ts";

/** PKCS #8 of an Ed25519 seed, RFC 8410 section 7: everything before the seed. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
/** The longest message of the mailbox. */
const LONG_BYTES = 4096;
/** About what a license signs. */
const SIGNED_BYTES = 256;

export const crypto: Bench = {
  about: "Ed25519 and SHA-2 of the firmware against OpenSSL and noble",
  cases(): Case[] {
    const ours = loadPrimitives();
    const seed = new Uint8Array(32).fill(7);
    const message = new Uint8Array(SIGNED_BYTES).fill(1);
    const long = new Uint8Array(LONG_BYTES).fill(2);
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
    const publicKey = createPublicKey(key);
    const publicBytes = ours.ed25519PublicKey(seed);
    const signature = ours.ed25519Sign(seed, message);
    const oursVerify = () => holds(ours.ed25519Verify(signature, message, publicBytes));
    const oursSign = () => void ours.ed25519Sign(seed, message);
    const [openssl, noble] = ["node:crypto", "noble"];
    return [
      {
        name: "Ed25519 verify",
        against: openssl,
        ours: oursVerify,
        theirs: () => holds(verify(null, message, publicKey, signature)),
      },
      {
        name: "Ed25519 verify",
        against: noble,
        ours: oursVerify,
        theirs: () => holds(ed25519.verify(signature, message, publicBytes, { zip215: false })),
      },
      { name: "Ed25519 sign", against: openssl, ours: oursSign, theirs: () => void sign(null, message, key) },
      { name: "Ed25519 sign", against: noble, ours: oursSign, theirs: () => void ed25519.sign(message, seed) },
      {
        name: "Ed25519 public key",
        against: noble,
        ours: () => void ours.ed25519PublicKey(seed),
        theirs: () => void ed25519.getPublicKey(seed),
      },
      ...[
        { name: "SHA-256 of 4 KiB", mine: ours.sha256, algorithm: "sha256", other: sha256 },
        { name: "SHA-512 of 4 KiB", mine: ours.sha512, algorithm: "sha512", other: sha512 },
      ].flatMap(({ name, mine, algorithm, other }): Case[] => [
        {
          name,
          against: openssl,
          ours: () => void mine(long),
          theirs: () => void createHash(algorithm).update(long).digest(),
        },
        { name, against: noble, ours: () => void mine(long), theirs: () => void other(long) },
      ]),
    ];
  },
};

function holds(verdict: boolean): void {
  if (!verdict) throw new Error("a good signature was refused");
}
