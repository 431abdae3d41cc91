import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { EngineClass } from "../../../firmware/protocol/classes.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { Limit } from "../../../firmware/protocol/limits.ts";
import { type Agreement, signAgreement, verifyAgreement } from "../../../host/objects/agreement.ts";
import type { License } from "../../../host/objects/license.ts";
import type { Order } from "../../../host/objects/order.ts";
import { type CborValue, decode, encode, Tagged } from "../../../host/protocol/cbor.ts";
import { keyId, type Signer } from "../../../host/protocol/cose.ts";
import { flipEveryBit } from "../../../sim-board/invariants/flips.ts";
import { Random } from "../../../sim-board/random.ts";
import { anyAgreement } from "../../host/objects/arbitrary.ts";
import { agreementOf, CLOCK, PARTIES, Rig, signerOf } from "../../rig.ts";

const BF16 = EngineClass.TENSOR_BF16;
const COPY = EngineClass.COPY;
const LINK = EngineClass.LINK_TX;
const SECTORS = 64;

/** A board, what it is asked, and an object that it would take. */
type Offer = { rig: Rig; command: Command; object: Uint8Array };

const offers: Record<string, () => Offer> = {
  "a first agreement": () => {
    const rig = new Rig();
    rig.board.powerOn();
    return { rig, command: Command.AGREEMENT, object: signAgreement(rig.agreement, PARTIES) };
  },
  "an amendment": () => {
    const object = signAgreement(agreementOf({ version: 2 }), PARTIES.slice(0, 2));
    return { rig: Rig.ready(), command: Command.AGREEMENT, object };
  },
  "a license": () => {
    const rig = Rig.ready();
    return { rig, command: Command.LICENSE, object: rig.license({ rate: new Map([[BF16, 10n ** 9n]]) }) };
  },
  "an offline license": () => {
    const rig = Rig.open();
    const cohort = [new Uint8Array(33), rig.ueid];
    return { rig, command: Command.LICENSE, object: rig.license({ nonce: undefined, ueid: undefined, cohort }) };
  },
  "a pause order": () => {
    const rig = Rig.open();
    return {
      rig,
      command: Command.ORDER,
      object: rig.order(OrderAction.PAUSE, { drainTicks: 500n, scope: [rig.ueid] }),
    };
  },
  "a slow order": () => {
    const rig = Rig.open();
    return { rig, command: Command.ORDER, object: rig.order(OrderAction.SLOW, { permille: 300 }) };
  },
  "a resume order": () => {
    const rig = Rig.open();
    rig.obey(OrderAction.PAUSE);
    return { rig, command: Command.ORDER, object: rig.order(OrderAction.RESUME) };
  },
  "a beacon": () => {
    const rig = Rig.open();
    rig.board.advance(100);
    return { rig, command: Command.BEACON, object: rig.beacon() };
  },
  "a time proof": () => {
    const rig = Rig.ready();
    rig.powerCycle();
    return { rig, command: Command.TIME_PROOF, object: rig.timeProof() };
  },
  "a recovery": () => {
    const rig = Rig.open();
    rig.board.cutPower();
    for (let sector = 4; sector < SECTORS; sector++) rig.board.flash.erase(sector);
    rig.board.powerOn();
    return { rig, command: Command.RECOVER, object: rig.recovery() };
  },
};
const names = Object.keys(offers);

describe("one flipped bit", () => {
  it.each(names)("anywhere in %s has it refused, and leaves the device as it was", (name) => {
    const { rig, command, object } = offers[name]!();
    const random = new Random(`flips of ${name}`);
    const bits = object.length * 8;
    // All of the small ones; of the others as many as there is time for.
    const some = bits <= 1500 ? undefined : Array.from({ length: 1500 }, () => random.below(bits));
    expect(flipEveryBit(rig.board, command, object, some)).toBeGreaterThanOrEqual(1000);
    // The object itself was good.
    expect(rig.verdict(command, object)).toBe("OK");
  });
});

