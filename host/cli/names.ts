/** Names and units for people: engine classes, gate states, actions, boot steps, refusals, quantities. */
import { BootProgress } from "../../firmware/protocol/board.ts";
import { OrderAction } from "../../firmware/protocol/claims.ts";
import { EngineClass } from "../../firmware/protocol/classes.ts";
import { GateState } from "../../firmware/protocol/states.ts";
import { errorPhrase } from "../protocol/error-phrases.ts";
import { errorCodeText } from "../protocol/refusal.ts";

const CLASS_NAMES: Record<number, string> = {
  [EngineClass.TENSOR_FP64]: "tensor fp64",
  [EngineClass.TENSOR_TF32]: "tensor tf32",
  [EngineClass.TENSOR_BF16]: "tensor bf16",
  [EngineClass.TENSOR_FP16]: "tensor fp16",
  [EngineClass.TENSOR_FP8]: "tensor fp8",
  [EngineClass.TENSOR_INT8]: "tensor int8",
  [EngineClass.TENSOR_FP4]: "tensor fp4",
  [EngineClass.TENSOR_INT4]: "tensor int4",
  [EngineClass.VECTOR]: "vector",
  [EngineClass.COPY]: "copy",
  [EngineClass.LINK_TX]: "link tx",
  [EngineClass.LINK_RX]: "link rx",
};

const STATE_NAMES: Record<number, string> = {
  [GateState.LOCKED]: "LOCKED",
  [GateState.IDLE]: "IDLE",
  [GateState.OPEN]: "OPEN",
  [GateState.SLOWED]: "SLOWED",
  [GateState.DRAINING]: "DRAINING",
  [GateState.PAUSED]: "PAUSED",
  [GateState.TAMPERED]: "TAMPERED",
};

const ACTION_NAMES: Record<number, string> = {
  0: "none",
  [OrderAction.PAUSE]: "pause",
  [OrderAction.SLOW]: "slow",
  [OrderAction.RESUME]: "resume",
};

const BOOT_NAMES: Record<number, string> = {
  [BootProgress.RESET]: "reset",
  [BootProgress.SELF_TEST_SHA256]: "self-test of SHA-256",
  [BootProgress.SELF_TEST_SHA512]: "self-test of SHA-512",
  [BootProgress.SELF_TEST_HMAC]: "self-test of HMAC",
  [BootProgress.SELF_TEST_HKDF]: "self-test of HKDF",
  [BootProgress.SELF_TEST_ED25519]: "self-test of Ed25519",
  [BootProgress.SELF_TEST_CBOR]: "self-test of CBOR",
  [BootProgress.TRNG]: "random numbers",
  [BootProgress.IDENTITY]: "identity",
  [BootProgress.FUSES]: "fuses",
  [BootProgress.JOURNAL]: "journal",
  [BootProgress.AGREEMENT]: "agreement",
  [BootProgress.READY]: "ready",
};

export function className(engineClass: number): string {
  return CLASS_NAMES[engineClass] ?? `class ${engineClass}`;
}

/** `tensor_fp8`: as JSON documents call it. */
export function classKey(engineClass: number): string {
  return className(engineClass).replaceAll(" ", "_");
}

export function stateName(state: number): string {
  return STATE_NAMES[state] ?? `no state (0x${state.toString(16)})`;
}

export function actionName(action: number): string {
  return ACTION_NAMES[action] ?? `action ${action}`;
}

export function bootStepName(step: number): string {
  return BOOT_NAMES[step] ?? `step ${step}`;
}

/** `0x0704 LICENSE_EPOCH`. */
export function codeName(code: number): string {
  return code === 0 ? "OK" : `${errorCodeText(code)} ${errorPhrase(code).name}`;
}

function isBytes(engineClass: number): boolean {
  return engineClass >= EngineClass.COPY;
}

/** `46,530,000`: exact, with separators. */
export function exactText(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q"];

/** `46.5 Pop`, `31.4 GB`: four digits at most, SI prefixes. */
export function workText(work: bigint, engineClass: number): string {
  const unit = isBytes(engineClass) ? "B" : "op";
  let scaled = Number(work);
  let prefix = 0;
  while (scaled >= 999.95 && prefix < PREFIXES.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  const digits = prefix === 0 ? String(scaled) : scaled.toPrecision(scaled >= 100 ? 4 : 3);
  return `${digits} ${PREFIXES[prefix]}${unit}`;
}

/** `1 tick`, `2,841 ticks`. */
export function countText(count: bigint | number, noun: string): string {
  return `${exactText(count)} ${noun}${count.toString() === "1" ? "" : "s"}`;
}

/** `3 h 50 min 37 s`, `12.40 s`, `0.204 ms`. */
export function durationText(seconds: number): string {
  if (seconds > 0 && seconds < 0.1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(2))} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** `2026-01-01T00:00:00Z`; the bare number where no calendar reaches. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace(".000Z", "Z");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Foreign text for a terminal: control characters, which could move the cursor or turn the line around, are spelled. */
export function plainText(text: string): string {
  return text.replace(UNSAFE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
