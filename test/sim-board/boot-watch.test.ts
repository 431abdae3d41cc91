/** A boot that is watched step by step is the boot that ships. */
import { describe, expect, it } from "vitest";
import { BootProgress } from "../../firmware/protocol/board.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { profileBoot } from "../../sim-board/boot-profile.ts";
import { runBootRom } from "../../sim-board/boot-rom.ts";
import { WatchedImage } from "../../sim-board/boot-watch.ts";
import { Governor, GovernorImage } from "../../sim-board/governor-module.ts";
import { halOf } from "../../sim-board/hal.ts";
import { governorImage, Rig } from "../rig.ts";
import { toyGovernor } from "./toy-governor.ts";

const STEPS = Array.from({ length: BootProgress.READY + 1 }, (_, step) => step);
const code = (value: string) => expect.objectContaining({ code: value });

/** A device with a license and a pause behind it, off. */
function used(): Rig {
  const rig = Rig.open();
  rig.must(rig.send(Command.REPORT));
  rig.board.powerOff();
  return rig;
}

describe("a watched boot", () => {
  it("tells every step once, in order, and leaves the State, flash and counter that any boot leaves", () => {
    const boots = [false, true].map((isWatched) => {
      const { board } = used();
      const hal = halOf(board, () => {});
      board.fuses.reset();
      const handoff = runBootRom(board.fuses, governorImage().sha256);
      const steps: number[] = [];
      const governor = isWatched
        ? new WatchedImage(governorImage(), hal).governor(hal, (step) => steps.push(step))
        : new Governor(governorImage(), hal);
      const answers = [governor.boot(handoff), Buffer.from(governor.doorbell(Uint8Array.of(0x81, Command.INFO)))];
      return {
        steps,
        left: { answers, state: governor.state(), counter: board.counter.read(), flash: board.flash.image() },
      };
    });
    expect(boots[1]!.steps).toEqual(STEPS);
    expect(boots[0]!.left.answers[0]).toBe(0);
    expect(boots[1]!.left).toEqual(boots[0]!.left);
  });

  it("stops telling where it dies", () => {
    const { board } = used();
    const hal = { ...halOf(board, () => {}), trngFill: (destination: Uint8Array) => void destination.fill(0) };
    const steps: number[] = [];
    const governor = new WatchedImage(governorImage(), hal).governor(hal, (step) => steps.push(step));
    board.fuses.reset();
    expect(governor.boot(runBootRom(board.fuses, governorImage().sha256))).not.toBe(0);
    expect(steps).toEqual(STEPS.slice(0, BootProgress.TRNG + 1));
  });

  it("differs from the image that ships in three bytes a step, and in no other", () => {
    const { board } = used();
    const { image } = new WatchedImage(
      governorImage(),
      halOf(board, () => {}),
    );
    const shipped = governorImage().bytes;
    expect(image.bytes.length).toBe(shipped.length);
    expect(image.bytes.filter((byte, i) => byte !== shipped[i]).length).toBeLessThanOrEqual(3 * STEPS.length);
  });

  it("of an image that keeps no such steps is refused", async () => {
    const { board } = used();
    const hal = halOf(board, () => {});
    const toy = new GovernorImage(await toyGovernor());
    expect(() => new WatchedImage(toy, hal)).toThrow(code("module/import"));
    const watched = new WatchedImage(governorImage(), hal).image;
    expect(() => new WatchedImage(watched, hal)).toThrow(code("module/form"));
  });
});

describe("a boot's profile", () => {
  it("has a time for each step from reset to a challenge, by the clock that it is given", () => {
    let clock = 0n;
    const profile = profileBoot(used().board, 3, () => {
      clock += 1000n;
      return clock;
    });
    expect(profile.stages.map(({ stage }) => stage)).toEqual(["rom", "memory", ...STEPS.slice(0, -1), "challenge"]);
    expect(profile.stages.map(({ us }) => us)).toEqual(profile.stages.map(() => 1));
    expect(profile).toMatchObject({ boots: 3, totalUs: profile.stages.length });
  });

  it("is refused for a board that has power", () => {
    expect(() => profileBoot(Rig.open().board, 1, () => 0n)).toThrow(code("board/on"));
  });
});
