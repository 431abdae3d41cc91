/** What may happen to a verifier in a long time: a random history of devices, orders and people, the same for one seed. */
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { createToken } from "../../../host/auth/token.ts";
import type { Agreement } from "../../../host/objects/agreement.ts";
import { decodeIntervals } from "../../../host/objects/intervals.ts";
import { type License, signLicense } from "../../../host/objects/license.ts";
import { encodeOpening, openInterval } from "../../../host/objects/opening.ts";
import { type Recovery, signRecovery } from "../../../host/objects/recovery.ts";
import { sumWork } from "../../../host/objects/work.ts";
import type { Policy } from "../../../host/policy/policy.ts";
import type { ReportItem } from "../../../host/service/service.ts";
import { SqlClientStore, SqlTokenStore } from "../../../host/store/auth-stores.ts";
import { VerifierError } from "../../../host/verifier/errors.ts";
import type { Random } from "../../../sim-board/random.ts";
import { BF16, COPY, type FakeGovernor, PARTY_SIGNERS, signerOf } from "../fake-governor.ts";
import { type ServiceWorld, whole } from "./world.ts";

/** Of the world that a history is played in. */
export const HISTORY_AGREEMENT: Partial<Agreement> = { offline: true };
export const HISTORY_POLICY: Partial<Policy> = {
  caps: [{ per: "site", operationsMax: 2n ** 80n, periodSeconds: 3600n }],
};

const LOST = { gateState: GateState.LOCKED, lastCode: ErrorCode.JOURNAL_ROLLBACK, bootCount: 0, licenseSequence: 0n };
const SITES = ["hall 1", "hall 2", "Île №3"];

interface Player {
  readonly name: string;
  readonly device: FakeGovernor;
  /** Reports that were made and not uploaded yet. */
  reports: ReportItem[];
  /** Intervals of reports that went without. */
  readonly withheld: Map<bigint, Uint8Array>;
  /** Whether the license still opens the gate, and whether its drain is still there. */
  isLicensed: boolean;
  canDrain: boolean;
  images: number;
}

export class History {
  readonly #world: ServiceWorld;
  readonly #random: Random;
  readonly #players: Player[] = [];
  #drawn = 0;

  constructor(world: ServiceWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** Some of everything that there is first, then at random. */
  async play(steps: number): Promise<void> {
    const actions = this.#actions();
    for (const site of SITES) await this.#begin(site);
    for (const act of [...actions, ...actions]) await this.#step(act);
    for (let step = 0; step < steps; step += 1) await this.#step(this.#oneOf(actions));
  }

  async #step(act: () => Promise<void>): Promise<void> {
    this.#world.nowMs += this.#random.below(5000);
    await act();
  }

  #actions(): (() => Promise<void>)[] {
    return [
      async () => void (await this.#enrol()),
      () => this.#license(this.#one()),
      () => this.#work(this.#one()),
      () => this.#report(this.#one()),
      () => this.#license(this.#one()),
      () => this.#refuse(this.#one()),
      () => this.#open(this.#one()),
      () => this.#order(),
      () => this.#license(this.#one()),
      () => this.#lose(this.#one()),
      () => this.#offline(),
      () => this.#completed(this.#one()),
      () => this.#recovered(this.#one()),
      () => this.#work(this.#one()),
      () => this.#report(this.#one()),
      () => this.#appraise(this.#one()),
      () => this.#newImage(this.#one()),
      () => this.#amend(),
      () => this.#change(this.#one()),
      () => this.#people(),
    ];
  }

  /** A device that works and reports, with intervals and without. */
  async #begin(site: string): Promise<void> {
    const player = await this.#enrol(site);
    const terms = { budget: new Map([[BF16, 1000n]]), ticksMax: 1000n, windowSeconds: 600 };
    player.device.install(await this.#world.license(player.device, terms));
    for (const isWithheld of [false, true]) {
      player.device.work(BF16, BigInt(1 + this.#random.below(400)));
      this.#make(player, isWithheld);
    }
    await this.#upload(player);
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)]!;
  }

