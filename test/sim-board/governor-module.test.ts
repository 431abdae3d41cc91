import { createHash } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { GateState } from "../../firmware/protocol/states.ts";
import { Board } from "../../sim-board/board.ts";
import { BoardError, PowerCut } from "../../sim-board/errors.ts";
import type { BoardEvent } from "../../sim-board/events.ts";
import { GovernorImage } from "../../sim-board/governor-module.ts";
import { bareGovernor, knobsOf } from "../bench/bare-governor.ts";
import { counted } from "../instrument/count.ts";
import { governorImage, Rig } from "../rig.ts";
import { toyGovernor } from "./toy-governor.ts";

let toy: Uint8Array;
let image: GovernorImage;

beforeAll(async () => {
  toy = await toyGovernor();
  image = new GovernorImage(toy);
});

function board(): { board: Board; events: BoardEvent[] } {
  const events: BoardEvent[] = [];
  const made = new Board({ image, seed: "toy", invariants: false });
  made.subscribe({ observe: (event) => events.push(event) });
  made.powerOn();
  return { board: made, events };
}

const code = (value: string) => expect.objectContaining({ code: value });
const copy = (seconds: number) => ({
  name: "copy",
  durationSeconds: seconds,
  measured: true,
  work: new Map([[9, 10_000n]]),
});

test("an image's digest is the SHA-256 of its bytes", () => {
  expect(Buffer.from(image.sha256).toString("hex")).toBe(createHash("sha256").update(toy).digest("hex"));
});

test("a module that imports anything but the HAL is refused, and the refusal names it", async () => {
  const spy = await toyGovernor(
    (source) => `${source}\n@external("env", "spy") declare function spy(): void;
export function use(): void { spy(); }`,
  );
  expect(() => new GovernorImage(spy)).toThrow(code("module/import"));
  expect(() => new GovernorImage(spy)).toThrow(/env\.spy/);
});

test("a module without the ABI is refused", async () => {
  const dumb = await toyGovernor((source) => source.replace("export function tamper", "function tamper"));
  expect(() => new GovernorImage(dumb)).toThrow(code("module/export"));
});

test("bytes that are no module are refused", () => {
  expect(() => new GovernorImage(Uint8Array.of(1, 2, 3))).toThrow(code("module/form"));
});

test("numbers keep their sign and their width on the way through", () => {
  const { board: b } = board();
  b.powerOff();
  expect(b.powerOn()).toBe(0xfedcba98);
  b.advance(3);
  const ticks = new DataView(b.request(Uint8Array.of(7)).buffer).getBigUint64(0, true);
  expect(ticks).toBe(3000n);
  b.request(Uint8Array.of(6));
  expect(b.accelerator.creditOf(9)).toBe(2n ** 64n - 1n);
});

test.each([
  [1, "a trap"],
  [2, "an address outside its memory"],
  [3, "an illegal write to flash"],
  [4, "an engine class that is not there"],
  [5, "an answer longer than the mailbox"],
])("a governor that ends in %s (%s) hangs: typed, with its cause, and with the gate shut for good", (what) => {
  const { board: b, events } = board();
  b.request(Uint8Array.of(8));
  expect(b.gateState).toBe(GateState.OPEN);
  expect(() => b.request(Uint8Array.of(what))).toThrow(code("board/hung"));
  expect(events.some((event) => event.kind === "hung" && event.during === "doorbell")).toBe(true);
  expect(b.fault).toBeDefined();
  expect(() => b.request(Uint8Array.of(0))).toThrow(code("board/hung"));
  // What was granted runs out, and nobody refills.
  expect(b.run(copy(1), { stallSeconds: 60 }).completed).toBe(false);
  expect(b.accelerator.lifetimeOf(9)).toBe(1000n);
});

test("a power cycle brings a hung governor back", () => {
  const { board: b } = board();
  expect(() => b.request(Uint8Array.of(1))).toThrow(BoardError);
  b.powerOff();
  b.powerOn();
  expect(b.fault).toBeUndefined();
  expect(b.request(Uint8Array.of(0))).toEqual(Uint8Array.of(0));
});

test("while the governor lives, a class that runs low is refilled in time", () => {
  const { board: b } = board();
  b.request(Uint8Array.of(8));
  const { completed, seconds } = b.run(copy(5));
  expect([completed, seconds]).toEqual([true, 5]);
});

test("a governor that hangs in a tick stops the gate without throwing at whoever lets time pass", () => {
  const { board: b, events } = board();
  b.request(Uint8Array.of(8));
  const state = b.state()!;
  new DataView(state.buffer).setUint32(12, 1, true);
  b.restore({ ...b.snapshot(), state });
  b.advance(10);
  expect(events.filter((event) => event.kind === "hung")).toHaveLength(1);
  expect(() => b.request(Uint8Array.of(0))).toThrow(code("board/hung"));
});

test("a request longer than the mailbox never reaches the governor", () => {
  const { board: b } = board();
  expect(() => b.request(new Uint8Array(4097))).toThrow(code("board/message-too-long"));
  expect(b.request(new Uint8Array(4096)).length).toBe(4096);
});

test("RAM is gone after a power cut, and zero after the next power-up", () => {
  const { board: b } = board();
  for (let i = 0; i < 3; i++) b.request(Uint8Array.of(10));
  b.supply.cutAfterOperations(1);
  expect(() => b.request(Uint8Array.of(9))).toThrow(PowerCut);
  expect([b.on, b.state(), b.gateState]).toEqual([false, undefined, GateState.LOCKED]);
  b.powerOn();
  expect(b.request(Uint8Array.of(10))).toEqual(Uint8Array.of(1, 0, 0, 0));
});

test("a snapshot is a copy of the State block: what was counted after it is forgotten", () => {
  const { board: b } = board();
  b.request(Uint8Array.of(10));
  const before = b.snapshot();
  b.request(Uint8Array.of(10));
  b.restore(before);
  expect(b.request(Uint8Array.of(10))).toEqual(Uint8Array.of(2, 0, 0, 0));
});

test("without power there is no answer, and power cannot be switched on twice", () => {
  const { board: b } = board();
  expect(() => b.powerOn()).toThrow(code("board/on"));
  expect(() => b.setImage(image)).toThrow(code("board/on"));
  b.powerOff();
  expect(() => b.request(Uint8Array.of(0))).toThrow(code("board/off"));
  expect(() => b.submit(copy(1))).toThrow(code("board/off"));
});

test("a 64-bit global is read by its name, and what ships has none", () => {
  const rig = Rig.ready();
  const counting = bareGovernor(rig, knobsOf(rig), new GovernorImage(counted(governorImage().bytes)));
  const before = counting.global64("count.instructions");
  counting.tick();
  expect(counting.global64("count.instructions")).toBeGreaterThan(before);
  const shipped = bareGovernor(rig, knobsOf(rig));
  expect(() => shipped.global64("count.instructions")).toThrow(code("module/export"));
  expect(() => shipped.global64("tick")).toThrow(code("module/export"));
});