describe("an object that is not whole", () => {
  it.each(names)("%s cut off anywhere, or with a byte too many, is refused as CBOR", (name) => {
    const { rig, command, object } = offers[name]!();
    const before = rig.board.snapshot();
    for (let length = 0; length < object.length; length += length < 8 || length > object.length - 8 ? 1 : 5) {
      rig.board.restore(before);
      expect(rig.verdict(command, object.subarray(0, length))).toBe("CBOR_TRUNCATED");
    }
    rig.board.restore(before);
    expect(rig.verdict(command, Uint8Array.of(...object, 0))).toBe("CBOR_TRAILING");
    expect(rig.verdict(command, Uint8Array.of(...object, ...object))).not.toBe("OK");
  });

  it.each(names)("%s at the longest that the mailbox holds is refused unread beyond its end", (name) => {
    const { rig, command, object } = offers[name]!();
    const long = new Uint8Array(Limit.MESSAGE_BYTES_MAX - 8);
    long.set(object);
    expect(rig.verdict(command, long)).toBe("CBOR_TRAILING");
  });
});

/** Whose signatures are in a COSE_Sign, and in which order, as this function leaves them. */
function regroup(object: Uint8Array, change: (signatures: CborValue[]) => CborValue[]): Uint8Array {
  const { tag, value } = decode(object) as Tagged;
  const parts = [...(value as CborValue[])];
  parts[3] = change([...(parts[3] as CborValue[])]);
  return encode(new Tagged(tag, parts));
}

describe("signatures that are not as they should be", () => {
  const quorate = names.filter((name) => !/beacon|proof|pause|slow/.test(name));
  it.each(quorate)("%s: doubled, left out, borrowed or mixed up are refused", (name) => {
    const { rig, command, object } = offers[name]!();
    const before = rig.board.snapshot();
    const expectVerdict = (bad: Uint8Array, verdict: string) => {
      rig.board.restore(before);
      expect(rig.verdict(command, bad)).toBe(verdict);
    };
    expectVerdict(
      regroup(object, (s) => [...s.slice(0, -1), s[0]!]),
      "COSE_SIGNER_TWICE",
    );
    expectVerdict(
      regroup(object, (s) => [...s, s[0]!]),
      "COSE_SIGNATURES_SURPLUS",
    );
    expectVerdict(
      regroup(object, (s) => s.slice(1)),
      "COSE_QUORUM",
    );
    expectVerdict(
      regroup(object, () => []),
      "COSE_FORM",
    );
    // Each under the other's name.
    expectVerdict(
      regroup(object, (s) => {
        const [first, second, ...others] = s as CborValue[][];
        return [[first![0]!, second![1]!, first![2]!], [second![0]!, first![1]!, second![2]!], ...others];
      }),
      "COSE_SIGNATURE",
    );
  });

  it.each(quorate)("%s: their order says nothing", (name) => {
    const { rig, command, object } = offers[name]!();
    expect(
      rig.verdict(
        command,
        regroup(object, (s) => s.reverse()),
      ),
    ).toBe("OK");
  });

  it.each(names)("%s without its tag, or under another, is refused", (name) => {
    const { rig, command, object } = offers[name]!();
    const before = rig.board.snapshot();
    const { value } = decode(object) as Tagged;
    for (const bad of [encode(value), ...[17, 18, 61, 96, 97, 98].map((tag) => encode(new Tagged(tag, value)))]) {
      if (Buffer.compare(bad, object) === 0) continue;
      rig.board.restore(before);
      expect(["COSE_TAG", "COSE_FORM"]).toContain(rig.verdict(command, bad));
    }
  });
});

