/**
 * What no verifier of this kind can pass on this machine: for each license one native signature verified, one made, and
 * one row of that size durable in the same kind of store, in one process, by the same threads, in batches of the same size.
 */
import { generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { promisify } from "node:util";
import { openStore, type Store, type StorePlace } from "../../../host/store/store.ts";

/** Of evidence as it is signed, of a license, and of what is kept beside it. */
export interface Sizes {
  readonly evidenceBytes: number;
  readonly answerBytes: number;
}

const BATCH = 256;
const signInPool = promisify(sign);
const verifyInPool = promisify(verify);

export class Limit {
  readonly #store: Store;
  #next = 1;

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(place: StorePlace): Promise<Limit> {
    const store = await openStore(place);
    await store.write((tx) =>
      tx
        .insertInto("devices")
        .values({
          ueid: new Uint8Array(33),
          owner: "",
          site: "",
          model: "",
          profile: null,
          status: "active",
          enrolled_ms: 0,
          seen_ms: 0,
          epoch: 0,
          license_sequence: 0n,
          report_sequence: 0n,
          licensed_until_seconds: 0,
          state: new Uint8Array(1),
        })
        .execute(),
    );
    return new Limit(store);
  }

  /** How many a second. `signatures`: how many are made for each row: one for a license, none for a report. */
  async measure(count: number, { evidenceBytes, answerBytes }: Sizes, signatures: 0 | 1): Promise<number> {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const message = randomBytes(evidenceBytes);
    const signature = sign(null, message, privateKey);
    const answer = randomBytes(answerBytes);
    const begun = performance.now();
    for (let at = 0; at < count; at += BATCH) {
      const size = Math.min(BATCH, count - at);
      const one = async () => {
        if (!(await verifyInPool(null, message, publicKey, signature))) throw new Error("a signature does not hold");
        if (signatures === 1) await signInPool(null, answer, privateKey);
      };
      await Promise.all(Array.from({ length: size }, one));
      const first = this.#next;
      this.#next += size;
      await this.#store.write((tx) =>
        tx
          .insertInto("licenses")
          .values(
            Array.from({ length: size }, (_, i) => ({
              device_id: 1,
              kind: 1,
              sequence: BigInt(first + i),
              evidence_digest: null,
              issued_ms: 0,
              expiry_seconds: 0,
              bytes: answer,
              verdict: null,
            })),
          )
          .execute(),
      );
    }
    return (count / (performance.now() - begun)) * 1000;
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
