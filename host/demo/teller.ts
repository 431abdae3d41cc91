/** Who tells the demo's story: the scenario runs and says what happened, a teller shows it. */
import type { Timeline } from "./timeline.ts";

export type Attempt = {
  /** What the operator tried. */
  name: string;
  /** No work beyond what was licensed, and a refusal or a shut gate. */
  refused: boolean;
  /** The firmware's own code; 0 if it had nothing against it. */
  code: number;
  /** What happened, for people. */
  detail: string;
};

export type Teller = {
  /** Something happened, at a simulated second. */
  tell(seconds: number, label: string, text: string): void;
  attempted(seconds: number, attempt: Attempt): void;
  /** Time went by: a moment to redraw what is live. */
  progress(timeline: Timeline): void;
};

export const SILENT: Teller = { tell: () => {}, attempted: () => {}, progress: () => {} };
