/** Several verifiers, each with a party's key: what takes a quorum is gathered from those that are there and agree. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OrderAction } from "../../../firmware/protocol/claims.ts";
import { GateState } from "../../../firmware/protocol/states.ts";
import { Circle, CircleError } from "../../../host/client/circle.ts";
import { MemoryShelf, Uploads } from "../../../host/client/uploads.ts";
import { Mailbox } from "../../../host/mailbox.ts";
import { decodeUsageReport } from "../../../host/objects/usage-report.ts";
import { parseSign, parseSign1 } from "../../../host/protocol/cose.ts";
import { hexOf } from "../../../host/verifier/bytes.ts";
import { phaseOf } from "../../rig.ts";
import { OK } from "../agent/site.ts";
import { eventually } from "../eventually.ts";
import { CircleSite, NAMES } from "./circle-site.ts";
import { problem, send } from "./fake-http.ts";

let site: CircleSite;
beforeEach(async () => {
  site = await CircleSite.open();
});
afterEach(() => site.close());

/** Cuts every request to this verifier off. */
function down(index: number, isDown = true): void {
  site.https[index]!.fault = (_asked, response) => isDown && response.destroy() !== undefined;
}

function signersOfLicense(): string[] {
  const license = site.verifiers.map(({ storage }) => storage.license(hexOf(ueid()), 1n));
  const whole = license.findLast((stored) => stored !== undefined && parseSign(stored.bytes).signatures.length === 2)!;
  return parseSign(whole.bytes).signatures.map(({ kid }) => {
    return site.world.agreement.parties.find((party) => hexOf(party.kid) === hexOf(kid!))!.name;
  });
}

function ueid(): Uint8Array {
  return [...site.verifiers[0]!.storage.devices(), ...site.verifiers[1]!.storage.devices()][0]!.ueid;
}

describe("a license that takes two verifiers", () => {
  it("is signed by the first two that agree, over one evidence, and opens the gate", async () => {
    await site.commission();
    expect(await site.agent.renew()).toEqual(OK);
    expect(site.board.gateState).toBe(GateState.OPEN);
    expect(signersOfLicense()).toEqual(["party 0", "party 1"]);
  });

  it("is shown to the verifiers that were not asked to sign, which then know what reports speak of", async () => {
    await site.commission();
    await site.agent.renew();
    await eventually(() => expect(site.verifiers[2]!.storage.license(hexOf(ueid()), 1n)).toBeDefined());
    expect(site.https.map((http) => http.count("/v1/licenses"))).toEqual([1, 1, 1]);
  });

  it("is renewed while work goes on, and each verifier has the whole chain of reports", async () => {
    await site.commission();
    for (let round = 1; round <= 3; round++) {
      expect(await site.agent.renew()).toEqual(OK);
      site.board.run(phaseOf(120));
    }
    expect(await site.agent.report()).toEqual(OK);
    const chains = () => site.verifiers.map(({ taken }) => taken.get(hexOf(ueid()))!);
    const [chain] = chains();
    expect(chain!.length).toBeGreaterThanOrEqual(3);
    await eventually(async () => {
      await site.agent.uploadReports();
      expect(chains()).toEqual([chain, chain, chain]);
    });
  });

  it.each([
    [0, ["party 1", "party 2"]],
    [1, ["party 0", "party 2"]],
    [2, ["party 0", "party 1"]],
  ])("comes about with verifier %i down", async (index, signers) => {
    await site.commission();
    down(index);
    expect(await site.agent.renew()).toEqual(OK);
    expect(signersOfLicense()).toEqual(signers);
  });

  it("passes a verifier over that goes down between its nonce and its signature, or refuses", async () => {
    await site.commission();
    site.https[1]!.fault = ({ path }, response) => path === "/v1/licenses" && response.destroy() !== undefined;
    expect(await site.agent.renew()).toEqual(OK);
    expect(signersOfLicense()).toEqual(["party 0", "party 2"]);
    site.board.run(phaseOf(60));
    site.https[1]!.fault = ({ path }, response) => {
      if (path === "/v1/licenses")
        send(response, problem(403, "license/paused", "policy", "a pause order is in force"));
      return path === "/v1/licenses";
    };
    expect((await site.agent.renew()).ok).toBe(true);
  });

  it("does not come about with one verifier alone, and it is said who failed with what", async () => {
    await site.commission();
    down(1);
    down(2);
    const outcome = await site.agent.license();
    expect(outcome).toMatchObject({ ok: false, by: "link", code: "client/quorum" });
    expect(outcome).toHaveProperty("message", expect.stringMatching(/1 of 2/));
    expect(site.board.gateState).toBe(GateState.IDLE);
  });

  it("is refused by the one code that all give", async () => {
    await site.commission();
    for (const http of site.https) {
      http.fault = ({ path }, response) => {
        if (path === "/v1/licenses") send(response, problem(403, "evidence/svn", "policy", "too low"));
        return path === "/v1/licenses";
      };
    }
    const error = await site.circle.license(await evidence()).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(CircleError);
    expect(
      error.failures.map(({ name, error }: { name: string; error: { code: string } }) => [name, error.code]),
    ).toEqual(NAMES.map((name) => [name, "evidence/svn"]));
  });
});

