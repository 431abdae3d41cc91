/**
 * An input: a start, and steps from there. It says what is done, not the bytes that come of it, so an input means the
 * same under another build, whose challenges and device keys differ. As text it is the id that replays a finding, and a
 * line of a corpus:
 *
 *     open:t60000,pause/k3/p12.4.AQID/m0.1.,work,challenge
 *
 * The clock goes on 60,000 ticks and ticks. A pause order is signed by the first two signers (bits of `k`); before that 4
 * bytes of its payload, from byte 12 on, are replaced by others, and after that the first byte of the message by none.
 */
import { type Cut, withCuts } from "./items.ts";
import { OBJECT_NAMES } from "./objects.ts";
import { START_NAMES } from "./starts.ts";

/** A cut in the payload, before it is signed, or in the whole message. */
export type Splice = Cut & { in: "payload" | "message" };
/** A message: an object as an honest host would send it now, but for who signs and what is replaced. */
export type Sending = { object: string; signers?: number; splices: readonly Splice[] };
/** What else comes to a governor: credit is told as low, all credit that is out is used, the power goes and comes. */
export type Deed = "creditLow" | "work" | "power";
export type Step = Sending | { ticks: number } | { deed: Deed };
export type Input = { start: string; steps: readonly Step[] };

const DEEDS: readonly string[] = ["creditLow", "work", "power"];
const TICKS_MAX = 2 ** 31;
export const STEPS_MAX = 8;
const SIGNERS_MAX = 255;

export function textOf({ start, steps }: Input): string {
  return `${start}:${steps.map(stepText).join()}`;
}

function stepText(step: Step): string {
  if ("ticks" in step) return `t${step.ticks}`;
  if ("deed" in step) return step.deed;
  const signers = step.signers === undefined ? [] : [`k${step.signers}`];
  const splices = step.splices.map(
    ({ in: where, offset, length, bytes }) =>
      `${where[0]}${offset}.${length}.${Buffer.from(bytes).toString("base64url")}`,
  );
  return [step.object, ...signers, ...splices].join("/");
}

/** Undefined for a text that is none of an input. */
export function inputOf(text: string): Input | undefined {
  const [start = "", rest = "", ...more] = text.split(":");
  const steps = rest.split(",").map(stepOf);
  if (!START_NAMES.includes(start) || more.length > 0 || steps.length > STEPS_MAX) return undefined;
  return steps.includes(undefined) ? undefined : { start, steps: steps as Step[] };
}

function stepOf(text: string): Step | undefined {
  const ticks = /^t(\d{1,10})$/.exec(text)?.[1];
  if (ticks !== undefined) return Number(ticks) <= TICKS_MAX ? { ticks: Number(ticks) } : undefined;
  if (DEEDS.includes(text)) return { deed: text as Deed };
  const [object = "", ...parts] = text.split("/");
  const signers = /^k(\d{1,3})$/.exec(parts[0] ?? "")?.[1];
  if (signers !== undefined) parts.shift();
  const splices = parts.map(spliceOf);
  if (!OBJECT_NAMES.includes(object) || Number(signers ?? 0) > SIGNERS_MAX || splices.includes(undefined)) return;
  return { object, ...(signers && { signers: Number(signers) }), splices: splices as Splice[] };
}

function spliceOf(text: string): Splice | undefined {
  const [, where, offset, length, bytes] = /^([pm])(\d{1,4})\.(\d{1,4})\.([\w-]*)$/.exec(text) ?? [];
  if (where === undefined) return undefined;
  return {
    in: where === "p" ? "payload" : "message",
    offset: Number(offset),
    length: Number(length),
    bytes: new Uint8Array(Buffer.from(bytes!, "base64url")),
  };
}

/** The bytes with what the splices of this place replace. */
export function spliced(bytes: Uint8Array, splices: readonly Splice[], where: Splice["in"]): Uint8Array {
  return withCuts(
    bytes,
    splices.filter((splice) => splice.in === where),
  );
}
