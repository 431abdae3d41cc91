/** A verifier's process for the benchmark. Its argument is a place as JSON; it prints its address, and ends when its input does. */
import { openStore, type StorePlace } from "../../../host/store/store.ts";
import { serveStore } from "../../host/serving.ts";

const running = await serveStore(await openStore(JSON.parse(process.argv[2]!) as StorePlace));
process.stdout.write(`${running.addresses[0]}\n`);
process.stdin.resume();
process.stdin.on("end", () => void running.close());
