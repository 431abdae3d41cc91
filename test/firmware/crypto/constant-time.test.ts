/**
 * What touches a secret takes the same branches and the same addresses, and divides the same numbers, whatever the
 * secret is: seen on the optimised modules that ship, instruction by instruction.
 */
import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import { beforeAll, describe, expect, it } from "vitest";
import { lookForLeak, type Verdict } from "../../../attack/instrument/leak.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { decode, encode } from "../../../host/protocol/cbor.ts";
import { GovernorImage } from "../../../sim-board/governor-module.ts";
import { Random } from "../../../sim-board/random.ts";
import { bareGovernor, knobsOf } from "../../bench/bare-governor.ts";
import { type Compiled, compile, functionNames } from "../../compile.ts";
import { loadPrimitives, type Primitives, primitivesBytes } from "../../primitives.ts";
import { governorImage, phaseOf, Rig } from "../../rig.ts";
import { instantiate } from "../../wasm.ts";
import { hex } from "./bytes.ts";

const RANDOM_SECRETS = 100;
const BOARDS = 100;
/** Of this run: `test/seed.ts`. */
const SEED = String(process.env.QUIESCE_SEED);

const namesIn = (path: string) =>
  functionNames(readFileSync(new URL(`../../../build/${path}`, import.meta.url), "utf8"));

/** Secrets of 32 bytes: those of this run's seed, and those that arithmetic may treat as special. */
function secretsOf32(): Uint8Array[] {
  const bytes = (fill: number, change: Record<number, number> = {}) => {
    const filled = new Uint8Array(32).fill(fill);
    for (const [at, byte] of Object.entries(change)) filled[Number(at)] = byte;
    return filled;
  };
  const random = new Random(SEED);
  const orderOfBase = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  return [
    bytes(0),
    bytes(0xff),
    bytes(0, { 0: 1 }),
    bytes(0, { 31: 0x80 }),
    bytes(0, { 31: 0x40 }),
    bytes(0xff, { 31: 0x7f }),
    bytes(0xff, { 0: 0xed, 31: 0x7f }), // 2^255 - 19
    orderOfBase,
    Uint8Array.from(orderOfBase, (byte, i) => (i === 0 ? byte - 1 : byte)),
    bytes(0x55),
    bytes(0xaa),
    ...Array.from({ length: RANDOM_SECRETS }, () => random.bytes(32)),
  ];
}

function expectNoLeak({ leak, events }: Verdict, eventsLeast: number): void {
  expect(leak && `${leak.where}, after ${leak.before} events that were alike`).toBeUndefined();
  // It did look at the operation.
  expect(Number(events)).toBeGreaterThan(eventsLeast);
}

describe("the primitives that ship", () => {
  const message = new Uint8Array(64).fill(0x3c);
  const long = (secret: Uint8Array) => Buffer.concat([secret, secret, secret, secret, secret]);

  it.each<[string, number, (firmware: Primitives, secret: Uint8Array) => unknown]>([
    ["derive a public key", 10_000, (firmware, secret) => firmware.ed25519PublicKey(secret)],
    ["sign", 20_000, (firmware, secret) => firmware.ed25519Sign(secret, message)],
    [
      "sign by a key pair",
      10_000,
      (firmware, secret) => firmware.ed25519SignKeyPair(secret, ed25519.getPublicKey(secret), message),
    ],
    ["sign nothing", 20_000, (firmware, secret) => firmware.ed25519Sign(secret, new Uint8Array(0))],
    ["make an HMAC", 500, (firmware, secret) => firmware.hmacSha256(secret, message)],
    ["make an HMAC under a long key", 500, (firmware, secret) => firmware.hmacSha256(long(secret), message)],
    ["make an HMAC of a secret", 500, (firmware, secret) => firmware.hmacSha256(message, long(secret))],
    ["derive keys", 1_000, (firmware, secret) => firmware.hkdfSha256(secret, message, message, 96)],
    ["derive keys with a secret salt", 1_000, (firmware, secret) => firmware.hkdfSha256(message, secret, message, 32)],
    ["hash with SHA-256", 100, (firmware, secret) => firmware.sha256(long(secret))],
    ["hash with SHA-512", 100, (firmware, secret) => firmware.sha512(long(secret))],
  ])("%s the same way for every secret", (_name, eventsLeast, act) => {
    const verdict = lookForLeak(primitivesBytes(), namesIn("primitives.wat"), secretsOf32(), (bytes, secret) => {
      const firmware = loadPrimitives(bytes);
      act(firmware, secret);
      return firmware.global64;
    });
    expectNoLeak(verdict, eventsLeast);
  });

  it("leak by what is longer, which is no secret: so much the trace does tell", () => {
    const lengths = [31, 32].map((length) => new Uint8Array(length));
    const { leak } = lookForLeak(primitivesBytes(), namesIn("primitives.wat"), lengths, (bytes, secret) => {
      const firmware = loadPrimitives(bytes);
      firmware.sha256(secret);
      return firmware.global64;
    });
    expect(leak?.where).toContain("firmware/crypto/sha256/");
  });
});