async function evidence(): Promise<Uint8Array> {
  const mailbox = new Mailbox((request) => site.board.request(request));
  return mailbox.evidence(await site.circle.challenge(mailbox.info().ueid));
}

describe("what any verifier can give", () => {
  it("comes from one that is there", async () => {
    await site.commission();
    down(0);
    expect(await site.circle.beacon()).toEqual(site.verifiers[1]!.beacon());
    const before = site.https[0]!.asked.length;
    expect(await site.circle.timeProof(new Uint8Array(32))).toBeInstanceOf(Uint8Array);
    // One that failed just now is not waited for again.
    expect(site.https[0]!.asked).toHaveLength(before);
  });

  it("fails only when all are down, with the first one's failure", async () => {
    for (const index of [0, 1, 2]) down(index);
    await expect(site.circle.beacon()).rejects.toMatchObject({ code: "client/connect" });
    await expect(site.circle.ordersAfter(0)).rejects.toMatchObject({ code: "client/connect" });
  });

  it("an order is carried even if a single verifier has it yet", async () => {
    await site.commission();
    await site.agent.renew();
    site.verifiers[2]!.take(site.world.order(OrderAction.PAUSE, site.verifiers[2]!));
    expect((await site.agent.info()).epoch).toBe(0);
    await site.agent.deliverOrders();
    expect((await site.agent.info()).epoch).toBe(1);
    expect(site.board.gateState).toBe(GateState.DRAINING);
  });
});

describe("a verifier that lags", () => {
  it("is given the reports that it lacks, in order, as soon as it is back, and signs again", async () => {
    await site.commission();
    await site.agent.renew();
    await eventually(() => expect(site.verifiers[2]!.storage.license(hexOf(ueid()), 1n)).toBeDefined());
    down(2);
    for (let round = 0; round < 3; round++) {
      site.board.run(phaseOf(60));
      expect(await site.agent.report()).toEqual(OK);
    }
    const name = hexOf(ueid());
    const [north, , west] = site.verifiers;
    expect(west!.taken.get(name)!.length).toBeLessThan(north!.taken.get(name)!.length);
    down(2, false);
    down(0);
    expect(await site.agent.renew()).toEqual(OK);
    expect(west!.taken.get(name)).toEqual(site.verifiers[1]!.taken.get(name));
    expect(west!.storage.license(hexOf(ueid()), 2n)).toBeDefined();
  });

  it("because others signed licenses without it is shown them, and takes the reports that speak of them", async () => {
    await site.commission();
    down(2);
    for (let round = 0; round < 3; round++) {
      expect(await site.agent.renew()).toEqual(OK);
      site.board.run(phaseOf(60));
    }
    down(2, false);
    expect(await site.agent.report()).toEqual(OK);
    const name = hexOf(ueid());
    expect(site.verifiers[2]!.taken.get(name)).toEqual(site.verifiers[0]!.taken.get(name));
  });

  it("because it went back to a backup is given everything again from the oldest that is kept", async () => {
    await site.commission();
    await site.agent.renew();
    site.board.run(phaseOf(60));
    await site.agent.report();
    const name = hexOf(ueid());
    const south = site.verifiers[1]!;
    const fresh = { ...south.storage.device(name)!, chain: { ...south.storage.device(name)!.chain } };
    const empty = { head: { sequence: 0n, digest: new Uint8Array(32) }, totals: fresh.chain.totals.map(() => 0n) };
    south.storage.putDevice({ ...fresh, chain: { ...empty, bootCount: 0, toTick: 0n, licenseSequence: 0n } });
    south.taken.clear();
    site.board.run(phaseOf(60));
    await eventually(async () => {
      await site.agent.report();
      expect(south.taken.get(name)).toEqual(site.verifiers[0]!.taken.get(name));
    });
  });
});

describe("a report that is not kept any more", () => {
  it("is missed once by a verifier that lacks it, and not for ever", async () => {
    await site.commission();
    await site.agent.renew();
    const mailbox = new Mailbox((request) => site.board.request(request));
    const shelf = new MemoryShelf(10);
    for (const isKept of [true, false, true]) {
      site.board.run(phaseOf(10));
      const { report, intervals } = mailbox.report();
      const { sequence } = decodeUsageReport(parseSign1(report).payload);
      if (isKept) shelf.put({ sequence, report, intervals });
    }
    await expect(new Uploads(site.circle, shelf).deliver()).rejects.toThrow("report/gap");
  });
});

describe("a circle", () => {
  it("has one to eight verifiers of different names", () => {
    const [member] = site.circle.members;
    expect(() => new Circle([])).toThrow(/0 verifiers/);
    expect(() => new Circle([member!, member!])).toThrow(/one name/);
    expect(() => new Circle(Array.from({ length: 9 }, (_, i) => ({ ...member!, name: `${i}` })))).toThrow(
      /9 verifiers/,
    );
  });

  it("knows by their parties when enough of them are together, and before it knows asks for all", async () => {
    expect(site.circle.isEnough(["north", "south"])).toBe(false);
    expect(site.circle.isEnough(NAMES)).toBe(true);
    await site.circle.learn();
    expect(site.circle.isEnough(["north", "south"])).toBe(true);
    expect(site.circle.isEnough(["north"])).toBe(false);
  });
});
