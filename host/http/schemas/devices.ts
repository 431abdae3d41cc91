/** Documents of devices: enrolment, the registry, their books. */
import { type Static, Type } from "@sinclair/typebox";
import { DEVICE_STATUSES } from "../../service/service.ts";
import {
  Choice,
  Closed,
  Count,
  Cursor,
  EngineClassKey,
  Milliseconds,
  Name,
  Named,
  OBJECT_EXAMPLE,
  ObjectBytes,
  PageLimit,
  U32,
  U64,
  Ueid,
  Work,
} from "./basic.ts";

const Owner = Name("whose it is");
const Site = Name("where it stands");
const Model = Name("hardware model");
const Profile = Choice(["training", "inference"], "what it is registered for");
const Status = Choice(DEVICE_STATUSES);

export const Enrolment = Closed(
  {
    endorsement: ObjectBytes("the manufacturer's endorsement of the device key"),
    certificate: ObjectBytes("the device key's certificate of the attestation key"),
    owner: Type.Optional(Owner),
    site: Type.Optional(Site),
    profile: Type.Optional(Profile),
  },
  { examples: [{ endorsement: OBJECT_EXAMPLE, certificate: OBJECT_EXAMPLE }] },
);
export type Enrolment = Static<typeof Enrolment>;

export const DeviceChange = Closed(
  {
    owner: Type.Optional(Owner),
    site: Type.Optional(Site),
    profile: Type.Optional(Profile),
    status: Type.Optional(Status),
  },
  { minProperties: 1, examples: [{ site: "hall 2" }] },
);
export type DeviceChange = Static<typeof DeviceChange>;

export const Device = Closed(
  {
    ueid: Ueid,
    owner: Type.String(),
    site: Type.String(),
    profile: Type.Optional(Profile),
    model: Type.String({ description: "hardware model of the endorsement" }),
    status: Status,
    enrolledMs: Milliseconds,
    seenMs: Type.Integer({ minimum: 0, description: "of the newest good evidence; 0: none yet" }),
    epoch: U32,
    reportSequence: U64,
    licenseSequence: U64,
    licensedUntilSeconds: Type.Integer({ minimum: 0, description: "agreement time; 0: no license was issued" }),
  },
  { $id: "Device" },
);

export const DeviceQuery = Closed({
  owner: Type.Optional(Owner),
  site: Type.Optional(Site),
  model: Type.Optional(Model),
  status: Type.Optional(Status),
  cursor: Type.Optional(Cursor),
  limit: Type.Optional(PageLimit),
});

export const ImportResults = Closed({
  results: Type.Array(
    Closed({
      line: Count,
      status: Choice(["enrolled", "refused"]),
      ueid: Type.Optional(Ueid),
      code: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
    }),
  ),
});
export type ImportResult = Static<typeof ImportResults>["results"][number];

export const BooksRow = Closed({ engineClass: EngineClassKey, licensed: Work, reported: Work }, { $id: "BooksRow" });
export const Books = Closed({ books: Type.Array(Named(BooksRow)) });

export const UeidPath = Closed({ ueid: Ueid });

export const OpeningsWanted = Closed({
  openings: Type.Array(Closed({ ueid: Ueid, reportSequence: U64, index: U32 })),
});