describe("one kind of object in place of another", () => {
  /** What each command takes, by the names above. */
  const homes = new Map(names.map((name) => [name, offers[name]!().command]));
  const commands = [
    Command.AGREEMENT,
    Command.LICENSE,
    Command.ORDER,
    Command.BEACON,
    Command.TIME_PROOF,
    Command.RECOVER,
  ];

  it.each(names)("%s is taken for nothing else", (name) => {
    const { rig, object } = offers[name]!();
    const before = rig.board.snapshot();
    for (const command of commands.filter((other) => other !== homes.get(name))) {
      rig.board.restore(before);
      const gate = rig.board.gateState;
      expect(rig.verdict(command, object)).not.toBe("OK");
      expect(rig.board.gateState).toBe(gate);
    }
  });

  it("what the governor signs itself is taken for nothing", () => {
    const rig = Rig.open();
    const signed = [
      rig.report().bytes,
      rig.ask(Command.EVIDENCE, new Uint8Array(8))[1] as Uint8Array,
      rig.ask(Command.IDENTITY)[1] as Uint8Array,
    ];
    const before = rig.board.snapshot();
    for (const object of signed) {
      rig.board.restore(before);
      expect(rig.verdict(Command.LICENSE, object)).toBe("COSE_TAG");
      expect(rig.verdict(Command.ORDER, object)).toBe("COSE_TAG");
      expect(rig.verdict(Command.BEACON, object)).toBe("COSE_KID");
      expect(rig.verdict(Command.TIME_PROOF, object)).toBe("COSE_KID");
      expect(rig.verdict(Command.AGREEMENT, object)).toBe("COSE_TAG");
    }
  });

  it("the same payload signed as another type is refused by its signature", () => {
    const rig = Rig.open();
    const license = decode(rig.license()) as Tagged;
    const order = decode(rig.order(OrderAction.RESUME)) as Tagged;
    const mixed = [...(order.value as CborValue[])];
    mixed[3] = (license.value as CborValue[])[3]!;
    expect(rig.verdict(Command.ORDER, encode(new Tagged(98, mixed)))).toBe("COSE_SIGNATURE");
  });
});

