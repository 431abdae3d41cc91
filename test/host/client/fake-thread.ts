/** A circle of fake verifiers, each with one party's key. Order 999,999 is never answered. */
import { parentPort, workerData } from "node:worker_threads";
import { FakeHttp } from "./fake-http.ts";
import { FakeVerifier, FakeWorld } from "./fake-service.ts";

const { names } = workerData as { names: readonly string[] };
const world = new FakeWorld();
const https = await Promise.all(names.map((name, i) => FakeHttp.start(new FakeVerifier(world, name, [i]))));
for (const http of https) http.fault = ({ path }) => path === "/v1/orders/999999";
parentPort!.postMessage(https.map(({ url }) => url));
