import { describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { Command } from "../../../firmware/protocol/commands.ts";
import { ErrorCode } from "../../../firmware/protocol/errors.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Agent } from "../../../host/agent/agent.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { phaseOf } from "../../rig.ts";
import { BF16, OK, REQUEST, VerifiedBoard } from "./site.ts";

/** With the board's agent. */
class Site extends VerifiedBoard {
  /** Requests that never reach the board, and answers that never come back. */
  loses: (request: Uint8Array, answer: Uint8Array) => boolean = () => false;
  agent = this.newAgent();

  newAgent(): Agent {
    const exchange = (request: Uint8Array) => {
      const answer = this.board.request(request);
      if (this.loses(request, answer)) throw new Error("connection lost");
      return answer;
    };
    return new Agent(new Mailbox(exchange), this.verifier);
  }

  /** Provisioned, enrolled, licensed, open. */
  static open(): Site {
    const site = new Site();
    const { agent } = site;
    expect([agent.provision(), agent.enrol(site.endorsement), agent.syncTime(), agent.renew(REQUEST)]).toEqual(
      new Array(4).fill(OK),
    );
    expect(site.board.gateState).toBe(GateState.OPEN);
    return site;
  }

  /** Work with a beacon a minute. */
  work(minutes: number): void {
    for (let i = 0; i < minutes; i++) {
      this.board.run(phaseOf(60));
      expect(this.agent.deliverBeacon()).toEqual(OK);
    }
  }

  expectBooksEqual(): void {
    expect(this.agent.report()).toEqual(OK);
    this.verifier.appraise(this.#evidence());
    for (const { engineClass, licensed, reported } of this.verifier.books()) {
      expect(licensed, `class ${engineClass}`).toBe(reported);
      expect(reported, `class ${engineClass}`).toBe(this.board.accelerator.lifetimeOf(engineClass));
    }
  }

  #evidence(): Uint8Array {
    const mailbox = new Mailbox((request) => this.board.request(request));
    return mailbox.evidence(this.verifier.challenge(mailbox.info().ueid));
  }
}

describe("the operator's agent", () => {
  it("brings a board from the factory to work, and renews its license until the work is done and the books are equal", () => {
    const site = Site.open();
    let renewals = 0;
    for (let i = 0; i < 10; i++) {
      site.work(3);
      if (site.agent.needsRenewal()) {
        expect(site.agent.renew(REQUEST)).toEqual(OK);
        renewals += 1;
      }
    }
    expect(renewals).toBeGreaterThanOrEqual(1);
    expect(site.board.accelerator.lifetimeOf(BF16)).toBe(30n * 60n * 10n ** 14n);
    site.expectBooksEqual();
  });

  it("carries a pause to the board, which comes to rest, and a resume, after which work goes on", () => {
    const site = Site.open();
    site.work(2);
    site.order(OrderAction.PAUSE);
    expect(site.agent.deliverOrders()).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.DRAINING);
    expect(site.agent.drainDone()).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.PAUSED);
    expect(site.agent.renew(REQUEST)).toMatchObject({ ok: false, by: "verifier", code: "license/paused" });

    site.order(OrderAction.RESUME);
    expect(site.agent.deliverOrders()).toEqual(OK);
    expect(site.agent.renew(REQUEST)).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.OPEN);
    site.work(2);
    site.expectBooksEqual();
  });

  it("catches a board up that missed several orders", () => {
    const site = Site.open();
    for (const action of [OrderAction.PAUSE, OrderAction.RESUME, OrderAction.PAUSE]) site.order(action);
    expect(site.agent.deliverOrders()).toEqual(OK);
    expect(site.agent.info().epoch).toBe(3);
    expect([GateState.DRAINING, GateState.PAUSED]).toContain(site.board.gateState);
  });

  it("slows a board without stopping its work", () => {
    const site = Site.open();
    const { id } = site.verifier.proposeOrder({ action: OrderAction.SLOW, permille: 500 });
    site.verifier.approveOrder(id, site.parties[0]!);
    expect(site.agent.deliverOrders()).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.SLOWED);
  });

  it("uploads a report whose answer was lost, and no usage is missing", () => {
    const site = Site.open();
    site.work(1);
    site.loses = (request) => request[1] === Command.REPORT;
    expect(() => site.agent.report()).toThrow("connection lost");
    site.loses = () => false;
    site.work(1);
    expect(site.agent.renew(REQUEST)).toEqual(OK);
    site.expectBooksEqual();
  });

  it("goes on after a crash in which it forgot everything", () => {
    const site = Site.open();
    site.work(1);
    site.loses = (request) => request[1] === Command.REPORT;
    expect(() => site.agent.report()).toThrow("connection lost");
    site.loses = () => false;
    site.agent = site.newAgent();
    expect(site.agent.needsRenewal()).toBe(true);
    expect(site.agent.renew(REQUEST)).toEqual(OK);
    expect(site.agent.needsRenewal()).toBe(false);
    site.expectBooksEqual();
  });

  it("asks for the same license again when its answer was lost, by new evidence", () => {
    const site = Site.open();
    site.loses = (request) => request[1] === Command.EVIDENCE;
    expect(() => site.agent.renew(REQUEST)).toThrow("connection lost");
    site.loses = () => false;
    expect(site.agent.renew(REQUEST)).toEqual(OK);
  });

  it("says which end refused a step, with the code", () => {
    const site = new Site();
    expect(site.agent.syncTime()).toMatchObject({ ok: false, by: "board", code: ErrorCode.AGREEMENT_MISSING });
    expect(site.agent.provision()).toEqual(OK);
    const renewal = site.agent.renew(REQUEST);
    expect(renewal).toMatchObject({ ok: false, by: "verifier", code: "device/unknown" });
  });

  it("sets the clock again after a power cut, and the license in force goes on", () => {
    const site = Site.open();
    site.work(1);
    site.board.cutPower();
    site.board.powerOn();
    expect(site.agent.deliverBeacon()).toMatchObject({ ok: false, by: "board", code: ErrorCode.TIME_UNKNOWN });
    expect(site.agent.syncTime()).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.OPEN);
    site.work(1);
    expect(site.agent.renew(REQUEST)).toEqual(OK);
  });

  it("recovers a board whose flash was rolled back, with all that it may have done counted as done", () => {
    const site = Site.open();
    const image = site.board.flash.snapshot();
    site.work(2);
    expect(site.agent.renew(REQUEST)).toEqual(OK);
    site.board.cutPower();
    site.board.flash.restore(image);
    site.board.powerOn();
    expect(site.board.gateState).toBe(GateState.LOCKED);
    expect(site.agent.renew(REQUEST).ok).toBe(false);
    expect(site.agent.recover()).toEqual(OK);
    expect(site.agent.syncTime()).toEqual(OK);
    expect(site.agent.renew(REQUEST)).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.OPEN);
    const row = site.verifier.books()[BF16]!;
    // Both licenses, wholly: nobody can say what was left of the first when the second came.
    expect(row.licensed).toBe(2n * 10n ** 17n);
    expect(row.reported).toBe(row.licensed);
  });
});
