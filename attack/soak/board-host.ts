/**
 * A board in its rack: always at work as far as its gate lets it, and at the mercy of its power supply. It stands at the end of
 * a wire, behind the interface that the agent has to boards.
 */
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { type BoardPort, DriverError } from "../../host/agent/driver.ts";
import { encodeRequest } from "../../host/mailbox.ts";
import { signEndorsement } from "../../host/objects/endorsement.ts";
import { decodeInfo, type Info } from "../../host/objects/evidence.ts";
import { type CborValue, decode } from "../../host/protocol/cbor.ts";
import { Board } from "../../sim-board/board.ts";
import { BoardError, PowerCut } from "../../sim-board/errors.ts";
import type { BoardEvent, Observer } from "../../sim-board/events.ts";
import { SIM_MODEL } from "../../sim-board/factory.ts";
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import type { FlashImage } from "../../sim-board/parts/flash.ts";
import type { Random } from "../../sim-board/random.ts";
import type { Phase } from "../../sim-board/workloads/types.ts";
import { arm, type Cut, settle } from "../cut.ts";
import { phaseOf, signerOf } from "../rig.ts";
import type { Life, Network } from "./network.ts";
import type { Simulation } from "./simulation.ts";

export const MANUFACTURER = signerOf("manufacturer");

const TIMEOUT_MS = 10_000;
const OFF_MS_MAX = 120_000;
const DRIFT_PPM_MAX = 90;
const AGEING_PPM_MAX = 5;
/** Enough for a journal that goes around within the run. */
const FLASH_SECTORS = 9;
const PHASE_SECONDS_MAX = 60;
/** A cut comes within so many operations, or so many bytes of flash. */
const OPERATIONS_MAX = 12;
const FLASH_BYTES_MAX = 4096;
const TORN_ORDERS = ["front", "back", "even", "zeros"] as const;
const SETTLINGS = [undefined, "e", "r", "f"] as const;

export class BoardHost implements Observer {
  readonly name: string;
  readonly board: Board;
  readonly ueid: Uint8Array;
  readonly endorsement: Uint8Array;
  readonly #sim: Simulation;
  readonly #network: Network;
  readonly #random: Random;
  readonly #checkpoint: Phase = phaseOf(1, { name: "checkpoint", work: new Map([[EngineClass.COPY, 10n ** 9n]]) });
  #cut: Cut | undefined;
  #oldFlash: FlashImage | undefined;
  #isComing = false;
  /** Whether it lost its power ever: then it may count up to a slice more than it did, each time. */
  wasCut = false;
  /** The agent's one request at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(name: string, image: GovernorImage, tickHz: number, sim: Simulation, network: Network) {
    this.name = name;
    this.#sim = sim;
    this.#network = network;
    this.#random = sim.random.stream(name);
    const ppm = this.#random.below(2 * DRIFT_PPM_MAX + 1) - DRIFT_PPM_MAX;
    const drift = { model: "ageing", ppm, ppmPerYear: this.#random.below(AGEING_PPM_MAX + 1) } as const;
    if (ppm !== 0) sim.count("clocks that drift");
    this.board = new Board({ image, seed: `${sim.random.seed} ${name}`, tickHz, drift, flashSectors: FLASH_SECTORS });
    this.board.subscribe(this);
    const { ueid, devicePublicKey } = this.board.manufacture();
    this.ueid = ueid;
    const { model, oem, version } = SIM_MODEL;
    const hardware = {
      oemId: Uint8Array.of(oem >>> 16, (oem >>> 8) & 0xff, oem & 0xff),
      hardwareModel: new TextEncoder().encode(model),
      hardwareVersion: version,
    };
    this.endorsement = signEndorsement({ devicePublicKey, ueid, ...hardware }, MANUFACTURER);
  }

  /** Work of a class since manufacture. */
  done(engineClass: EngineClass): bigint {
    return this.board.accelerator.lifetimeOf(engineClass);
  }

  /** What it says of itself; undefined where it says nothing. */
  info(): Info | undefined {
    const answer = this.answer(encodeRequest(Command.INFO));
    return answer && decodeInfo((decode(answer) as CborValue[])[1]!);
  }

  // --- the wire ----------------------------------------------------------------------------------------------------

  /** A way to it, for an agent while that lives. */
  port(life: Life): BoardPort {
    return {
      name: this.name,
      exchange: (request) => {
        const turn = this.#queue.then(() => this.#exchange(request, life));
        this.#queue = turn.catch(() => {});
        return turn;
      },
      endorsement: async () => this.endorsement,
      close: () => {},
    };
  }

  /** The wire is pulled and put back: who waited on it waits no more. */
  reconnect(): void {
    this.#queue = Promise.resolve();
  }

