/** All checks of what the rows of a verifier's store say; host/store/structure.ts has those that SQL alone can make. */
import type { VerificationKey } from "../../protocol/cose.ts";
import type { Check } from "../../store/fsck.ts";
import { clients, tokens } from "./access.ts";
import { agreements } from "./agreements.ts";
import { books } from "./books.ts";
import { caps } from "./caps.ts";
import { certificates } from "./certificates.ts";
import { devices, endorsements } from "./devices.ts";
import { drafts } from "./drafts.ts";
import { heads } from "./heads.ts";
import { licenses } from "./licenses.ts";
import { log } from "./log.ts";
import { meta } from "./meta.ts";
import { orders } from "./orders.ts";
import { reports } from "./reports.ts";
import { usage } from "./usage.ts";
import { verdicts } from "./verdicts.ts";

/** The store does not say whose endorsements were trusted: without `manufacturers` their signatures are not judged. */
export function contentChecks(manufacturers?: readonly VerificationKey[]): readonly Check[] {
  return [
    meta,
    agreements,
    orders,
    drafts,
    devices,
    endorsements(manufacturers),
    certificates,
    licenses,
    verdicts,
    reports,
    books,
    usage,
    caps,
    tokens,
    clients,
    log,
    heads,
  ];
}
