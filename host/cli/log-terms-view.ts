/** What the log's commands show of entries, heads and cosignatures. */
import { ObjectType, OrderAction } from "../../firmware/protocol/claims.ts";
import { type Terms, termsOf } from "../log/audit.ts";
import { decodeEntry, type LoggedType } from "../log/entry.ts";
import type { CosignedCheckpoint, LogKeys } from "../log/log-keys.ts";
import type { WorkByClass } from "../objects/work.ts";
import { actionName, className, countText, exactText, plainText, timeText, workText } from "./names.ts";
import { hex } from "./output.ts";

const TYPE_NAMES: Readonly<Record<LoggedType, string>> = {
  [ObjectType.AGREEMENT]: "agreement",
  [ObjectType.LICENSE]: "license",
  [ObjectType.ORDER]: "order",
  [ObjectType.RECOVERY]: "recovery",
};

export function typeName(type: LoggedType): string {
  return TYPE_NAMES[type];
}

/** One line. */
export function termsText(terms: Terms): string {
  switch (terms.type) {
    case ObjectType.AGREEMENT: {
      const { version, name, parties } = terms.agreement;
      return `version ${version}, "${plainText(name)}", ${countText(parties.length, "member")}`;
    }
    case ObjectType.LICENSE: {
      const { sequence, epoch, budget, expirySeconds } = terms.license;
      return `#${exactText(sequence)}, epoch ${epoch}, to ${timeText(expirySeconds)}: ${budgetText(budget)}`;
    }
    case ObjectType.ORDER: {
      const { action, permille, epoch, notBeforeSeconds } = terms.order;
      const rate = action === OrderAction.SLOW ? ` to ${permille! / 10} %` : "";
      return `${actionName(action)}${rate}, epoch ${epoch}, from ${timeText(notBeforeSeconds)}`;
    }
    case ObjectType.RECOVERY: {
      const { sequence, epoch, action } = terms.recovery;
      return `goes on from license #${exactText(sequence)}, epoch ${epoch}, order in force: ${actionName(action)}`;
    }
  }
}

function budgetText(budget: WorkByClass): string {
  return [...budget]
    .map(([engineClass, work]) => `${workText(work, engineClass)} ${className(engineClass)}`)
    .join(", ");
}

/** For programs: what a message says, under the name of its kind. */
export function termsValue(terms: Terms): unknown {
  switch (terms.type) {
    case ObjectType.AGREEMENT:
      return terms.agreement;
    case ObjectType.LICENSE:
      return terms.license;
    case ObjectType.ORDER:
      return terms.order;
    case ObjectType.RECOVERY:
      return terms.recovery;
  }
}

/** An entry, for people and for programs. */
export function entryView(bytes: Uint8Array): { text: string; value: Record<string, unknown> } {
  const entry = decodeEntry(bytes);
  if (entry.kind === "index") {
    const { subjects, root } = entry;
    return { text: `index of ${countText(subjects, "device")}`, value: { kind: "index", subjects, root } };
  }
  const name = typeName(entry.type);
  if (entry.kind === "commitment") {
    const { kind, commitment, subjects } = entry;
    return {
      text: `commitment to a ${name} for ${subjects.length === 0 ? "all" : countText(subjects.length, "device")}`,
      value: { kind, type: name, commitment, subjects },
    };
  }
  const terms = termsOf(entry);
  return { text: `${name}: ${termsText(terms)}`, value: { kind: "plain", type: name, terms: termsValue(terms) } };
}

/** Who cosigned a head, and when. */
export function cosignedText({ cosignatures }: CosignedCheckpoint, { witnesses }: LogKeys): string {
  if (cosignatures.length === 0) return "nobody";
  return cosignatures
    .map(({ witness, seconds }) => `${plainText(witnesses[witness]!.name)} at ${timeText(seconds)}`)
    .join(", ");
}

/** A head for programs. */
export function headValue({ origin, size, root, note, cosignatures }: CosignedCheckpoint, { witnesses }: LogKeys) {
  return {
    origin,
    size,
    root: hex(root),
    cosignatures: cosignatures.map(({ witness, seconds }) => ({ witness: witnesses[witness]!.name, seconds })),
    note,
  };
}
