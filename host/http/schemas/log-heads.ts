/** Documents of gossip: heads of logs that were shown here, and split views. */
import { Type } from "@sinclair/typebox";
import { HEAD_OUTCOMES } from "../../service/service.ts";
import { Choice, Closed, Count, Digest, Milliseconds } from "./basic.ts";

const Origin = Type.String({ description: "of the log, as its checkpoints say it", examples: ["north.example/log"] });
const Vkey = Type.String({ description: "of the log's key (C2SP signed-note)", examples: ["a+00000000+AQ=="] });
const Note = Type.String({ description: "the checkpoint with the log's signature (C2SP tlog-checkpoint)" });
const Size = { ...Count, description: "leaves" };

export const HeadAnswer = Closed({
  outcome: Choice(HEAD_OUTCOMES, "older, unlinked: a path between it and the newest is wanted, from whoever has it"),
  origin: Origin,
  size: { ...Count, description: "of the newest head that is known here" },
});

const Head = Closed({
  origin: Origin,
  vkey: Vkey,
  size: Size,
  root: Digest,
  note: Note,
  linked: Type.Boolean({ description: "whether it is known to be of one log with the others" }),
});

const SplitView = Closed({
  origin: Origin,
  vkey: Vkey,
  size: Size,
  root: Digest,
  note: Note,
  otherSize: Size,
  otherRoot: Digest,
  otherNote: Note,
  proof: Type.Optional(
    Type.Array(Digest, {
      maxItems: 64,
      description:
        "for two sizes: the consistency path to the other's root from a root at this size that is not this one. That " +
        "root is in front where the size is a power of two",
    }),
  ),
  foundMs: Milliseconds,
});

export const LogHeads = Closed({
  heads: Type.Array(Head, { description: "of each log the newest, then those that no path leads to yet" }),
  splitViews: Type.Array(SplitView, { description: "two heads that no one log can have, both signed by it" }),
});
