/** Devices: enrolled by what their manufacturer and they themselves signed, then kept as a registry. */
import { isAllowed } from "../../auth/access.ts";
import type { Registration } from "../../service/service.ts";
import type { App, RouteContext } from "../app-types.ts";
import { importDevices, LINES_MAX } from "../import-devices.ts";
import { MediaType } from "../media.ts";
import { bytesBody, jsonAnswer, jsonBody, operation } from "../operation.ts";
import { HttpProblem } from "../problem-codes.ts";
import { Named, PageOf } from "../schemas/basic.ts";
import { Books, Device, DeviceChange, DeviceQuery, Enrolment, ImportResults, UeidPath } from "../schemas/devices.ts";
import { booksRowJson, deviceJson } from "../views.ts";
import { base64urlBytes, hexBytes, hexText } from "../wire.ts";

export function deviceRoutes(app: App, { service, importBytesMax }: RouteContext): void {
  const enrol = (enrolment: Enrolment) =>
    service.enrol(
      base64urlBytes(enrolment.endorsement, "endorsement"),
      base64urlBytes(enrolment.certificate, "certificate"),
      registrationOf(enrolment),
    );

  app.post(
    "/v1/devices",
    operation({
      route: "devices.enrol",
      name: "enrolDevice",
      tag: "devices",
      summary: "Makes a device known by its manufacturer's endorsement and its own certificate of its attestation key.",
      description: "Whose it is and where it stands is only taken from a registrar or an agent.",
      body: jsonBody(Enrolment),
      answers: { 200: jsonAnswer("known before", Named(Device)), 201: jsonAnswer("enrolled", Named(Device)) },
      problems: ["invalid", "policy"],
      rate: "evidence",
      isAudited: true,
    }),
    async (request, reply) => {
      const registration = registrationOf(request.body);
      if (registration && !isAllowed(request.principal, "devices.describe")) throw new HttpProblem("request/owner");
      const { isNew, ...device } = await enrol(request.body);
      request.subject = hexText(device.ueid);
      if (isNew) reply.code(201).header("location", `/v1/devices/${request.subject}`);
      return deviceJson(device);
    },
  );

  app.post(
    "/v1/devices/import",
    operation({
      route: "devices.import",
      name: "importDevices",
      tag: "devices",
      summary: "Enrols many devices: one enrolment in JSON a line.",
      description: `At most ${LINES_MAX.toLocaleString("en-US")} lines. A line that is refused does not hold up others.`,
      body: bytesBody([MediaType.NDJSON], importBytesMax),
      answers: { 200: jsonAnswer("what came of each line", ImportResults) },
      isAudited: true,
    }),
    async (request) => {
      const isEnrolment = request.compileValidationSchema(Enrolment);
      const results = await importDevices(request.body, (line) => isEnrolment(line), enrol);
      request.subject = `${results.length} lines`;
      return { results };
    },
  );

  app.get(
    "/v1/devices",
    operation({
      route: "devices.list",
      name: "listDevices",
      tag: "devices",
      summary: "The registry, page by page.",
      query: DeviceQuery,
      answers: { 200: jsonAnswer("a page of devices", PageOf(Named(Device))) },
    }),
    async (request) => {
      const { items, cursor } = await service.devices(request.query);
      return { items: items.map(deviceJson), cursor };
    },
  );

  app.get(
    "/v1/devices/:ueid",
    operation({
      route: "devices.read",
      name: "readDevice",
      tag: "devices",
      summary: "What the registry says of a device.",
      params: UeidPath,
      answers: { 200: jsonAnswer("the device", Named(Device)) },
      problems: ["unknown"],
    }),
    async (request) => deviceJson(await service.device(hexBytes(request.params.ueid))),
  );

  app.patch(
    "/v1/devices/:ueid",
    operation({
      route: "devices.change",
      name: "changeDevice",
      tag: "devices",
      summary: "Changes whose a device is, where it stands, what it is for, or its status.",
      params: UeidPath,
      body: jsonBody(DeviceChange),
      answers: { 200: jsonAnswer("the device as changed", Named(Device)) },
      problems: ["policy", "unknown"],
      isAudited: true,
    }),
    async (request) => deviceJson(await service.changeDevice(hexBytes(request.params.ueid), request.body)),
  );

  app.get(
    "/v1/devices/:ueid/books",
    operation({
      route: "devices.books",
      name: "readBooks",
      tag: "devices",
      summary: "Licensed and reported work of a device, by class.",
      params: UeidPath,
      answers: { 200: jsonAnswer("the books", Books) },
      problems: ["unknown"],
    }),
    async (request) => ({ books: (await service.books(hexBytes(request.params.ueid))).map(booksRowJson) }),
  );
}

function registrationOf({ owner, site, profile }: Enrolment): Partial<Registration> | undefined {
  if (owner === undefined && site === undefined && profile === undefined) return undefined;
  return {
    ...(owner !== undefined && { owner }),
    ...(site !== undefined && { site }),
    ...(profile !== undefined && { profile }),
  };
}
