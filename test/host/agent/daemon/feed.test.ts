/** What goes on beside the feed: gossip that hangs or fails holds up no order, and ends with the feed. */
import { afterEach, describe, expect, it } from "vitest";
import { OrderAction } from "../../../../firmware/protocol/claims.ts";
import { Feed, type FeedOptions } from "../../../../host/agent/daemon/feed.ts";
import { Circle } from "../../../../host/client/circle.ts";
import { VerifierClient } from "../../../../host/client/client.ts";
import { ClientError } from "../../../../host/client/errors.ts";
import { FakeHttp } from "../../client/fake-http.ts";
import { FakeVerifier, FakeWorld } from "../../client/fake-service.ts";
import { eventually } from "../../eventually.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function feedOf(onAsked: NonNullable<FeedOptions["onAsked"]>) {
  const verifier = new FakeVerifier(new FakeWorld(), "north");
  const http = await FakeHttp.start(verifier);
  const circle = new Circle([{ name: "north", client: new VerifierClient({ url: http.url, triesMax: 1 }) }]);
  const [failures, faults]: [string[], unknown[]] = [[], []];
  const feed = new Feed(circle, {
    pollMs: 10,
    onChange: () => {},
    onFault: (error) => faults.push(error),
    onFailure: (name, { code }) => failures.push(`${name} ${code}`),
    onAsked,
  });
  feed.start();
  const stop = async () => {
    const ending = feed.stop();
    await circle.close();
    await ending;
  };
  closers.push(stop, () => http.close());
  return { verifier, http, feed, stop, failures, faults };
}

describe("what goes on after a verifier was asked", () => {
  it("holds up no order where it hangs, is under way once, and ends with the feed", async () => {
    let [calls, ended] = [0, 0];
    const { verifier, http, feed, stop, faults } = await feedOf(async (_member, _logs, signal) => {
      calls += 1;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended += 1;
    });
    await eventually(() => expect(calls).toBe(1));
    verifier.take(verifier.world.order(OrderAction.PAUSE, verifier));
    await eventually(() => expect(feed.epochNewest).toBe(1), 5_000);
    const asked = http.count("/v1");
    await eventually(() => expect(http.count("/v1")).toBeGreaterThan(asked + 3), 5_000);
    await stop();
    expect([calls, ended, faults]).toEqual([1, 1, []]);
  });

  it("is the verifier's failure or a fault where it rejects, and the feed goes on", async () => {
    const errors: (Error | undefined)[] = [new ClientError("client/answer", "no heads"), new TypeError("a mistake")];
    const { feed, failures, faults } = await feedOf(async () => {
      const error = errors.shift();
      if (error) throw error;
    });
    const state = feed.states.get("north")!;
    await eventually(() => expect(faults).toMatchObject([{ message: "a mistake" }]), 5_000);
    expect(failures).toEqual(["north client/answer"]);
    expect(state.failure).toBeUndefined();
    await eventually(() => expect(state.headsFailure).toBeUndefined(), 5_000);
  });
});
