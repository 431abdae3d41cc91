/**
 * Intervals of reports that verifiers ask to see, there and back: what they want goes to the site, the openings come from
 * what the site keeps, and each goes to the verifiers that want it still. A verifier asks for one where a report came
 * without its intervals.
 */
import type { Circle } from "../client/circle.ts";
import { decodeIntervals } from "../objects/intervals.ts";
import { encodeOpening, openInterval } from "../objects/opening.ts";
import { type NoncesByBoard, WANTED_MAX, type WantedInterval, wantedFile } from "./documents.ts";
import { CourierError } from "./errors.ts";
import type { Rows } from "./row.ts";
import type { SiteBoard } from "./site-board.ts";
import { OPENINGS, openingFile, type Stick } from "./stick.ts";

/** Of one board, by one verifier, on one stick: the oldest. */
const OF_BOARD_MAX = 64;

/** At the verifiers. Asked are those that gave a nonce: who does not know a board, or is away, was a row there. */
export async function packWanted({ members }: Circle, stick: Stick, given: NoncesByBoard, rows: Rows): Promise<void> {
  const wanted = new Map<string, readonly WantedInterval[]>();
  let count = 0;
  for (const [ueid, nonces] of given) {
    const asked = members.filter(({ name }) => nonces.some(({ verifier }) => verifier === name));
    const lists = await Promise.all(
      asked.map(({ name, client }) =>
        rows.attempt(name, `openings of ${ueid}`, () => client.openingsWanted(bytesOf(ueid))),
      ),
    );
    const all = lists.flatMap((list) => (list ?? []).slice(0, OF_BOARD_MAX));
    // Two verifiers may want the same.
    const unique = new Map(
      all.map(({ reportSequence: sequence, index }) => [`${sequence}-${index}`, { sequence, index }]),
    );
    const intervals = [...unique.values()].slice(0, WANTED_MAX - count);
    if (intervals.length > 0) wanted.set(ueid, intervals);
    count += intervals.length;
  }
  stick.files.delete(OPENINGS);
  if (count === 0) return;
  stick.files.set(OPENINGS, wantedFile(wanted));
  rows.add("verifiers", "openings wanted", "done", `${count} of ${wanted.size} boards`);
}

/** At the site. One that cannot be opened any more holds up no other. */
export async function packOpenings(
  { name, ueid, kept, info }: SiteBoard,
  stick: Stick,
  wanted: readonly WantedInterval[],
  rows: Rows,
): Promise<void> {
  let count = 0;
  for (const { sequence, index } of wanted) {
    await rows.attempt(name, `opening of report ${sequence}`, async () => {
      const bytes = kept.intervalsOf(sequence);
      const intervals = bytes && decodeIntervals(bytes);
      if (!intervals || index >= intervals.length) throw new CourierError("kept/lost", `report ${sequence}`);
      const opening = encodeOpening(openInterval({ ueid: info.ueid, sequence }, intervals, index));
      stick.files.set(openingFile(ueid, sequence, index), opening);
      count += 1;
    });
  }
  if (count > 0) rows.add(name, "openings", "done", `${count}`);
}

/** At the verifiers again. Each is asked what it wants now, so that the same stick twice is no refusal. */
export async function postOpenings({ members }: Circle, stick: Stick, ueid: string, rows: Rows): Promise<void> {
  if (![...stick.files.keys()].some((path) => path.startsWith(`boards/${ueid}/openings/`))) return;
  for (const { name, client } of members) {
    const wanted = await rows.attempt(ueid, "openings", () => client.openingsWanted(bytesOf(ueid)));
    if (!wanted) continue;
    const brought = wanted.flatMap(({ reportSequence, index }) => {
      const opening = stick.files.get(openingFile(ueid, reportSequence, index));
      return opening ? [{ reportSequence, opening }] : [];
    });
    if (brought.length === 0) rows.add(ueid, "openings", "known", `${name} wants none of them`);
    for (const { reportSequence, opening } of brought) {
      await rows.carry(ueid, `opening of report ${reportSequence}`, () => client.open(opening), `for ${name}`);
    }
  }
}

function bytesOf(ueid: string): Uint8Array {
  return new Uint8Array(Buffer.from(ueid, "hex"));
}
