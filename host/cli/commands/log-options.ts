/** Whose word counts: options of all `quiesce log` commands. */
import { type Command, InvalidArgumentError, Option } from "commander";

export interface KeyOptions {
  readonly logKey?: string;
  readonly witness?: readonly string[];
  readonly witnessQuorum?: number;
  readonly agreement?: string;
}

/** At the end of every help. */
export const KEYS_HELP =
  "\nWhose word counts comes from an agreement with log terms, or as vkeys (C2SP signed-note): the log's, of type 1,\n" +
  "and the witnesses', of type 4.\n";

const WITNESSES_MAX = 8;
const UEID_BYTES = 33;

export function addKeyOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--agreement <file>", "the agreement that names log, witnesses and quorum").conflicts([
        "logKey",
        "witness",
        "witnessQuorum",
      ]),
    )
    .option("--log-key <vkey>", "or the log's key")
    .option("--witness <vkey...>", "the witnesses' keys")
    .option("--witness-quorum <count>", "how many of them must have cosigned (default: all)", quorumOption);
}

export function ueidOption(text: string): Uint8Array {
  if (!/^[0-9a-f]+$/i.test(text) || text.length !== 2 * UEID_BYTES) {
    throw new InvalidArgumentError(`It must be a UEID of ${UEID_BYTES} bytes in hex.`);
  }
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** Unix seconds of a time as RFC 3339 has it, or of a day, which begins in UTC; or as they are. */
export function secondsOption(text: string): number {
  if (/^[0-9]{1,11}$/.test(text)) return Number(text);
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || ms < 0) {
    throw new InvalidArgumentError("It must be a time such as 2026-01-31T12:00:00Z or 2026-01-31, or Unix seconds.");
  }
  return ms / 1000;
}

export function leafOption(text: string): number {
  const value = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("It must be a whole number from 0.");
  }
  return value;
}

export function hashOption(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError("It must be 32 bytes in hex.");
  return new Uint8Array(Buffer.from(text, "hex"));
}

function quorumOption(text: string): number {
  if (!/^[0-9]$/.test(text) || Number(text) > WITNESSES_MAX) {
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${WITNESSES_MAX}.`);
  }
  return Number(text);
}
