/** A bulk import: lines of JSON, each judged by itself, so many at a time that the store commits them together. */
import { isUtf8 } from "node:buffer";
import type { DeviceView } from "../service/service.ts";
import { problemOf } from "./problem.ts";
import { HttpProblem } from "./problem-codes.ts";
import type { Enrolment, ImportResult } from "./schemas/devices.ts";
import { hexText } from "./wire.ts";

export const LINES_MAX = 10_000;
/** Longest line: two messages in base64url, and names. */
const LINE_CHARACTERS_MAX = 16_384;
const AT_A_TIME = 64;

type Enrol = (enrolment: Enrolment) => Promise<DeviceView>;
type Line = { readonly number: number; readonly text: string };

/** Throws an `HttpProblem` for a body that is none; a fault of the service ends the import. */
export async function importDevices(
  body: Uint8Array,
  isEnrolment: (value: unknown) => boolean,
  enrol: Enrol,
): Promise<ImportResult[]> {
  const lines = linesOf(body);
  const results: ImportResult[] = [];
  for (let begin = 0; begin < lines.length; begin += AT_A_TIME) {
    const some = lines.slice(begin, begin + AT_A_TIME);
    results.push(...(await Promise.all(some.map((line) => importLine(line, isEnrolment, enrol)))));
  }
  return results;
}

/** Numbered from 1; empty lines count and are passed over. */
function linesOf(body: Uint8Array): Line[] {
  if (!isUtf8(body)) throw new HttpProblem("request/json", "not UTF-8");
  const lines = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString("utf8")
    .split("\n")
    .map((text, index) => ({ number: index + 1, text: text.trim() }))
    .filter(({ text }) => text !== "");
  if (lines.length === 0) throw new HttpProblem("request/body-missing");
  if (lines.length > LINES_MAX)
    throw new HttpProblem("request/too-large", `${lines.length} lines: ${LINES_MAX} at most`);
  return lines;
}

async function importLine(
  { number, text }: Line,
  isEnrolment: (value: unknown) => boolean,
  enrol: Enrol,
): Promise<ImportResult> {
  try {
    const { ueid } = await enrol(enrolmentOf(text, isEnrolment));
    return { line: number, status: "enrolled", ueid: hexText(ueid) };
  } catch (error) {
    const problem = problemOf(error);
    // What the verifier cannot do now is no verdict on the line.
    if (problem === undefined || problem.status >= 500) throw error;
    return { line: number, status: "refused", code: problem.code, message: problem.detail };
  }
}

function enrolmentOf(text: string, isEnrolment: (value: unknown) => boolean): Enrolment {
  if (text.length > LINE_CHARACTERS_MAX) throw new HttpProblem("request/too-large", "no enrolment is that long");
  const value = parsed(text);
  if (!isEnrolment(value)) throw new HttpProblem("request/field", "the line is no enrolment");
  return value as Enrolment;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would hold a piece of the line.
    throw new HttpProblem("request/json");
  }
}
