/** Attacks on the governor's time: hoarded beacons, old proofs, a host that lies, an oscillator in the operator's hands. */
import { Command } from "../../firmware/protocol/commands.ts";
import { CLOCK, PARTIES, type Rig, STRANGER } from "../rig.ts";
import type { Attack } from "./attack.ts";
import type { Bench } from "./bench.ts";
import { gate, hold, nothingWorks, tensorWork } from "./proof.ts";
import { nextLicenseIs, renew, verifierOf } from "./verifier.ts";

const BEACON = Command.BEACON;
const TIME_PROOF = Command.TIME_PROOF;
const LICENSE = Command.LICENSE;
const PER_SECOND = 10n ** 14n;
const LEASE_SECONDS = 300;
/** Of the agreement: the most work that a tick lets through. */
const PER_TICK = 10n ** 12n;
const SLICE_TICKS = 60_000n;

/** Works for so many seconds with the clock at this speed; what a verifier says of it afterwards. */
function atSpeed(
  bench: Bench,
  permille: number,
  seconds: number,
): { rig: Rig; done: bigint; ticks: bigint; says: string } {
  const rig = bench.ready();
  const verifier = verifierOf(rig);
  renew(rig, verifier);
  rig.board.setClockSpeed(permille);
  const before = rig.board.ticks;
  const done = tensorWork(rig, seconds);
  const ticks = rig.board.ticks - before;
  hold(done <= ticks * PER_TICK + SLICE_TICKS * PER_TICK, `${done} operations in ${ticks} ticks`);
  return { rig, done, ticks, says: nextLicenseIs(rig, verifier) };
}

export const TIME: readonly Attack[] = [
  {
    name: "beacons-hoarded",
    who: "operator",
    hope: "to keep the lease alive with beacons of before",
    defense: "a beacon is worth one lease from when it was issued, by the lower bound of the time",
    says: ["TIME_STALE", "IDLE"],
    run(bench) {
      const rig = bench.open();
      const hoard = Array.from({ length: 10 }, (_, i) => {
        rig.board.advance(i === 0 ? 0 : 10);
        return rig.beacon();
      });
      let done = 0n;
      const said = new Set<string>();
      for (const beacon of hoard) {
        done += tensorWork(rig, LEASE_SECONDS + 10);
        said.add(rig.verdict(BEACON, beacon));
      }
      hold(done <= BigInt(LEASE_SECONDS) * PER_SECOND, `${done} operations on hoarded beacons`);
      nothingWorks(rig);
      return [...said, gate(rig)];
    },
  },
  {
    name: "time-proof-replayed",
    who: "operator",
    hope: "to set the clock back by a proof of before",
    defense: "a proof answers a nonce that is good once",
    says: ["TIME_NONCE", "TIME_NONCE"],
    run(bench) {
      const rig = bench.ready();
      const proof = rig.timeProof();
      rig.must(rig.send(TIME_PROOF, proof));
      const again = rig.verdict(TIME_PROOF, proof);
      rig.powerCycle();
      rig.ask(Command.TIME_CHALLENGE);
      return [again, rig.verdict(TIME_PROOF, proof)];
    },
  },
  {
    name: "time-proof-held-back",
    who: "operator",
    hope: "that the governor takes an old time for the present one: the proof is kept for three hours",
    defense: "the ticks between challenge and proof count as uncertainty: what may have expired has",
    says: ["OK", "LICENSE_EXPIRED"],
    run(bench) {
      const rig = bench.ready();
      rig.powerCycle();
      const proof = rig.timeProof();
      const license = rig.license({ expirySeconds: rig.nowSeconds + 7200 });
      rig.board.advance(3 * 3600);
      const verdict = rig.verdict(TIME_PROOF, proof);
      const { timeBounds } = rig.info();
      const now = Number(rig.board.agreementMs);
      hold(timeBounds !== null && timeBounds.upperMs >= now, "the true time is over the upper bound");
      nothingWorks(rig);
      return [verdict, rig.verdict(LICENSE, license)];
    },
  },
  {
    name: "clock-never-set",
    who: "operator",
    hope: "that a governor which does not know the time does not miss it",
    defense: "without a time proof of this boot nothing opens",
    says: ["LICENSE_TIME_UNKNOWN", "TIME_UNKNOWN", "IDLE"],
    run(bench) {
      const rig = bench.open();
      const beacon = rig.beacon();
      rig.powerCycle();
      nothingWorks(rig);
      return [rig.verdict(LICENSE, rig.license()), rig.verdict(BEACON, beacon), gate(rig)];
    },
  },
  {
    name: "time-set-back-by-an-authority",
    who: "time authority",
    hope: "to bring an expired license back by telling an earlier time",
    defense: "within a boot the lower bound only rises, whoever signs",
    says: ["TIME_STALE", "LICENSE_EXPIRED"],
    run(bench) {
      const rig = bench.ready();
      const license = rig.license({ expirySeconds: rig.nowSeconds + 600 });
      rig.board.advance(900);
      const proof = rig.timeProof({ issuedAtSeconds: rig.nowSeconds - 800 });
      return [rig.verdict(TIME_PROOF, proof), rig.verdict(LICENSE, license)];
    },
  },
  {
    name: "time-by-one-authority-of-two",
    who: "time authority",
    hope: "to tell the time alone where the agreement asks for two",
    defense: "the quorum of time authorities signs, or nothing is heard",
    says: ["COSE_TAG", "COSE_QUORUM"],
    run(bench) {
      const authorities = [CLOCK, PARTIES[0]!].map(({ kid, publicKey }, i) => ({ kid, publicKey, name: `clock ${i}` }));
      const rig = bench.made({ timeAuthorities: authorities, timeQuorum: 2 });
      rig.board.powerOn();
      rig.must(rig.provision());
      const proofs = [rig.timeProof({}, [CLOCK]), rig.timeProof({}, [CLOCK, STRANGER])];
      return proofs.map((proof) => rig.verdict(TIME_PROOF, proof));
    },
  },
  {
    name: "oscillator-stopped",
    who: "operator",
    hope: "that a license and a lease without ticks last for ever",
    defense: "credit comes by ticks too: without them nothing is refilled, and the accelerator stops dead",
    says: ["evidence/time-off"],
    run(bench) {
      const { done, says } = atSpeed(bench, 0, 36_000);
      hold(done <= SLICE_TICKS * PER_TICK, `${done} operations without a tick: one slice at most`);
      return [says];
    },
  },
  {
    name: "oscillator-slowed",
    who: "operator",
    hope: "a lease and a license that last ten times as long",
    defense: "rates are by the tick: work goes as slowly as the clock, and the verifier sees that it is off",
    says: ["evidence/time-off"],
    run: (bench) => [atSpeed(bench, 100, 2000).says],
  },
  {
    name: "oscillator-sped-up",
    who: "operator",
    hope: "ten times the rate",
    defense: "the license is over in a tenth of the time, and the verifier sees that the clock is off",
    says: ["evidence/time-off"],
    run: (bench) => [atSpeed(bench, 10_000, 200).says],
  },
];
