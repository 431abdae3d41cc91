/** What the developers' commands ask of their arguments. */

/** Told with the usage; the command then exits with 2. */
export class WrongUse extends Error {}

/** A whole number from `least` to `most`, or the preset where it is not given. @throws WrongUse */
export function wholeOption<Preset>(
  name: string,
  text: string | undefined,
  { preset, least = 1, most }: { preset: Preset; least?: number; most: number },
): number | Preset {
  if (text === undefined) return preset;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new WrongUse(`--${name} is a whole number from ${least} to ${most}`);
}