describe("any valid object", () => {
  const capped = [BF16, COPY, LINK];
  const some = <T>(value: fc.Arbitrary<T>) =>
    fc.tuple(...capped.map(() => fc.option(value, { nil: undefined }))).map((values) => {
      return new Map(capped.flatMap((c, i) => (values[i] === undefined ? [] : [[c, values[i]!] as const])));
    });
  const pair = fc.constantFrom([0, 1], [0, 2], [1, 2], [2, 0]).map((indexes) => indexes.map((i) => PARTIES[i]!));

  it("license: what the host signs, the governor takes", () => {
    const rig = Rig.ready();
    const before = rig.board.snapshot();
    const license = fc.record({
      change: fc.record<Partial<License>>({
        notBeforeSeconds: fc.integer({ min: 0, max: rig.nowSeconds - 1 }),
        expirySeconds: fc.integer({ min: rig.nowSeconds + 10, max: 2 ** 40 }),
        sequence: fc.bigInt({ min: 1n, max: 1024n }),
        budget: some(fc.bigInt({ min: 0n, max: 10n ** 18n })),
        rate: fc.option(some(fc.bigInt({ min: 1n, max: 10n ** 9n })), { nil: undefined }),
        ticksMax: fc.bigInt({ min: 1n, max: 86_400_000n }),
        drain: fc.option(
          fc.record({ copy: fc.bigInt({ min: 0n, max: 10n ** 12n }) }).map(({ copy }) => new Map([[COPY, copy]])),
          { nil: undefined },
        ),
        svnLeast: fc.nat({ max: 1 }),
      }),
      cohort: fc.option(fc.array(fc.uint8Array({ minLength: 33, maxLength: 33 }), { maxLength: 31 }), {
        nil: undefined,
      }),
      signers: pair,
    });
    fc.assert(
      fc.property(license, ({ change, cohort, signers }) => {
        rig.board.restore(before);
        const addressee = cohort ? { nonce: undefined, ueid: undefined, cohort: [...cohort, rig.ueid] } : {};
        const bytes = rig.license({ ...change, ...addressee }, signers);
        expect(rig.verdict(Command.LICENSE, bytes)).toBe("OK");
        const info = rig.info();
        expect(info.licenseSequence).toBe(change.sequence);
        for (const c of capped) expect(info.budgetLeft[c]).toBe(change.budget!.get(c) ?? 0n);
      }),
      { numRuns: 300 },
    );
  });

  it("order: what the host signs, the governor takes", () => {
    const rig = Rig.open();
    const before = rig.board.snapshot();
    const change = fc.record<Partial<Order>>({
      notBeforeSeconds: fc.integer({ min: 0, max: rig.nowSeconds - 1 }),
      epoch: fc.integer({ min: 1, max: 1024 }),
      scope: fc.option(fc.array(fc.uint8Array({ minLength: 33, maxLength: 33 }), { minLength: 1, maxLength: 32 }), {
        nil: undefined,
      }),
    });
    const drain = fc.record<Partial<Order>>({
      drain: fc.option(some(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { nil: undefined }),
      drainTicks: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
    });
    const action = fc.oneof(
      drain.map((allowance) => ({ action: OrderAction.PAUSE, ...allowance })),
      fc.constant({ action: OrderAction.RESUME }),
      fc.integer({ min: 1, max: 999 }).map((permille) => ({ action: OrderAction.SLOW, permille })),
    );
    fc.assert(
      fc.property(action, change, ({ action, ...own }, rest) => {
        rig.board.restore(before);
        expect(rig.verdict(Command.ORDER, rig.order(action, { ...rest, ...own }))).toBe("OK");
        expect(rig.info().epoch).toBe(rest.epoch);
      }),
      { numRuns: 300 },
    );
  });

  it("agreement: what the host signs, the governor takes, under the same digest", () => {
    const keys = Array.from({ length: 12 }, (_, i) => signerOf(`any ${i}`));
    fc.assert(
      fc.property(anyAgreement, (any) => {
        // The keys of the arbitrary have no secrets; these do.
        const parties = any.parties.map((party, i) => ({
          ...party,
          publicKey: keys[i]!.publicKey,
          kid: keyId(keys[i]!.publicKey),
        }));
        const timeAuthorities = any.timeAuthorities.map((clock, i) => ({
          ...clock,
          publicKey: keys[8 + i]!.publicKey,
          kid: keyId(keys[8 + i]!.publicKey),
        }));
        const withKey = <T>(member: T, { kid, publicKey }: Signer): T => ({ ...member, kid, publicKey });
        const log = any.log && {
          ...any.log,
          log: withKey(any.log.log, signerOf("any log")),
          witnesses: any.log.witnesses.map((witness, i) => withKey(witness, signerOf(`any witness ${i}`))),
        };
        // A first version too may not jump.
        const version = 1 + (any.version % Limit.VERSION_STEP_MAX);
        const agreement: Agreement = { ...any, version, parties, timeAuthorities, log };
        const bytes = signAgreement(agreement, keys.slice(0, parties.length));
        const rig = new Rig();
        rig.board.powerOn();
        expect(rig.verdict(Command.AGREEMENT, bytes)).toBe("OK");
        expect(rig.info().agreementDigest).toEqual(verifyAgreement(bytes).digest);
        expect(rig.info().agreementVersion).toBe(agreement.version);
        expect(rig.powerCycle()).toBe("OK");
      }),
      { numRuns: 40 },
    );
  });

  it("time: what the host signs, the governor takes", () => {
    const rig = Rig.ready();
    const before = rig.board.snapshot();
    const change = fc.record({
      issuedAtSeconds: fc.integer({ min: rig.nowSeconds - 290, max: 2 ** 40 }),
      epoch: fc.integer({ min: 0, max: 1024 }),
      orderDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    });
    fc.assert(
      fc.property(change, (change) => {
        rig.board.restore(before);
        expect(rig.verdict(Command.BEACON, rig.beacon(change, [CLOCK]))).toBe("OK");
        expect(rig.info().timeBounds!.lowerMs).toBeGreaterThanOrEqual(change.issuedAtSeconds * 1000);
      }),
      { numRuns: 200 },
    );
  });
});