type InMemory = {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  io(): number;
} & Record<string, ((...values: number[]) => number) & { value: bigint }>;

type Act = (module: InMemory, at: number) => unknown;

/** Acts on a secret at the begin of a buffer, with its bytes the other way round behind it, in a module compiled here. */
function lookInto({ bytes, text }: Compiled, act: Act): Verdict {
  return lookForLeak(bytes, functionNames(text), secretsOf32(), (instrumented, secret) => {
    const module = instantiate<InMemory>(instrumented);
    module._initialize();
    const at = module.io();
    new Uint8Array(module.memory.buffer).set(secret, at);
    new Uint8Array(module.memory.buffer).set(secret.toReversed(), at + 32);
    act(module, at);
    return (global) => module[global]!.value;
  });
}

describe("the arithmetic under signatures and tags", () => {
  let probe: Compiled;
  beforeAll(async () => {
    probe = await compile("test/firmware/crypto/probe.as.ts");
  });

  // Seeds are hashed, so that no seed leads to these scalars.
  it("multiplies and adds any scalars the same way", () => {
    const sum: Act = (module, at) => module.scalarMultiplyAdd!(at, at, at + 32, at + 32);
    expectNoLeak(lookInto(probe, sum), 200);
  });

  it("reduces any number the same way", () => {
    const remainder: Act = (module, at) => module.scalarReduce!(at, at);
    expectNoLeak(lookInto(probe, remainder), 100);
  });

  it("compares tags the same way, equal or not", () => {
    const comparison: Act = (module, at) => module.equalBytes!(at, at + 32, 32);
    expectNoLeak(lookInto(probe, comparison), 64);
  });
});

describe("a build that leaks", () => {
  let leaky: Compiled;
  beforeAll(async () => {
    leaky = await compile("test/firmware/crypto/leaky.as.ts");
  });

  it.each(["byTable", "byEarlyExit", "byDivision", "byLastBit"])("is found, and where: %s", (name) => {
    const { leak } = lookInto(leaky, (module, at) => module[name]!(at, at + 64));
    expect(leak?.where).toContain(`leaky.as/${name},`);
  });

  it("is not confused with one that masks", () => {
    expectNoLeak(
      lookInto(leaky, (module, at) => module.byMask!(at, at + 64)),
      16,
    );
  });
});

describe("the governor that ships", () => {
  const boards = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const rig = Rig.open({}, { seed: `${SEED} ${i}`, invariants: false });
      rig.board.run(phaseOf(70));
      return rig;
    });

  /** A request to boards that differ in their device secret alone: all that is public and has a length has the same. */
  function lookAt(rigs: readonly Rig[], request: Uint8Array): Verdict {
    const images = new Map<Uint8Array, GovernorImage>();
    return lookForLeak(governorImage().bytes, namesIn("governor.wat"), rigs, (bytes, rig) => {
      const image = images.get(bytes) ?? new GovernorImage(bytes);
      images.set(bytes, image);
      const before = rig.board.snapshot();
      const governor = bareGovernor(rig, knobsOf(rig), image);
      expect((decode(governor.doorbell(request)) as unknown[])[0]).toBe(0);
      rig.board.restore(before);
      return (name) => governor.global64(name);
    });
  }

  it("signs evidence and usage reports the same way on every board", () => {
    const rigs = boards(BOARDS);
    const signed = new Set(rigs.map((rig) => Buffer.from(rig.attestationKey().publicKey).toString("hex")));
    expect(signed.size).toBe(BOARDS);
    expect(new Set(rigs.map((rig) => rig.done(EngineClass.TENSOR_BF16))).size).toBe(1);
    expectNoLeak(lookAt(rigs, encode([Command.EVIDENCE, new Uint8Array(32).fill(7)])), 50_000);
    expectNoLeak(lookAt(rigs, encode([Command.REPORT])), 50_000);
  });

  it("is seen to differ where a board has something else to say, which is no secret", () => {
    const [one, other] = boards(2) as [Rig, Rig];
    other.board.advance(300);
    const { leak } = lookAt([one, other], encode([Command.EVIDENCE, new Uint8Array(32).fill(7)]));
    expect(leak?.where).toMatch(/^firmware\//);
  });
});
