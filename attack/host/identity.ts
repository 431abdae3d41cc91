/** Attacks on who a device is: two of one identity, a copied key, another image, an older one, a generator that is weak. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { Fuse, Handoff } from "../../firmware/protocol/board.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { decodeEvidence, type Evidence, signEvidence } from "../../host/objects/evidence.ts";
import { ed25519Signer, parseSign1, type Signer } from "../../host/protocol/cose.ts";
import { runBootRom } from "../../sim-board/boot-rom.ts";
import { GovernorImage } from "../../sim-board/governor-module.ts";
import type { Rig } from "../rig.ts";
import type { Attack } from "./attack.ts";
import type { Bench } from "./bench.ts";
import { distinct, gate, hold, nothingWorks, tensorWork } from "./proof.ts";
import { enrol, evidenceFor, nextLicenseIs, REQUEST, renew, upload, verifierOf, verifierSays } from "./verifier.ts";

const LICENSE = Command.LICENSE;

/** Two boards that are one device up to now: fuses, flash, counter and key are the same; chance is each one's own. */
function twins(bench: Bench): [Rig, Rig] {
  const [one, other] = [bench.ready(), bench.ready()] as const;
  const random = bench.random("the other's chance");
  other.board.trng.fill = (destination) => random.fill(destination);
  for (const rig of [one, other]) rig.restart();
  return [one, other];
}

/** The attestation key of a board, as somebody has it who has taken the device secret out of the chip. */
function stolenKey({ board }: Rig): Signer {
  board.cutPower();
  board.fuses.reset();
  const cdi = runBootRom(board.fuses, board.image.sha256).slice(Handoff.CDI, Handoff.MEASUREMENT);
  board.powerOn();
  return ed25519Signer(hkdf(sha256, cdi, undefined, new TextEncoder().encode("quiesce/attestation-key"), 32));
}

/** The image with a custom section (WebAssembly core specification, section 2.5): it does the same, and is another. */
function otherImage(bench: Bench): GovernorImage {
  return new GovernorImage(Uint8Array.of(...bench.image.bytes, 0, 2, 1, 0x78));
}

