/** A site without a network: boards with the governor that ships, real verifiers over HTTP, and sticks in between. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BoardDriver } from "../../../host/agent/driver.ts";
import { Circle } from "../../../host/client/circle.ts";
import { VerifierClient } from "../../../host/client/client.ts";
import { packForSite, packOfflineLicense } from "../../../host/courier/office-pack.ts";
import { packProofs } from "../../../host/courier/office-proofs.ts";
import { unpackForVerifiers } from "../../../host/courier/office-unpack.ts";
import { readStick, readStickIfPacked } from "../../../host/courier/read-stick.ts";
import { type Row, Rows } from "../../../host/courier/row.ts";
import { packAtSite } from "../../../host/courier/site-pack.ts";
import { unpackAtSite } from "../../../host/courier/site-unpack.ts";
import { boardsOf, type Direction, type Stick } from "../../../host/courier/stick.ts";
import { writeStick } from "../../../host/courier/write-stick.ts";
import type { OfflineLicenseCall } from "../../../host/service/service.ts";
import { hexOf } from "../../../host/verifier/bytes.ts";
import { Board } from "../../../sim-board/board.ts";
import { agreementOf, governorImage } from "../../rig.ts";
import { endorsementOf } from "../client/circle-site.ts";
import { openRealVerifier, type RealVerifier, type RealVerifierOptions } from "../client/real-verifier.ts";

const DAY_SECONDS = 86_400;
/** Simulated seconds cost real ones. */
const TRAVEL_SECONDS = 3_600;
/** A stick is days on its way, and the lease must outlast that. */
const AGREEMENT = { leaseSeconds: 30 * DAY_SECONDS, offline: true };

export class AirGap {
  readonly boards: readonly Board[];
  readonly ueids: readonly Uint8Array[];
  readonly verifiers: readonly RealVerifier[];
  readonly circle: Circle;
  readonly folder = mkdtempSync(join(tmpdir(), "quiesce-courier-"));
  /** What goes to the site, and what comes back. */
  readonly out = join(this.folder, "out");
  readonly back = join(this.folder, "back");
  readonly keep = join(this.folder, "keep");
  readonly #endorsements: readonly Uint8Array[];

  private constructor(boards: readonly Board[], verifiers: readonly RealVerifier[], tokens: readonly string[]) {
    this.boards = boards;
    this.verifiers = verifiers;
    const made = boards.map((board) => board.manufacture());
    this.ueids = made.map(({ ueid }) => ueid);
    this.#endorsements = made.map(({ devicePublicKey, ueid }) => endorsementOf(devicePublicKey, ueid));
    for (const board of boards) board.powerOn();
    this.circle = new Circle(
      verifiers.map(({ url }, i) => ({
        name: url,
        client: new VerifierClient({ url, token: tokens[i]!, triesMax: 1 }),
      })),
    );
  }

  /** `here`: whose keys each verifier holds. */
  static async open(
    options: { boards?: number; here?: readonly (readonly number[])[] } & Pick<
      RealVerifierOptions,
      "agreement" | "log" | "nonceSeconds"
    > = {},
  ): Promise<AirGap> {
    const { boards: count = 1, here = [[0, 1, 2]], nonceSeconds = 30 * DAY_SECONDS, log } = options;
    const agreement = { ...AGREEMENT, ...options.agreement };
    const { tickHz } = agreementOf();
    const boards = Array.from({ length: count }, (_, i) => {
      return new Board({ image: governorImage(), seed: 21 + i, tickHz });
    });
    const clock = () => Number(boards[0]!.agreementMs);
    const verifiers = await Promise.all(
      here.map((parties) => openRealVerifier({ here: parties, agreement, clock, nonceSeconds, log })),
    );
    const tokens = await Promise.all(verifiers.map((verifier) => verifier.token("approver", "auditor", "registrar")));
    return new AirGap(boards, verifiers, tokens);
  }

  get driver(): BoardDriver {
    return {
      list: async () => this.boards.map((_, i) => `board-${i + 1}`),
      open: (name) => {
        const index = Number(name.slice("board-".length)) - 1;
        return {
          name,
          exchange: async (request) => this.boards[index]!.request(request),
          endorsement: async () => this.#endorsements[index],
          close: () => {},
        };
      },
    };
  }

  travel(): void {
    for (const board of this.boards) board.advance(TRAVEL_SECONDS);
  }

  /** At the verifiers, before a first visit. */
  async packOut(...offline: OfflineLicenseCall[]): Promise<readonly Row[]> {
    const stick: Stick = readStickIfPacked(this.out, "to-site") ?? { direction: "to-site", files: new Map() };
    const rows = new Rows();
    await packForSite(this.circle, stick, boardsOf(stick), rows);
    for (const call of offline) await packOfflineLicense(this.circle, stick, call, rows);
    await packProofs(this.circle, stick, boardsOf(stick), rows);
    writeStick(this.out, stick, 0);
    return rows.all;
  }

  async arrive(from = this.out): Promise<readonly Row[]> {
    return unpackAtSite(readStick(from, "to-site"), this.driver, this.keep);
  }

  async leave(to = this.back, withStick: string | undefined = this.out): Promise<readonly Row[]> {
    const arrived = withStick === undefined ? undefined : readStick(withStick, "to-site");
    const { stick, rows } = await packAtSite(arrived, this.driver, this.keep);
    writeStick(to, stick, 0);
    return rows;
  }

  /** At the verifiers, with what came from the site; the answers are packed to go back. */
  async answer(from = this.back): Promise<readonly Row[]> {
    const answers = readStickIfPacked(this.out, "to-site") ?? { direction: "to-site" as const, files: new Map() };
    const rows = new Rows();
    const ueids = await unpackForVerifiers(this.circle, readStick(from, "to-verifiers"), answers, rows);
    await packForSite(this.circle, answers, ueids, rows);
    await packProofs(this.circle, answers, ueids, rows);
    writeStick(this.out, answers, 0);
    return rows.all;
  }

  /** What somebody does to a stick on its way. */
  change(folder: string, direction: Direction, act: (files: Stick["files"]) => void): void {
    const stick = readStick(folder, direction);
    act(stick.files);
    writeStick(folder, stick, 0);
  }

  /** There and back once: what the site says is answered, and the answers are given. */
  async round(): Promise<void> {
    mustBeGood(await this.leave());
    this.travel();
    mustBeGood(await this.answer());
    this.travel();
    mustBeGood(await this.arrive());
  }

  /** Enrolled, with the time set and nonces at hand: all that comes before a first license. */
  async commission(): Promise<void> {
    mustBeGood(await this.packOut());
    this.travel();
    mustBeGood(await this.arrive());
    await this.round();
  }

  async licenses(index = 0): Promise<bigint> {
    return (await this.verifiers[0]!.service.device(this.ueids[index]!)).licenseSequence;
  }

  ueid(index = 0): string {
    return hexOf(this.ueids[index]!);
  }

  async close(): Promise<void> {
    await this.circle.close();
    await Promise.all(this.verifiers.map((verifier) => verifier.close()));
    rmSync(this.folder, { recursive: true });
  }
}

export function mustBeGood(rows: readonly Row[]): void {
  const bad = rows.filter(({ outcome }) => outcome === "refused" || outcome === "unreached");
  if (bad.length > 0) throw new Error(JSON.stringify(bad));
}

/** What became of it. */
export function outcomeOf(rows: readonly Row[], what: string): string | undefined {
  const row = rows.find((one) => one.what === what || one.what.startsWith(`${what} `));
  return row && (row.code ? `${row.outcome} ${row.code}` : row.outcome);
}
