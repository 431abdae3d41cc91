/** What `quiesce courier` does at either end, and how it ends. */
import { resolve } from "node:path";
import type { Circle } from "../client/circle.ts";
import { CourierError } from "../courier/errors.ts";
import { boardsOfSite, packForSite, packOfflineLicense } from "../courier/office-pack.ts";
import { packProofs } from "../courier/office-proofs.ts";
import { unpackForVerifiers } from "../courier/office-unpack.ts";
import { readStick, readStickIfPacked } from "../courier/read-stick.ts";
import { type Row, Rows } from "../courier/row.ts";
import { packAtSite } from "../courier/site-pack.ts";
import { unpackAtSite } from "../courier/site-unpack.ts";
import { boardsOf, type Stick } from "../courier/stick.ts";
import { writeStick } from "../courier/write-stick.ts";
import { CREDENTIALS, type VerifierOptions } from "./commands/courier-options.ts";
import type { PackOptions } from "./commands/courier-pack.ts";
import type { UnpackOptions } from "./commands/courier-unpack.ts";
import { withKeys } from "./commands/key-options.ts";
import { circleOf, keepOf, offlineCallOf, socketsOf } from "./courier-input.ts";
import { showRows } from "./courier-view.ts";
import { Exit, wrongUse } from "./exit.ts";

export async function packStick(path: string, options: PackOptions, asJson: boolean): Promise<void> {
  await asUse(async () => {
    if (options.boards !== undefined) end(await packBoards(path, options), asJson);
    else if (options.verifier !== undefined) end(await packVerifiers(path, options), asJson);
    else throw wrongUse("courier pack needs --verifier URL, or --boards FOLDER at a site");
  });
}

export async function unpackStick(path: string, options: UnpackOptions, asJson: boolean): Promise<void> {
  await asUse(async () => {
    if (options.boards !== undefined) {
      refuseOthers(options, ["answers", "site", ...CREDENTIALS], "--boards");
      const stick = readStick(path, "to-site");
      end(await unpackAtSite(stick, socketsOf(options.boards), keepOf(options)), asJson);
    } else if (options.verifier !== undefined) end(await unpackVerifiers(path, options), asJson);
    else throw wrongUse("courier unpack needs --verifier URL, or --boards FOLDER at a site");
  });
}

async function packBoards(path: string, options: PackOptions): Promise<readonly Row[]> {
  refuseOthers(options, ["site", ...CREDENTIALS, "offlineLicense", "budget", "ticks", "window"], "--boards");
  if (options.with !== undefined) refuseSame(path, options.with, "--with");
  const arrived = options.with === undefined ? undefined : readStick(options.with, "to-site");
  const { stick, rows } = await packAtSite(arrived, socketsOf(options.boards!), keepOf(options));
  writeStick(path, stick, Date.now());
  return rows;
}

async function packVerifiers(path: string, options: PackOptions): Promise<readonly Row[]> {
  refuseOthers(options, ["with", "keep"], "--verifier");
  const call = offlineCallOf(options);
  const stick = answersOn(path);
  const rows = new Rows();
  await withCircle(options, async (circle) => {
    const listed = options.site === undefined ? [] : await boardsOfSite(circle, options.site, rows);
    const named = (call?.ueids ?? []).map((ueid) => Buffer.from(ueid).toString("hex"));
    const ueids = [...new Set([...listed, ...boardsOf(stick), ...named])];
    await packForSite(circle, stick, ueids, rows);
    if (call) await packOfflineLicense(circle, stick, call, rows);
    await packProofs(circle, stick, ueids, rows);
  });
  writeStick(path, stick, Date.now());
  return rows.all;
}

async function unpackVerifiers(path: string, options: UnpackOptions): Promise<readonly Row[]> {
  const { answers: back, site } = options;
  refuseOthers(options, ["keep"], "--verifier");
  if (back === undefined) throw wrongUse("courier unpack --verifier needs --answers STICK, for what goes back");
  refuseSame(path, back, "--answers");
  const stick = readStick(path, "to-verifiers");
  const answers = answersOn(back);
  const rows = new Rows();
  await withCircle(options, async (circle) => {
    const registration = site === undefined ? undefined : { site };
    const visited = await unpackForVerifiers(circle, stick, answers, rows, registration);
    const ueids = [...new Set([...visited, ...boardsOf(answers)])];
    await packForSite(circle, answers, ueids, rows);
    await packProofs(circle, answers, ueids, rows);
  });
  writeStick(back, answers, Date.now());
  return rows.all;
}

/** What waits for the site already. */
function answersOn(path: string): Stick {
  return readStickIfPacked(path, "to-site") ?? { direction: "to-site", files: new Map() };
}

async function withCircle(options: VerifierOptions, act: (circle: Circle) => Promise<void>): Promise<void> {
  const circle = await circleOf(options);
  try {
    await act(circle);
  } finally {
    await circle.close();
  }
}

function end(rows: readonly Row[], asJson: boolean): void {
  const isRefused = rows.some(({ outcome }) => outcome === "refused");
  const isUnreached = rows.some(({ outcome }) => outcome === "unreached");
  if (isRefused) process.exitCode = Exit.NOT_GOOD;
  else if (isUnreached) process.exitCode = Exit.UNREACHABLE;
  showRows(rows, !isRefused && !isUnreached, asJson);
}

function refuseOthers<T extends object>(options: T, names: readonly (keyof T & string)[], beside: string): void {
  const name = names.find((one) => options[one] !== undefined);
  if (name === undefined) return;
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw wrongUse(`--${flag} does not go with ${beside}`);
}

function refuseSame(path: string, other: string, option: string): void {
  if (resolve(path) === resolve(other)) throw wrongUse(`${option} must be another folder than the stick`);
}

/** A folder that is not there is wrong use; so are options that a client or a driver of boards refuses. */
async function asUse(act: () => Promise<void>): Promise<void> {
  try {
    await withKeys(act);
  } catch (error) {
    const { code } = error as { code?: string };
    const isUse = error instanceof CourierError ? code === "stick/missing" : isUseOf(code);
    if (isUse && error instanceof Error) throw wrongUse(error.message, error);
    throw error;
  }
}

function isUseOf(code: string | undefined): boolean {
  return code === "driver/folder" || code === "client/options";
}
