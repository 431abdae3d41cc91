/** A witness as its configuration says: with TLS, whose certificate is renewed while it serves. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent } from "undici";
import { describe, expect, it } from "vitest";
import { serviceLogger } from "../../../host/http/logging.ts";
import { formatVkey } from "../../../host/log/note.ts";
import { WitnessClient } from "../../../host/log/witness-client.ts";
import { readWitnessConfig } from "../../../host/witness/config.ts";
import { initWitness } from "../../../host/witness/init.ts";
import { runWitness } from "../../../host/witness/run.ts";
import { FIRST, SECOND } from "../http/certificates.ts";
import { logPair } from "../log/keys.ts";
import { TestLog, withFolder } from "./rig.ts";

const LOG = new TestLog(logPair("log.example/north")).grow(9);

describe("a witness that runs", () => {
  it("serves by https, under whichever certificate was read last, with its own key", () =>
    withFolder(async (folder) => {
      const logs = [formatVkey(LOG.pair.key)];
      const home = join(folder, "w1");
      const made = await initWitness({ folder: home, name: "w1", logs, port: 0, passphraseFile: undefined });
      const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
      const put = (files: typeof FIRST) => {
        writeFileSync(cert, files.cert);
        writeFileSync(key, files.key);
      };
      put(FIRST);
      const settings = {
        name: "w1",
        logs,
        listen: { port: 0 },
        tls: { cert, key },
        keystore: { passphraseFile: made.passphraseFile },
      };
      const running = await runWitness(readWitnessConfig(JSON.stringify(settings), home, {}), serviceLogger("silent"));
      try {
        expect(running.vkey).toBe(formatVkey(made.key));
        const url = running.addresses[0]!;
        expect(url).toMatch(/^https:/);
        const ask = async (ca: string, oldSize: number, size: number) => {
          const dispatcher = new Agent({ connect: { ca } });
          try {
            const client = new WitnessClient({ url, key: made.key, dispatcher });
            return await client.addCheckpoint(oldSize, LOG.proof(oldSize, size), await LOG.note(size));
          } finally {
            await dispatcher.destroy();
          }
        };
        expect(await ask(FIRST.cert, 0, 5)).toMatchObject({ kind: "cosigned" });
        expect(await ask(SECOND.cert, 5, 9)).toMatchObject({ kind: "away" });
        put(SECOND);
        running.reloadTls();
        expect(await ask(SECOND.cert, 5, 9)).toMatchObject({ kind: "cosigned" });
      } finally {
        expect(await running.close()).toBe(true);
      }
    }));
});
