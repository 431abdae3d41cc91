/** The thread that asks verifiers while its caller waits: see sync.ts. One call at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { Circle } from "./circle.ts";
import { CircleLink } from "./circle-link.ts";
import { VerifierClient } from "./client.ts";
import { ClientError } from "./errors.ts";
import {
  errorBytes,
  type NamedClient,
  State,
  type SyncCall,
  type SyncWorkerData,
  valueBytes,
  WORDS_BYTES,
  Word,
} from "./sync-wire.ts";

const { verifiers, others, registration, graceMs, shared } = workerData as SyncWorkerData;
const words = new Int32Array(shared, 0, WORDS_BYTES / 4);
const room = new Uint8Array(shared, WORDS_BYTES);
const clientOf = ({ name, options }: NamedClient) => ({ name, client: new VerifierClient(options) });
const members = verifiers.map(clientOf);
const byName = new Map([...members, ...others.map(clientOf)].map(({ name, client }) => [name, client]));
const circle = new Circle(members, graceMs);
const link = new CircleLink(circle, registration);
let hasLearned = false;

async function ask({ of, method, args }: SyncCall): Promise<unknown> {
  if (of === undefined && !hasLearned) hasLearned = (await circle.learn()).length === 0;
  const target: object | undefined = of === undefined ? link : byName.get(of);
  const call: unknown = target && Reflect.get(target, method);
  if (typeof call !== "function") throw new ClientError("client/options", `nothing is called '${method}'`);
  return Reflect.apply(call, target, args);
}

function answer(bytes: Uint8Array): void {
  const fits = bytes.length <= room.length;
  const told = fits ? bytes : errorBytes(new ClientError("client/too-large", `${bytes.length} bytes`));
  room.set(told);
  Atomics.store(words, Word.LENGTH, told.length);
  Atomics.store(words, Word.STATE, State.ANSWERED);
  Atomics.notify(words, Word.STATE);
}

parentPort!.on("message", (call: SyncCall) => {
  ask(call).then(valueBytes).catch(errorBytes).then(answer);
});
answer(valueBytes(undefined));