  async #exchange(request: Uint8Array, life: Life): Promise<Uint8Array> {
    const answer = await this.#network.ask({
      from: "agent",
      to: this.name,
      name: "mailbox",
      serve: async () => ({ value: this.answer(request) }),
      timeoutMs: TIMEOUT_MS,
      timeout: () => new DriverError("driver/timeout"),
      life,
      isStream: true,
    });
    if (!answer) throw new DriverError("driver/silent");
    return answer;
  }

  /** Undefined where it has no power, or loses it. */
  answer(request: Uint8Array): Uint8Array | undefined {
    this.advance();
    try {
      const answer = this.board.request(request);
      this.#sim.note(answer);
      return answer;
    } catch (error) {
      if (isOut(error)) return undefined;
      throw error;
    } finally {
      this.#lookAfter();
    }
  }

  // --- time, work and power ----------------------------------------------------------------------------------------

  /** Up to now. */
  advance(): void {
    const { board } = this;
    const ns = BigInt(this.#sim.nowMs) * 1_000_000n - board.nowNs;
    if (ns > 0n) board.advance(Number(ns) / 1e9);
    this.#lookAfter();
  }

  observe(event: BoardEvent): void {
    if (event.kind === "granted") this.#sim.count("slices of work");
    if (event.kind === "gate" && event.to === GateState.DRAINING) this.#drain();
    if (event.kind === "completed" && event.phase === this.#checkpoint) this.#saved();
    else if (event.kind === "completed") this.#work();
    if (event.kind === "power" && event.change === "cut") this.#noteCut();
  }

  powerOn(): void {
    this.#isComing = false;
    if (this.board.on) return;
    this.advance();
    try {
      this.board.powerOn();
      if (this.#cut && !this.board.supply.isArmed) {
        settle(this.board, this.#cut);
        this.#cut = undefined;
      }
      this.#work();
    } catch (error) {
      if (!isOut(error)) throw error;
    }
    this.#lookAfter();
  }

  cutPower(): void {
    this.advance();
    if (!this.board.on) return;
    this.board.cutPower();
    this.#lookAfter();
  }

  /** The power goes, and the flash comes back as it was when this happened before: the gate locks until the quorum helps. */
  putFlashBack(): void {
    this.cutPower();
    const { flash } = this.board;
    const now = flash.image();
    if (this.#oldFlash) {
      this.#sim.count("flash put back");
      flash.replace(this.#oldFlash);
    }
    this.#oldFlash = now;
  }

  /** The power will go within one of the next operations. */
  armCut(): void {
    this.advance();
    if (this.board.supply.isArmed) return;
    this.#cut = this.#drawCut();
    arm(this.board, this.#cut, this.#random.below(OPERATIONS_MAX), this.#random.below(FLASH_BYTES_MAX));
  }

  /** No more cuts, and power within the next moment. */
  calm(): void {
    this.board.supply.clear();
    if (!this.board.on) this.powerOn();
  }

  #drawCut(): Cut {
    const random = this.#random;
    const kind = random.below(6);
    if (kind === 0) return { kind: "before" };
    if (kind <= 2) return { kind: "steps", steps: random.below(2) === 0 ? 1 : 2 };
    const order = TORN_ORDERS[random.below(TORN_ORDERS.length)]!;
    const settling = SETTLINGS[random.below(SETTLINGS.length)];
    return { kind: "torn", bytes: random.below(256), order, ...(settling && { settling }) };
  }

  #noteCut(): void {
    const wasInOperation = this.#cut !== undefined && !this.board.supply.isArmed;
    this.wasCut = true;
    this.#sim.note(`${this.name} is cut`);
    if (!wasInOperation) this.#sim.count("power cuts");
    else this.#sim.count(this.#cut?.kind === "torn" ? "torn writes to flash" : "power cuts in an operation");
  }

  /** Power that went comes back; whoever owns the board has it work again. */
  #lookAfter(): void {
    const { board } = this;
    if (board.on) {
      if (!board.accelerator.busy) this.#work();
      return;
    }
    if (this.#isComing) return;
    this.#isComing = true;
    this.#sim.after(this.#random.below(OFF_MS_MAX), `${this.name} power`, () => this.powerOn());
  }

  #work(): void {
    if (this.board.on && !this.board.accelerator.busy) {
      this.board.submit(phaseOf(1 + this.#random.below(PHASE_SECONDS_MAX)));
    }
  }

  #drain(): void {
    this.board.withdraw();
    this.board.submit(this.#checkpoint);
  }

  /** The drain may end: not in the middle of what the governor does now. */
  #saved(): void {
    this.board.after(0, () => {
      if (this.board.on && this.board.gateState === GateState.DRAINING) this.answer(encodeRequest(Command.DRAIN_DONE));
    });
  }
}

function isOut(error: unknown): boolean {
  return error instanceof PowerCut || (error instanceof BoardError && error.code === "board/off");
}