  #one(): Player {
    return this.#oneOf(this.#players);
  }

  async #enrol(site = this.#oneOf(SITES)): Promise<Player> {
    const name = `device ${this.#players.length}`;
    const device = this.#world.device(name);
    const player = { name, device, reports: [], withheld: new Map(), isLicensed: false, canDrain: false, images: 0 };
    await this.#world.service.enrol(device.endorsement(), device.certificate(), { site });
    this.#players.push(player);
    return player;
  }

  /** Everything that a device owes, and the orders that it lacks. */
  async #upToDate(player: Player): Promise<void> {
    await this.#upload(player);
    for (const { bytes, action } of await this.#world.service.ordersAfter(player.device.epoch)) {
      this.#obey(player, bytes, action);
    }
  }

  #obey(player: Player, bytes: Uint8Array, action: OrderAction): void {
    if (action === OrderAction.PAUSE && player.canDrain) {
      player.device.work(COPY, BigInt(this.#random.below(101)), true);
      player.canDrain = false;
    }
    if (action !== OrderAction.SLOW) player.isLicensed = false;
    player.device.obey(bytes);
  }

  async #license(player: Player): Promise<void> {
    const { device } = player;
    await this.#upToDate(player);
    const budget = new Map([[BF16, BigInt(1 + this.#random.below(10_000))]]);
    const terms = { budget, ticksMax: 1000n, windowSeconds: 60 + this.#random.below(600) };
    const evidence = await this.#world.evidence(device);
    try {
      const bytes = whole(await this.#world.service.license({ evidence, terms }));
      // Not every license that is issued arrives.
      if (this.#random.below(5) === 0) return;
      device.install(bytes);
      player.isLicensed = true;
      player.canDrain = true;
    } catch (error) {
      const isOrdered = error instanceof VerifierError && ["license/paused", "device/suspended"].includes(error.code);
      if (!isOrdered) throw error;
    }
  }

  async #work(player: Player): Promise<void> {
    const { device } = player;
    const left = device.left[BF16]!;
    if (player.isLicensed && left > 0n) device.work(BF16, BigInt(1 + this.#random.below(Number(left))));
    if (this.#random.below(8) === 0) device.powerCycle();
  }

  async #report(player: Player): Promise<void> {
    for (let more = this.#random.below(3); more >= 0; more -= 1) {
      await this.#work(player);
      this.#make(player, this.#random.below(2) === 0);
    }
    if (this.#random.below(3) > 0) await this.#upload(player);
  }

  #make({ device, reports, withheld }: Player, isWithheld: boolean): void {
    const { report, intervals } = device.report();
    if (isWithheld) withheld.set(device.head.sequence, intervals);
    reports.push(isWithheld ? { report } : { report, intervals });
  }

  async #upload(player: Player): Promise<void> {
    const reports = player.reports.splice(0);
    // Now and then some of them twice.
    const twice = this.#random.below(4) === 0 ? reports.slice(0, 1) : [];
    if (reports.length === 0) return;
    for (const outcome of await this.#world.service.reports([...reports, ...twice])) {
      if (outcome.status === "refused") throw new Error(`${player.name}: ${outcome.message}`);
    }
  }

  async #open({ device, withheld }: Player): Promise<void> {
    for (const { ueid, reportSequence, index } of await this.#world.service.openingsWanted(device.ueid)) {
      const intervals = withheld.get(reportSequence);
      if (!intervals || this.#random.below(2) === 0) continue;
      const opening = openInterval({ ueid, sequence: reportSequence }, decodeIntervals(intervals), index);
      await this.#world.service.open(encodeOpening(opening));
    }
  }

  async #refuse({ device }: Player): Promise<void> {
    const evidence = await this.#world.evidence(device, { tamper: 1 + this.#random.below(7) });
    const refused = await this.#world.service.license({ evidence }).then(
      () => undefined,
      (error: VerifierError) => error.class,
    );
    if (refused !== "policy") throw new Error("a device that was tampered with was not refused");
  }

  async #appraise(player: Player): Promise<void> {
    await this.#upToDate(player);
    await this.#world.service.appraise(await this.#world.evidence(player.device));
  }

  /** A pause is lifted soon; some drafts are never approved. */
  async #order(): Promise<void> {
    const { service, agreement } = this.#world;
    await service.proposeOrder({ action: OrderAction.RESUME });
    const some = this.#players.filter(() => this.#random.below(2) === 0).map(({ device }) => device.ueid);
    const scope = some.length > 0 && this.#random.below(2) === 0 ? some.slice(0, 32) : undefined;
    const requests = [
      { action: OrderAction.PAUSE, scope },
      { action: OrderAction.SLOW, permille: 1 + this.#random.below(999) },
      { action: OrderAction.RESUME },
    ].slice(this.#random.below(3));
    for (const request of requests) {
      let draft = await service.proposeOrder(request);
      for (const { name } of agreement.parties) {
        if (!draft.active) draft = await service.approveOrder(draft.id, name);
      }
      for (const player of this.#players) {
        if (this.#random.below(2) === 0) await this.#upToDate(player);
      }
    }
  }

  async #lose(player: Player): Promise<void> {
    const { device } = player;
    await this.#upload(player);
    const { service } = this.#world;
    if ((await service.device(device.ueid)).status !== "active") return;
    const evidence = await this.#world.evidence(device, LOST);
    const bytes = whole(await service.recovery({ evidence }));
    device.recover(bytes);
    Object.assign(player, { reports: [], isLicensed: false, canDrain: false });
  }

  async #offline(): Promise<void> {
    const { service } = this.#world;
    const some = [this.#one(), this.#one(), this.#one()];
    const players = [...new Map(some.map((player) => [player.name, player])).values()];
    for (const player of players) {
      await this.#appraise(player);
      if ((await service.device(player.device.ueid)).status !== "active") return;
    }
    const terms = { budget: new Map([[BF16, 500n]]), ticksMax: 1000n, windowSeconds: 600 };
    const ueids = players.map(({ device }) => device.ueid);
    const bytes = whole(await service.offlineLicense({ ueids, terms }));
    for (const player of players) {
      if (this.#random.below(3) === 0) continue;
      player.device.install(bytes);
      player.isLicensed = true;
      player.canDrain = true;
      await this.#work(player);
      await this.#report(player);
      if (this.#random.below(2) === 0) await this.#appraise(player);
    }
  }

  /** Others license the device without this verifier, which is shown it. Not every license that is shown is installed. */
  async #completed(player: Player): Promise<void> {
    const { device } = player;
    const { service, agreement, digest, nowMs } = this.#world;
    await this.#appraise(player);
    const nowSeconds = Math.floor(nowMs / 1000);
    const license: License = {
      expirySeconds: nowSeconds + 600,
      notBeforeSeconds: nowSeconds,
      nonce: device.challenge,
      ueid: device.ueid,
      agreementDigest: digest,
      epoch: device.epoch,
      sequence: (await service.device(device.ueid)).licenseSequence + BigInt(1 + this.#random.below(2)),
      budget: new Map([[BF16, 700n]]),
      ticksMax: 1000n,
      svnLeast: agreement.svnLeast,
    };
    const bytes = signLicense(license, PARTY_SIGNERS.slice(0, agreement.quorums.license));
    await service.importLicense(bytes);
    if (this.#random.below(3) === 0) return;
    device.install(bytes);
    player.isLicensed = true;
    player.canDrain = false;
    await this.#work(player);
    await this.#report(player);
  }

  /** Others recover the device without this verifier, which is shown it. */
  async #recovered(player: Player): Promise<void> {
    const { device } = player;
    const { service, agreement, digest } = this.#world;
    await this.#appraise(player);
    const recovery: Recovery = {
      nonce: device.challenge,
      ueid: device.ueid,
      agreementDigest: digest,
      epoch: device.epoch,
      sequence: (await service.device(device.ueid)).licenseSequence,
      action: OrderAction.PAUSE,
      totals: sumWork(device.totals, device.left),
      reportHead: device.head,
      orderDigest: device.orderDigest,
    };
    const bytes = signRecovery(recovery, PARTY_SIGNERS.slice(0, agreement.quorums.license));
    await service.importRecovery(bytes);
    device.recover(bytes);
    Object.assign(player, { reports: [], isLicensed: false, canDrain: false });
    await this.#report(player);
  }

  async #newImage(player: Player): Promise<void> {
    const { device } = player;
    player.images += 1;
    await this.#upload(player);
    device.attester = signerOf(`${player.name} attester ${player.images}`);
    await this.#world.service.enrol(device.endorsement(), device.certificate());
  }

  async #amend(): Promise<void> {
    for (const player of this.#players) await this.#upToDate(player);
    const license = 1 + this.#random.below(3);
    await this.#world.amend({ quorums: { ...this.#world.agreement.quorums, license } });
    for (const player of this.#players) player.isLicensed = false;
  }

  async #change({ device }: Player): Promise<void> {
    const status = this.#oneOf(["active", "active", "suspended"] as const);
    const profile = this.#oneOf(["training", "inference"] as const);
    await this.#world.service.changeDevice(device.ueid, { site: this.#oneOf(SITES), owner: "other", status, profile });
  }

  async #people(): Promise<void> {
    const { store, service, nowMs } = this.#world;
    this.#drawn += 1;
    const name = `person-${this.#drawn}`;
    const { record } = createToken({ name, roles: ["auditor"], expiresMs: nowMs + 1000, nowMs });
    await new SqlTokenStore(store).addToken(record);
    const { kid, publicKey } = signerOf(name);
    const client = {
      kid: Buffer.from(kid).toString("hex"),
      publicKey,
      name,
      roles: ["agent"] as const,
      createdMs: nowMs,
    };
    await new SqlClientStore(store).addClient(client);
    await service.record({ actor: name, action: "look", subject: "books", outcome: "ok" });
  }
}
