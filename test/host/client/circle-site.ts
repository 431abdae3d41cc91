/** A board and a circle of verifiers over HTTP, each with the keys of one party of three; two make a license. */
import { Agent } from "../../../host/agent/agent.ts";
import { runAsync } from "../../../host/agent/step.ts";
import { type AgentStore, MemoryStore } from "../../../host/agent/store.ts";
import { Circle } from "../../../host/client/circle.ts";
import { CircleLink } from "../../../host/client/circle-link.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { signEndorsement } from "../../../host/objects/endorsement.ts";
import { Board } from "../../../sim-board/board.ts";
import { governorImage } from "../../rig.ts";
import { FakeHttp } from "./fake-http.ts";
import { FakeVerifier, FakeWorld, MANUFACTURER } from "./fake-service.ts";

export const NAMES = ["north", "south", "west"];

export class CircleSite {
  readonly world = new FakeWorld();
  readonly board = new Board({ image: governorImage(), seed: 11, tickHz: this.world.agreement.tickHz });
  readonly verifiers: readonly FakeVerifier[];
  readonly https: readonly FakeHttp[];
  readonly circle: Circle;
  readonly store = new MemoryStore();
  readonly agent: Agent<"async">;
  readonly endorsement: Uint8Array;

  private constructor(verifiers: readonly FakeVerifier[], https: readonly FakeHttp[], world: FakeWorld) {
    this.world = world;
    this.verifiers = verifiers;
    this.https = https;
    world.nowMs = () => Number(this.board.agreementMs);
    const { devicePublicKey, ueid } = this.board.manufacture();
    this.endorsement = endorsementOf(devicePublicKey, ueid);
    this.board.powerOn();
    const members = https.map(({ url }, i) => ({
      name: NAMES[i]!,
      client: new VerifierClient({ url, triesMax: 1, timeoutMs: 5_000 }),
    }));
    this.circle = new Circle(members);
    const mailbox = new Mailbox<"async">(async (request) => this.board.request(request));
    const parts = { run: runAsync, store: asyncStore(this.store) };
    this.agent = new Agent<"async">(mailbox, new CircleLink(this.circle), parts);
  }

  static async open(): Promise<CircleSite> {
    const world = new FakeWorld();
    const verifiers = NAMES.map((name, i) => new FakeVerifier(world, name, [i]));
    const https = await Promise.all(verifiers.map((verifier) => FakeHttp.start(verifier)));
    return new CircleSite(verifiers, https, world);
  }

  /** Provisioned, known to all that are there, its clock set. */
  async commission(): Promise<void> {
    await this.circle.learn();
    for (const step of [
      () => this.agent.provision(),
      () => this.agent.enrol(this.endorsement),
      () => this.agent.syncTime(),
    ]) {
      const outcome = await step();
      if (!outcome.ok) throw new Error(`${outcome.by}: ${outcome.message}`);
    }
  }

  async close(): Promise<void> {
    await this.circle.close();
    await Promise.all(this.https.map((http) => http.close().catch(() => {})));
  }
}

export function endorsementOf(devicePublicKey: Uint8Array, ueid: Uint8Array): Uint8Array {
  const hardware = {
    oemId: Uint8Array.of(0xac, 0xde, 0x48),
    hardwareModel: new TextEncoder().encode("QSIM-001"),
    hardwareVersion: "1.00",
  };
  return signEndorsement({ devicePublicKey, ueid, ...hardware }, MANUFACTURER);
}

/** The same store, which answers later. */
export function asyncStore(store: MemoryStore): AgentStore<"async"> {
  return {
    get newestReport() {
      return store.newestReport;
    },
    get hasRoom() {
      return store.hasRoom;
    },
    get license() {
      return store.license;
    },
    putReport: async (report) => store.putReport(report),
    waiting: async () => store.waiting(),
    delivered: async (report) => store.delivered(report),
    dropReports: async () => store.dropReports(),
    putLicense: async (license) => store.putLicense(license),
  };
}
