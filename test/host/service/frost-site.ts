/** Three verifiers, each with one share of a party's key, of which two make a signature; they reach each other in process. */
import { ObjectType } from "../../../firmware/protocol/claims.ts";
import { ClientError } from "../../../host/client/errors.ts";
import { FrostHolder, frostSigner } from "../../../host/keys/frost.ts";
import { dealShares, type FrostGroup } from "../../../host/keys/frost-group.ts";
import { addSignatureAsync } from "../../../host/keys/signer.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { type Agreement, type Member, signAgreement } from "../../../host/objects/agreement.ts";
import { combinedNonce } from "../../../host/objects/nonces.ts";
import { draftSign, parseSign, type Signer } from "../../../host/protocol/cose.ts";
import type { FrostPeer, FrostSeat } from "../../../host/service/frost-gathering.ts";
import type { FrostShareRequest } from "../../../host/service/service.ts";
import { agreementOf, type FakeGovernor, PARTY_SIGNERS } from "../fake-governor.ts";
import type { engines } from "../store/engines.ts";
import { ServiceWorld } from "./world.ts";

const HOLDERS = [1, 2, 3];

/** Two of three, and an agreement whose first party the group is; one signature makes a license. */
export async function groupAgreement(base: Agreement, others: readonly Signer[]) {
  const { group, shares } = dealShares(2, 3);
  const member: Member = { kid: group.kid, publicKey: group.publicKey, name: "group" };
  const change = {
    parties: [member, ...base.parties.slice(1)],
    quorums: { ...base.quorums, license: 1 },
    offline: base.offline,
  };
  const payload = parseSign(signAgreement({ ...base, ...change }, others)).payload;
  const signers = [
    frostSigner(
      group,
      shares.map((share) => new FrostHolder(group, share)),
    ),
    ...others.map(async1),
  ];
  let bytes = draftSign(payload);
  for (const signer of signers) bytes = await addSignatureAsync(bytes, signer, objectAad(ObjectType.AGREEMENT));
  return { group, change, bytes, holders: shares.map((share) => new FrostHolder(group, share)) };
}

function async1({ kid, publicKey, sign }: Signer) {
  return { kid, publicKey, sign: async (message: Uint8Array) => sign(message) };
}

export class FrostSite {
  readonly worlds: ServiceWorld[] = [];
  readonly group: FrostGroup;
  readonly holders: readonly FrostHolder[];
  /** What each holder was asked for and gave, by its number, in order. */
  readonly asked: { holder: number; request: FrostShareRequest }[] = [];
  /** Holders that no other reaches. */
  readonly away = new Set<number>();
  /** Happens before a holder is asked for its share. */
  between: (() => Promise<void>) | undefined;

  readonly #agreementBytes: Uint8Array;

  private constructor({ group, holders, bytes }: Awaited<ReturnType<typeof groupAgreement>>) {
    this.group = group;
    this.holders = holders;
    this.#agreementBytes = bytes;
  }

  static async open(place: (typeof engines)[number]["place"], change: Partial<Agreement> = {}): Promise<FrostSite> {
    const made = await groupAgreement(agreementOf(change), PARTY_SIGNERS.slice(1));
    const site = new FrostSite(made);
    for (const holder of HOLDERS) {
      const options = { ...site.#options(holder), agreement: made.change, parties: [] };
      site.worlds.push(await ServiceWorld.open(place(), options));
    }
    return site;
  }

  world(holder: number): ServiceWorld {
    return this.worlds[holder - 1]!;
  }

  async enrolled(name: string): Promise<FakeGovernor> {
    const device = await this.world(1).enrolled(name);
    for (const { service } of this.worlds.slice(1)) await service.enrol(device.endorsement(), device.certificate());
    return device;
  }

  /** Over the nonces of all three. */
  async evidence(device: FakeGovernor) {
    const nonces: Uint8Array[] = [];
    for (const { service } of this.worlds) nonces.push((await service.nonce(device.ueid)).nonce);
    return { evidence: device.evidence({ nonce: combinedNonce(nonces) }), nonces };
  }

  /** At one holder, by the other parties. */
  async amend(holder: number, change: Partial<Agreement>): Promise<void> {
    const { agreement, service } = this.world(holder);
    await service.amend(
      signAgreement({ ...agreement, version: agreement.version + 1, ...change }, PARTY_SIGNERS.slice(1)),
    );
  }

  /** A new process over the store that is there. */
  async restart(holder: number): Promise<void> {
    await this.world(holder).start([], undefined, this.#options(holder));
  }

  async close(): Promise<void> {
    for (const world of this.worlds) await world.close();
  }

  #options(holder: number) {
    return { agreementBytes: this.#agreementBytes, frost: [this.#seat(holder)] };
  }

  #seat(own: number): FrostSeat {
    const peers = HOLDERS.filter((holder) => holder !== own).map((holder) => this.#peer(holder));
    return { group: this.group, own: this.holders[own - 1]!, peers };
  }

  #peer(holder: number): FrostPeer {
    const frostCommitment = async (group: Uint8Array) => {
      if (this.away.has(holder)) throw new ClientError("client/connect");
      return this.world(holder).service.frostCommitment(group);
    };
    const frostShare = async (request: FrostShareRequest) => {
      this.asked.push({ holder, request });
      await this.between?.();
      return this.world(holder).service.frostShare(request);
    };
    return { holder, verifier: { frostCommitment, frostShare } };
  }
}