export const IDENTITY: readonly Attack[] = [
  {
    name: "device-forked",
    who: "operator with two boards",
    hope: "two boards on one license: flash, fuses and counter of one are copied to the other",
    defense: "each boot has a seed: one boot count with two of them is two devices, and no more licenses",
    says: ["OK", "evidence/boot-forked"],
    run(bench) {
      const [one, other] = twins(bench);
      const verifier = verifierOf(one);
      const first = nextLicenseIs(one, verifier);
      const evidence = evidenceFor(other, verifier);
      return [first, verifierSays(() => verifier.issueLicense(evidence, REQUEST))];
    },
  },
  {
    name: "device-forked-reports",
    who: "operator with two boards",
    hope: "to report the work of one board and have two work",
    defense: "reports are a chain: a second one of the same sequence contradicts the first",
    says: ["report/forked"],
    run(bench) {
      const [one, other] = twins(bench);
      const verifier = verifierOf(one);
      renew(one, verifier);
      tensorWork(one, 10);
      upload(one, verifier);
      other.board.advance(10);
      return [verifierSays(() => upload(other, verifier))];
    },
  },
  {
    name: "device-rolled-back",
    who: "operator with two boards",
    hope: "to go on with a copy of the device from before",
    defense: "boot counts only rise",
    says: ["evidence/boot-regressed"],
    run(bench) {
      const [one, other] = twins(bench);
      const verifier = verifierOf(one);
      one.restart();
      renew(one, verifier);
      const evidence = evidenceFor(other, verifier);
      return [verifierSays(() => verifier.issueLicense(evidence, REQUEST))];
    },
  },
  {
    name: "key-cloned",
    who: "holder of a device's key",
    hope: "to license a machine of one's own as if it were the device",
    defense: "the device's own life goes on: the two contradict each other, in boot seed and totals",
    says: ["evidence/boot-forked", "evidence/totals-regressed"],
    run(bench) {
      const rig = bench.ready();
      const key = stolenKey(rig);
      rig.must(rig.syncTime());
      const verifier = verifierOf(rig);
      renew(rig, verifier);
      tensorWork(rig, 10);
      upload(rig, verifier);
      renew(rig, verifier);
      const forged = (change: Partial<Evidence>) => {
        const { payload } = parseSign1(evidenceFor(rig, verifier));
        return signEvidence({ ...decodeEvidence(payload), ...change }, key);
      };
      const claims = decodeEvidence(parseSign1(evidenceFor(rig, verifier)).payload);
      const younger = { bootCount: claims.bootCount + 1, totals: claims.totals.map(() => 0n) };
      return [
        verifierSays(() => verifier.appraise(forged({ bootSeed: new Uint8Array(32) }))),
        verifierSays(() => verifier.appraise(forged(younger))),
      ];
    },
  },
  {
    name: "another-governor",
    who: "maker of another governor",
    hope: "a governor with the gate left out, on the license and the name of the right one",
    defense: "the image is measured into key and seal: it has no journal, and no certificate that a verifier takes",
    says: ["JOURNAL_ROLLBACK", "GATE_LOCKED", "certificate/measurement"],
    run(bench) {
      const rig = bench.open();
      const verifier = verifierOf(rig);
      const license = rig.license();
      rig.board.cutPower();
      rig.board.setImage(otherImage(bench));
      const boot = rig.powerCycle();
      nothingWorks(rig);
      return [boot, rig.verdict(LICENSE, license), verifierSays(() => enrol(rig, verifier))];
    },
  },
  {
    name: "governor-of-a-lower-version",
    who: "operator",
    hope: "to put a signed image with a known hole back: lower than the fuses' floor",
    defense:
      "the floor is in fuses; agreement and verifier ask for the least version too. (There is no update in the firmware yet: an older image in the board is the nearest to it)",
    says: ["BOOT_SVN", "evidence/svn"],
    run(bench) {
      const rig = bench.open();
      const verifier = verifierOf(rig, { svnLeast: 2 });
      const judged = verifierSays(() => renew(rig, verifier));
      rig.board.fuses.burn(Fuse.SVN_FLOOR, 0b11);
      const boot = rig.powerCycle();
      nothingWorks(rig);
      return [boot, judged];
    },
  },
  {
    name: "generator-stuck-at-boot",
    who: "operator",
    hope: "challenges that are known beforehand: the random number generator is made to stick",
    defense: "the health test fails the boot, and no challenge is issued",
    says: ["BOOT_TRNG", "GATE_LOCKED", "LOCKED"],
    run(bench) {
      const rig = bench.open();
      rig.board.trng.stuckAt = 0x5a;
      const boot = rig.powerCycle();
      nothingWorks(rig);
      hold(
        rig.info().challenge.every((byte) => byte === 0),
        "a challenge was issued",
      );
      return [boot, rig.verdict(Command.TIME_CHALLENGE), gate(rig)];
    },
  },
  {
    name: "generator-stuck-later",
    who: "operator",
    hope: "the same, once the boot is over",
    defense: "each draw is tested: no nonce, no evidence and no further license",
    says: ["BOOT_TRNG", "BOOT_TRNG", "LICENSE_NONCE"],
    run(bench) {
      const rig = bench.ready();
      rig.board.trng.stuckAt = 0;
      const time = rig.verdict(Command.TIME_CHALLENGE);
      rig.must(rig.send(LICENSE, rig.license()));
      return [time, rig.verdict(Command.EVIDENCE, new Uint8Array(32)), rig.verdict(LICENSE, rig.license())];
    },
  },
  {
    name: "generator-that-repeats-itself",
    who: "operator",
    hope: "the nonces of before, and with them hoarded proofs: the generator gives the same at each power-up",
    defense: "counter and ticks go into each nonce under the sealing key: none comes twice",
    says: ["TIME_NONCE"],
    run(bench) {
      const rig = bench.ready();
      const proofs: Uint8Array[] = [];
      const nonces = new Set<string>();
      const said: string[] = [];
      for (let boot = 0; boot < 50; boot++) {
        rig.board.cutPower();
        rig.board.trng.restore({ random: [1, 2, 3, 4], stuckAt: undefined });
        rig.must(rig.board.powerOn());
        nonces.add(Buffer.from(rig.info().challenge).toString("hex"));
        const nonce = rig.ask(Command.TIME_CHALLENGE)[1] as Uint8Array;
        nonces.add(Buffer.from(nonce).toString("hex"));
        for (const proof of proofs.slice(-3)) said.push(rig.verdict(Command.TIME_PROOF, proof));
        proofs.push(rig.timeProof({ nonce }));
      }
      hold(nonces.size === 100, `${100 - nonces.size} of 100 nonces came twice`);
      return distinct(said);
    },
  },
];
