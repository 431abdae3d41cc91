/** The agent's steps are written once: the daemon, which waits, and the demo, where nothing may wait, run the same. */
import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Agent, type VerifierLink } from "../../../host/agent/agent.ts";
import { DriverError } from "../../../host/agent/driver.ts";
import { ask, runAsync, runSync, type Step } from "../../../host/agent/step.ts";
import { MemoryStore } from "../../../host/agent/store.ts";
import { ClientError } from "../../../host/client/errors.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import type { Verifier } from "../../../host/verifier/verifier.ts";
import { phaseOf } from "../../rig.ts";
import { asyncStore } from "../client/circle-site.ts";
import { OK, REQUEST, VerifiedBoard } from "./site.ts";

/** Keeps reports in memory, room for two, and answers late. */
class LateStore extends MemoryStore {
  override get hasRoom(): boolean {
    return this.waiting().length < 2;
  }
}

/** Everything answers later than it is asked. */
function late(site: VerifiedBoard, verifier: VerifierLink<"async"> = lateLink(site.verifier), store = new LateStore()) {
  const mailbox = new Mailbox<"async">(async (request) => site.board.request(request));
  return new Agent<"async">(mailbox, verifier, { run: runAsync, store: asyncStore(store) });
}

function lateLink(verifier: Verifier): VerifierLink<"async"> {
  return {
    agreementsAfter: async (version) => verifier.agreementsAfter(version),
    enrol: async (endorsement, certificate) => verifier.enrol(endorsement, certificate),
    challenge: async (ueid) => verifier.challenge(ueid),
    issueLicense: async (evidence, request) => verifier.issueLicense(evidence, request!),
    issueRecovery: async (evidence) => verifier.issueRecovery(evidence),
    appraise: async (evidence) => verifier.appraise(evidence),
    acceptReport: async (report, intervals) => verifier.acceptReport(report, intervals),
    ordersAfter: async (epoch) => verifier.ordersAfter(epoch),
    beacon: async () => verifier.beacon(),
    timeProof: async (nonce) => verifier.timeProof(nonce),
    logProof: async (digest) => verifier.logProof(digest),
  };
}

const unreachable = async () => {
  throw new ClientError("client/connect", "ECONNREFUSED");
};

describe("a step", () => {
  const give = <T>(value: T): Step<T> => ask<"sync", T>(() => value);

  it("gives the same whether its answers come at once or later", async () => {
    function* step(): Step<number> {
      return (yield* give(1)) + (yield* give(2));
    }
    expect(runSync(step())).toBe(3);
    expect(await runAsync(step())).toBe(3);
  });

  it("can catch what a call throws, and what it does not catch is thrown to whoever runs it", async () => {
    const bad = () =>
      ask<"sync", number>(() => {
        throw new Error("refused");
      });
    function* careful(): Step<string> {
      try {
        yield* bad();
        return "done";
      } catch (error) {
        return (error as Error).message;
      }
    }
    expect(runSync(careful())).toBe("refused");
    expect(await runAsync(careful())).toBe("refused");
    expect(() => runSync(bad())).toThrow("refused");
    await expect(runAsync(bad())).rejects.toThrow("refused");
  });

  it("is stopped where nothing waits and an answer is a promise", () => {
    const later = () => ask<"async", number>(() => Promise.resolve(1));
    expect(() => runSync(later())).toThrow(TypeError);
    expect(() => runSync(ask<"async", number>(() => Promise.reject(new Error("late"))))).toThrow(TypeError);
  });
});

describe("the agent that waits for its answers", () => {
  it("brings a board to work, carries a pause and a resume, and closes the loop like the one that does not", async () => {
    const site = new VerifiedBoard();
    const agent = late(site);
    const steps = [() => agent.provision(), () => agent.enrol(site.endorsement), () => agent.syncTime()];
    for (const step of steps) expect(await step()).toEqual(OK);
    expect(await agent.needsRenewal()).toBe(true);
    expect(await agent.renew(REQUEST)).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.OPEN);
    expect(await agent.needsRenewal()).toBe(false);
    site.board.run(phaseOf(60));
    site.order(OrderAction.PAUSE);
    expect(await agent.deliverOrders()).toEqual(OK);
    expect(await agent.drainDone()).toEqual(OK);
    expect(await agent.renew(REQUEST)).toMatchObject({ ok: false, by: "verifier", code: "license/paused" });
    site.order(OrderAction.RESUME);
    expect(await agent.deliverOrders()).toEqual(OK);
    expect(await agent.license(REQUEST)).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.OPEN);
  });

  it("makes reports while the verifier is away until its store is full, and then no more", async () => {
    const site = new VerifiedBoard();
    const store = new LateStore();
    const link = lateLink(site.verifier);
    let isAway = false;
    const acceptReport: VerifierLink<"async">["acceptReport"] = (report, intervals) =>
      isAway ? unreachable() : link.acceptReport(report, intervals);
    const agent = late(site, { ...link, acceptReport }, store);
    await agent.provision();
    await agent.enrol(site.endorsement);
    await agent.syncTime();
    isAway = true;
    for (let i = 0; i < 4; i++) {
      expect(await agent.report()).toMatchObject({ by: "link", code: "client/connect" });
      site.board.advance(60);
    }
    expect(store.waiting()).toHaveLength(2);
    expect((await agent.info()).reportHead.sequence).toBe(2n);
    isAway = false;
    expect(await agent.report()).toEqual(OK);
    expect(store.waiting()).toHaveLength(0);
    expect((await agent.info()).reportHead.sequence).toBe(3n);
  });

  it("gives the board a pause even if nobody tells it the time, and says why the clock is not set", async () => {
    const site = new VerifiedBoard();
    const agent = late(site);
    await agent.provision();
    await agent.enrol(site.endorsement);
    await agent.syncTime();
    site.board.cutPower();
    site.board.powerOn();
    site.order(OrderAction.PAUSE);
    const deaf = late(site, { ...lateLink(site.verifier), timeProof: unreachable });
    expect(await deaf.deliverOrders()).toMatchObject({ ok: false, by: "link", code: "client/connect" });
    expect(site.board.gateState).toBe(GateState.PAUSED);
  });

  it("says that the board is not reached as its own kind of failure, and throws what is a fault", async () => {
    const site = new VerifiedBoard();
    const parts = { run: runAsync, store: asyncStore(new MemoryStore()) };
    const agentOver = (error: Error) =>
      new Agent<"async">(new Mailbox<"async">(() => Promise.reject(error)), lateLink(site.verifier), parts);
    const outcome = await agentOver(new DriverError("driver/timeout")).syncTime();
    expect(outcome).toMatchObject({ ok: false, by: "link", code: "driver/timeout" });
    await expect(agentOver(new RangeError("a fault")).syncTime()).rejects.toThrow("a fault");
    const board = await late(site).syncTime();
    expect(board).toMatchObject({ ok: false, by: "board", code: ErrorCode.AGREEMENT_MISSING });
  });
});
