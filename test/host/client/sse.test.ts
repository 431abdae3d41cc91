/** Events come whole however the network cuts them, and none of them fills the memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventParser, type SentEvent } from "../../../host/client/sse.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a stream of events", () => {
  it("is read like the standard says: types, data of several lines, comments, and fields that mean nothing here", () => {
    const text =
      "retry: 2000\n: listening\n\nevent: beacon\ndata: one\ndata:two\nid: 7\n\n" +
      "data: plain\r\n\r\nevent: empty\n\n:\n\nevent: order\rdata: {}\r\rdata: not yet whole\n";
    expect(new EventParser().take(bytes(text))).toEqual([
      { type: "beacon", data: "one\ntwo" },
      { type: "message", data: "plain" },
      { type: "order", data: "{}" },
    ]);
  });

  it("gives the same events wherever it is cut, in the middle of a character too", () => {
    const line = fc.string({ unit: "binary" }).map((text) => text.replace(/[\r\n\0]/g, "."));
    const event = fc.record({ type: fc.constantFrom("beacon", "order"), data: line });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (events, sizes) => {
          const whole = bytes(events.map(({ type, data }) => `event: ${type}\ndata: ${data}\n\n`).join(""));
          const parser = new EventParser();
          const found: SentEvent[] = [];
          for (let at = 0; at < whole.length; ) {
            const size = sizes.next().value as number;
            found.push(...parser.take(whole.subarray(at, at + size)));
            at += size;
          }
          expect(found).toEqual(events.map(({ type, data }) => ({ type, data })));
        },
      ),
    );
  });

  it("with an event or a line that has no end is left", () => {
    const piece = bytes("x".repeat(40_000));
    const line = new EventParser();
    line.take(piece);
    expect(() => line.take(piece)).toThrow(/longer than it may be/);
    const event = new EventParser();
    const data = bytes(`data: ${"x".repeat(1000)}\n`);
    expect(() => {
      for (let i = 0; i < 100; i++) event.take(data);
    }).toThrow(/longer than it may be/);
  });
});
