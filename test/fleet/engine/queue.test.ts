/** The order of events: by time, and at one instant as they were put down. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { EventQueue } from "../../../fleet/engine/queue.ts";

it("gives what is due in order of time, and at one instant in the order in which it was put down", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (times) => {
      const queue = new EventQueue<number>();
      times.forEach((atMs, i) => {
        queue.put(atMs, i);
      });
      const taken: number[] = [];
      for (let next = queue.take(20); next; next = queue.take(20)) taken.push(next.what);
      const wanted = times.map((_, i) => i).sort((a, b) => times[a]! - times[b]! || a - b);
      expect(taken).toEqual(wanted);
    }),
  );
});

it("gives nothing of what is due later, and keeps it", () => {
  const queue = new EventQueue<string>();
  queue.put(5, "late");
  expect(queue.take(4)).toBeUndefined();
  expect(queue.take(5)?.what).toBe("late");
  expect([queue.size, queue.taken]).toEqual([0, 1]);
});
