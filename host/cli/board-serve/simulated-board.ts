/** One simulated board that lives in real time: made once, powered up, kept in a file, and at work. */
import { Board, type BoardOptions } from "../../../sim-board/board.ts";
import { BoardError, PowerCut } from "../../../sim-board/errors.ts";
import { SIM_MODEL } from "../../../sim-board/factory.ts";
import { nsOf } from "../../../sim-board/time.ts";
import type { Workload } from "../../../sim-board/workloads/types.ts";
import { signEndorsement } from "../../objects/endorsement.ts";
import type { Signer } from "../../protocol/cose.ts";
import { wrongUse } from "../exit.ts";
import { JobLoop } from "./job-loop.ts";
import { type DeviceFacts, PartsFile } from "./parts-file.ts";

export interface SimulatedBoardOptions {
  readonly name: string;
  readonly seed: number;
  readonly board: Omit<BoardOptions, "seed">;
  readonly workload: Workload | undefined;
  /** Where its parts are kept; without one they are forgotten. */
  readonly statePath: string | undefined;
  readonly startMs: number;
}

export class SimulatedBoard {
  readonly name: string;
  readonly board: Board;
  readonly job: JobLoop | undefined;
  readonly #device: DeviceFacts;
  readonly #parts: PartsFile | undefined;
  readonly #startMs: number;

  /** Powers it up. Throws a `CliError` for a state that is another board's. */
  constructor({ name, seed, board: options, workload, statePath, startMs }: SimulatedBoardOptions) {
    this.name = name;
    this.#startMs = startMs;
    this.#parts = statePath === undefined ? undefined : new PartsFile(statePath);
    const kept = this.#parts?.read();
    const own = `${seed}/${name}`;
    if (kept && kept.seed !== own)
      throw wrongUse(`the state of ${name} is of seed ${kept.seed.split("/")[0]}, not ${seed}`);
    const starts = (kept?.starts ?? 0) + 1;
    // Whatever is random differs from one power-up to the next; the crystal stays the same one.
    this.board = new Board({ ...options, seed: starts === 1 ? own : `${own}/start ${starts}`, invariants: false });
    kept?.restore(this.board);
    const made = kept ?? this.board.manufacture();
    this.#device = { seed: own, starts, devicePublicKey: made.devicePublicKey, ueid: made.ueid };
    this.board.powerOn();
    this.#save();
    if (workload) {
      this.job = new JobLoop(this.board, workload);
      this.job.start();
    }
  }

  get ueid(): Uint8Array {
    return this.#device.ueid;
  }

  /** By the manufacturer of simulated boards. */
  endorsement(manufacturer: Signer): Uint8Array {
    const { model, oem, version } = SIM_MODEL;
    const hardware = {
      oemId: Uint8Array.of(oem >>> 16, (oem >>> 8) & 0xff, oem & 0xff),
      hardwareModel: new TextEncoder().encode(model),
      hardwareVersion: version,
    };
    const { devicePublicKey, ueid } = this.#device;
    return signEndorsement({ devicePublicKey, ueid, ...hardware }, manufacturer);
  }

  /** Lets time pass up to this agreement time. */
  advanceTo(nowMs: number): void {
    const untilNs = nsOf(Math.max(0, nowMs - this.#startMs) / 1000);
    if (untilNs > this.board.nowNs) this.board.advance(Number(untilNs - this.board.nowNs) / 1e9);
    this.#save();
  }

  /** Undefined where the board has no answer. */
  answer(request: Uint8Array): Uint8Array | undefined {
    try {
      return this.board.request(request);
    } catch (error) {
      if (error instanceof BoardError || error instanceof PowerCut) return undefined;
      throw error;
    } finally {
      // Before the answer leaves: what it says has happened, then.
      this.#save();
    }
  }

  powerOff(): void {
    this.board.powerOff();
    this.#save();
  }

  #save(): void {
    this.#parts?.save(this.board, this.#device);
  }
}
