/**
 * Constant time, exactly: over a thousand secrets, branches taken, addresses touched and numbers divided must be the same,
 * instruction by instruction. The primitives are tried on random secrets; the governor on boards that differ in their device
 * secret alone, and so in every key, seed and nonce.
 *
 *     public-key, sign   Ed25519 with a secret seed
 *     hmac, hkdf         under a secret key, from a secret
 *     compare            a tag with one that is equal or differs in one bit, anywhere
 *     evidence           a governor signs it with its attestation key
 *     report             signed, and its record authenticated with the sealing key
 *
 * Boot is left out as a whole: it verifies signatures of public values, which takes what time it takes.
 */
import { Command } from "../firmware/protocol/commands.ts";
import { type CborValue, decode, encode } from "../host/protocol/cbor.ts";
import { GovernorImage } from "../sim-board/governor-module.ts";
import { Random } from "../sim-board/random.ts";
import { type Memory, wasm } from "../sim-board/wasm.ts";
import { bareGovernor, knobsOf } from "./bare-governor.ts";
import { AttackSucceeded, type Campaign, type Cases, runCases } from "./campaign.ts";
import { alike, lookForLeak, type Operation } from "./instrument/leak.ts";
import { readTrace, traced } from "./instrument/trace.ts";
import { primitivesBytes } from "./primitives.ts";
import { governorImage, phaseOf, Rig } from "./rig.ts";

/** That each operation is tried on, beside a first that they are compared with. */
const SECRETS = 1000;
const MESSAGE_BYTES = 64;
const OUT_BYTES = 96;

export const constantTime: Campaign = {
  name: "constant-time",
  about: `signing, key derivation, HMAC and comparing tags, each with ${SECRETS.toLocaleString("en-US")} secrets`,
  claim: "branches, addresses and divisions are the same for every secret",
  run: (options) => runCases("constant-time", casesOf(options.seed), options),
};

/** A module, and what it does with a secret of this seed. */
type Operated = { bytes: Uint8Array; operation: Operation<string> };

export function casesOf(seed: string, governor = governorImage().bytes, primitives = primitivesBytes()): Cases {
  const operations: Readonly<Record<string, Operated>> = {
    "public-key": onPrimitives(primitives, (module, at) => module.ed25519PublicKey!(at.secret, at.out)),
    sign: onPrimitives(primitives, (module, at) => module.ed25519Sign!(at.secret, at.message, MESSAGE_BYTES, at.out)),
    hmac: onPrimitives(primitives, (module, at) =>
      module.hmacSha256!(at.secret, 32, at.message, MESSAGE_BYTES, at.out),
    ),
    hkdf: onPrimitives(primitives, (module, at) =>
      module.hkdfSha256!(at.secret, 32, at.message, 32, at.message, MESSAGE_BYTES, at.out, OUT_BYTES),
    ),
    compare: onPrimitives(primitives, (module, at) => module.equalBytes!(at.secret, at.tag, 32)),
    evidence: onGovernor(governor, [Command.EVIDENCE, new Uint8Array(32).fill(7)]),
    report: onGovernor(governor, [Command.REPORT]),
  };
  const names = Object.keys(operations);
  const first = `${seed} first`;
  const looks = new Map(names.map((name) => [name, lookAt(operations[name]!, first)]));
  return {
    count: names.length * SECRETS,
    idOf: (index) => `${names[Math.floor(index / SECRETS)]}:${index % SECRETS}`,
    indexOf(id) {
      const [, name = "", number] = /^([a-z-]+):(\d{1,3})$/.exec(id) ?? [];
      return names.includes(name) ? names.indexOf(name) * SECRETS + Number(number) : undefined;
    },
    run(index) {
      const name = names[Math.floor(index / SECRETS)]!;
      const secret = `${seed} ${index % SECRETS}`;
      if (looks.get(name)!(secret)) return `${name}: the same`;
      const { bytes, operation } = operations[name]!;
      const { leak } = lookForLeak(bytes, [], [first, secret], operation);
      throw new AttackSucceeded(`${name} tells of its secret in ${leak!.where}, after ${leak!.before} events`);
    },
  };
}

/** Whether the operation looks the same with a secret as with the first. */
function lookAt({ bytes, operation }: Operated, first: string): (secret: string) => boolean {
  const whole = lazily(() => traced(bytes).bytes);
  const expected = lazily(() => readTrace(operation(whole(), first)));
  return (secret) => alike(readTrace(operation(whole(), secret)), expected());
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Where the operands lie. */
type Places = { secret: number; tag: number; message: number; out: number };
type Module = { memory: Memory; _initialize(): void } & Record<
  string,
  ((...values: number[]) => number) & { value: bigint }
>;

const compiledOf = remembered((bytes) => new wasm.Module(bytes));
const imageOf = remembered((bytes) => new GovernorImage(bytes));

function remembered<Value>(make: (bytes: Uint8Array) => Value): (bytes: Uint8Array) => Value {
  const known = new WeakMap<Uint8Array, { value: Value }>();
  return (bytes) => {
    const one = known.get(bytes) ?? { value: make(bytes) };
    known.set(bytes, one);
    return one.value;
  };
}

function onPrimitives(bytes: Uint8Array, act: (module: Module, at: Places) => void): Operated {
  return {
    bytes,
    operation(instrumented, seed) {
      const module = new wasm.Instance(compiledOf(instrumented)).exports as Module;
      module._initialize();
      const secret = module.io!();
      const at = { secret, tag: secret + 32, message: secret + 64, out: secret + 64 + MESSAGE_BYTES };
      const memory = Buffer.from(module.memory.buffer);
      const random = new Random(seed);
      const bytes = random.bytes(32);
      memory.set(bytes, at.secret);
      memory.set(bytes, at.tag);
      // Every second tag is another, in one bit.
      if (random.below(2) === 1) memory[at.tag + random.below(32)]! ^= 1 << random.below(8);
      act(module, at);
      return (name) => module[name]!.value;
    },
  };
}

function onGovernor(bytes: Uint8Array, request: CborValue): Operated {
  return {
    bytes,
    operation(instrumented, seed) {
      const rig = Rig.open({}, { seed, invariants: false });
      rig.board.run(phaseOf(70));
      const governor = bareGovernor(rig, knobsOf(rig), imageOf(instrumented));
      const [code] = decode(governor.doorbell(encode(request))) as [number];
      // Then nothing was seen of the secret.
      if (code !== 0) throw new Error(`the governor refuses with 0x${code.toString(16)}`);
      return (name) => governor.global64(name);
    },
  };
}
