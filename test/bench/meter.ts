/** What metering costs while work flows: a tick with nothing due, and a slice reserved, recorded and granted. */

import { StateHead } from "../../firmware/protocol/board.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { Command } from "../../firmware/protocol/commands.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { loadPrimitives } from "../primitives.ts";
import { Rig } from "../rig.ts";
import { bareGovernor, bareHal, knobsOf, recordBytes } from "./bare-governor.ts";
import { LONG_LIFE } from "./boot.ts";
import type { Bench, Case } from "./frame.ts";

const SLICE_TICKS = 2n;
const RATE_PER_TICK = 1_000_000n;
const BUDGET = 10n ** 18n;
const YEAR_SECONDS = 31_536_000;

export const meter: Bench = {
  about: "a tick and a slice of an open gate, against the counter reads and the record's HMAC in them alone",
  cases(): Case[] {
    const [quiet, busy] = [openRig(), openRig()];
    const resting = knobsOf(quiet);
    const idle = bareGovernor(quiet, resting);
    const idleHal = bareHal(quiet, resting);
    const working = knobsOf(busy);
    const governor = bareGovernor(busy, working);
    const primitives = loadPrimitives();
    const [key, record] = [new Uint8Array(32), new Uint8Array(recordBytes(busy))];
    return [
      {
        name: "a tick, nothing due",
        against: "its counter reads alone",
        ours: () => idle.tick(),
        theirs() {
          idleHal.tamperRead();
          idleHal.ticks();
          for (let c = 0; c < EngineClass.COUNT; c++) idleHal.workRead(c);
        },
      },
      {
        name: "a slice: settle, record, step, grant",
        against: "its record's HMAC alone",
        ours() {
          // All that was granted is done, and a slice period has passed.
          for (let c = 0; c < EngineClass.COUNT; c++) working.retired[c]! += working.credit[c]!;
          working.credit.fill(0n);
          working.ticks += SLICE_TICKS;
          governor.tick();
          if (working.credit[EngineClass.TENSOR_BF16] === 0n)
            throw new Error(whyNot(governor.stateWord(StateHead.GATE_STATE)));
        },
        theirs: () => void primitives.hmacSha256(key, record),
      },
    ];
  },
};

/** A gate that stays open through any number of slices. */
function openRig(): Rig {
  const rig = Rig.ready(
    {
      caps: new Map([
        [EngineClass.TENSOR_BF16, { budgetMax: BUDGET, rateMax: RATE_PER_TICK }],
        [EngineClass.COPY, { budgetMax: BUDGET, rateMax: RATE_PER_TICK }],
      ]),
      drain: new Map(),
      sliceTicks: SLICE_TICKS,
      leaseSeconds: YEAR_SECONDS,
      licenseTicksMax: BigInt(YEAR_SECONDS) * 1000n,
    },
    { ...LONG_LIFE, invariants: false },
  );
  rig.must(
    rig.send(
      Command.LICENSE,
      rig.license({
        expirySeconds: rig.nowSeconds + YEAR_SECONDS,
        ticksMax: BigInt(YEAR_SECONDS) * 1000n,
        budget: new Map([
          [EngineClass.TENSOR_BF16, BUDGET],
          [EngineClass.COPY, BUDGET],
        ]),
        drain: new Map(),
      }),
    ),
  );
  return rig;
}

function whyNot(gate: number): string {
  return gate === GateState.OPEN ? "no slice was granted" : `the gate left OPEN for 0x${gate.toString(16)}`;
}
