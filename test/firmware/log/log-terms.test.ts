/** The log terms of an agreement: what the governor does not take, and that the host refuses the same with the same code. */
import { describe, expect, it } from "vitest";
import { AgreementKey, LogKey, ObjectType } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { decodeAgreement, signAgreement } from "../../../host/objects/agreement.ts";
import type { CborMap, CborValue } from "../../../host/protocol/cbor.ts";
import { parseSign } from "../../../host/protocol/cose.ts";
import { errorPhrase } from "../../../host/protocol/error-phrases.ts";
import { Refusal } from "../../../host/protocol/refusal.ts";
import { LOG, logTermsOf, WITNESSES } from "../../log.ts";
import { agreementOf, PARTIES, Rig } from "../../rig.ts";
import { altered, type ClaimMap } from "../governor/bench.ts";

const good = () => signAgreement(agreementOf({ log: logTermsOf() }), PARTIES);
const changed = (change: (terms: ClaimMap) => CborValue | undefined) =>
  altered(
    good(),
    ObjectType.AGREEMENT,
    (claims) => {
      const terms = new Map(claims.get(AgreementKey.LOG) as CborMap) as ClaimMap;
      claims.set(AgreementKey.LOG, change(terms) ?? terms);
    },
    PARTIES,
  );
const set = (key: LogKey, value: CborValue) => changed((terms) => void terms.set(key, value));
const member = (name: string, key = LOG): CborValue => [key.kid, name, key.publicKey];
const witnesses = (count: number, name = "w.example"): CborValue =>
  Array.from({ length: count }, (_, i) => [WITNESSES[i % 3]!.kid, name, WITNESSES[i % 3]!.publicKey]);

const CLAIM = "AGREEMENT_CLAIM";
const table: [string, () => Uint8Array, string][] = [
  ["as they should be", good, "OK"],
  ["that are no map", () => changed(() => 7), CLAIM],
  ["without a mode", () => changed((terms) => void terms.delete(LogKey.MODE)), CLAIM],
  ["with a key more", () => changed((terms) => void terms.set(7, 0)), CLAIM],
  ["of mode 0", () => set(LogKey.MODE, 0), CLAIM],
  ["of mode 3", () => set(LogKey.MODE, 3), CLAIM],
  ["whose log has no name", () => set(LogKey.LOG, member("")), CLAIM],
  ["whose log has a name of 64 characters", () => set(LogKey.LOG, member("x".repeat(64))), "OK"],
  ["whose log has a name of 65 characters", () => set(LogKey.LOG, member("x".repeat(65))), CLAIM],
  ["whose log has a name of two lines", () => set(LogKey.LOG, member("log.example\n7")), CLAIM],
  ["whose log has a plus in its name", () => set(LogKey.LOG, member("log+1.example")), CLAIM],
  ["whose log has a space in its name", () => set(LogKey.LOG, member("log 1.example")), CLAIM],
  ["whose log has a name that is not ASCII", () => set(LogKey.LOG, member("lög.example")), CLAIM],
  ["whose log has another's kid", () => set(LogKey.LOG, [WITNESSES[0]!.kid, "l", LOG.publicKey]), "AGREEMENT_PARTY"],
  ["without witnesses", () => set(LogKey.WITNESSES, []), "AGREEMENT_QUORUM_RULE"],
  ["with nine witnesses", () => set(LogKey.WITNESSES, witnesses(9)), CLAIM],
  [
    "with one witness twice",
    () => set(LogKey.WITNESSES, [...(witnesses(2) as []), member("w", WITNESSES[0])]),
    "AGREEMENT_PARTY",
  ],
  [
    "with the log as its witness",
    () => set(LogKey.WITNESSES, [member("w"), member("v", WITNESSES[1])]),
    "AGREEMENT_PARTY",
  ],
  ["with a witness whose name has a space", () => set(LogKey.WITNESSES, witnesses(3, "w 1")), CLAIM],
  ["with a quorum of none", () => set(LogKey.QUORUM, 0), "AGREEMENT_QUORUM_RULE"],
  ["with a quorum of one of three", () => set(LogKey.QUORUM, 1), "AGREEMENT_QUORUM_RULE"],
  [
    "with a quorum of one of two",
    () => changed((terms) => void terms.set(LogKey.WITNESSES, witnesses(2)).set(LogKey.QUORUM, 1)),
    "AGREEMENT_QUORUM_RULE",
  ],
  ["with a quorum of all", () => set(LogKey.QUORUM, 3), "OK"],
  ["with a quorum of four of three", () => set(LogKey.QUORUM, 4), "AGREEMENT_QUORUM_RULE"],
  ["with a quorum of nine", () => set(LogKey.QUORUM, 9), CLAIM],
  ["with checkpoints of no age", () => set(LogKey.CHECKPOINT_SECONDS_MAX, 0), "AGREEMENT_LIMIT"],
  ["with checkpoints of a year", () => set(LogKey.CHECKPOINT_SECONDS_MAX, 31_536_000), "OK"],
  ["with checkpoints of more than a year", () => set(LogKey.CHECKPOINT_SECONDS_MAX, 31_536_001), "AGREEMENT_LIMIT"],
  ["that say neither yes nor no to early pauses", () => set(LogKey.PAUSE_BEFORE_PROOF, 1), CLAIM],
];

function codeOf(payload: Uint8Array): string {
  try {
    decodeAgreement(payload);
    return "OK";
  } catch (error) {
    if (error instanceof Refusal) return errorPhrase(error.code).name;
    throw error;
  }
}

describe("log terms", () => {
  it.each(table)("%s", (_, agreement, verdict) => {
    const rig = new Rig();
    rig.board.powerOn();
    const bytes = agreement();
    expect(rig.verdict(Command.AGREEMENT, bytes)).toBe(verdict);
    expect(codeOf(parseSign(bytes).payload)).toBe(verdict);
  });
});
