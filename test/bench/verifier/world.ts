/** One party's agreement, and many boards that play governors: what they send is made before it is timed. */
import { agreementDigest } from "../../../host/objects/agreement.ts";
import { encodeLicenseRequest } from "../../../host/objects/license-request.ts";
import { encodeReportBatch } from "../../../host/objects/report-batch.ts";
import { hexOf } from "../../../host/verifier/bytes.ts";
import { BF16, FakeGovernor, type GovernorWorld } from "../../host/fake-governor.ts";
import { loadAgreement } from "../../host/serving.ts";
import { Connection } from "./connection.ts";

const TERMS = { budget: new Map([[BF16, 1000n]]), ticksMax: 1000n, windowSeconds: 600 };

/** A body that is sent, and the path that it goes to. */
export interface Post {
  readonly path: string;
  readonly type: string;
  readonly body: Uint8Array;
}

export interface Answered {
  readonly status: number;
  readonly body: Uint8Array;
  readonly ms: number;
}

export class Boards implements GovernorWorld {
  readonly digest = agreementDigest(loadAgreement().agreement);
  readonly verifier = { challenge: refuse, acceptReport: refuse };
  readonly all: readonly FakeGovernor[];
  readonly #connections: readonly Connection[];

  /** Its connections go to the addresses in turn. */
  constructor(addresses: readonly string[], count: number, connections: number) {
    this.#connections = Array.from(
      { length: connections },
      (_, i) => new Connection(new URL(addresses[i % addresses.length]!)),
    );
    this.all = Array.from({ length: count }, (_, i) => new FakeGovernor(this, `board ${i}`));
  }

  get nowMs(): number {
    return Date.now();
  }

  async enrol(): Promise<void> {
    const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
    const posts = this.all.map((board) =>
      json("/v1/devices", { endorsement: b64(board.endorsement()), certificate: b64(board.certificate()) }),
    );
    mustAll(await this.send(posts));
  }

  /** A license request of each board, on a fresh nonce. */
  async licenseRequests(): Promise<Post[]> {
    const answers = mustAll(await this.send(this.all.map(({ ueid }) => json("/v1/nonces", { ueid: hexOf(ueid) }))));
    return this.all.map((board, i) => {
      const nonce = Buffer.from(JSON.parse(Buffer.from(answers[i]!.body).toString()).nonce, "hex");
      const evidence = board.evidence({ nonce: new Uint8Array(nonce) });
      const body = encodeLicenseRequest({ evidence, terms: TERMS });
      return { path: "/v1/licenses", type: "application/vnd.quiesce.license-request+cbor", body };
    });
  }

  /** Each installs its license and does some work; then a report of each, `batch` of them in one request. */
  reports(licenses: readonly Answered[], batch: number): Post[] {
    this.all.forEach((board, i) => {
      board.install(licenses[i]!.body);
      board.work(BF16, 10n);
    });
    const items = this.all.map((board) => board.report());
    const posts: Post[] = [];
    for (let at = 0; at < items.length; at += batch) {
      const body = encodeReportBatch(items.slice(at, at + batch));
      posts.push({ path: "/v1/reports", type: "application/vnd.quiesce.reports+cbor", body });
    }
    return posts;
  }

  /** All of them, as many at a time as there are connections; in order. */
  async send(posts: readonly Post[]): Promise<Answered[]> {
    const answers = new Array<Answered>(posts.length);
    let next = 0;
    const work = async (connection: Connection) => {
      for (let i = next++; i < posts.length; i = next++) answers[i] = await connection.send(posts[i]!);
    };
    await Promise.all(this.#connections.map(work));
    return answers;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

/** Figures of failures mean nothing. */
export function mustAll(answers: Answered[]): Answered[] {
  const bad = answers.find(({ status }) => status >= 300);
  if (bad) throw new Error(`${bad.status}: ${Buffer.from(bad.body).toString()}`);
  return answers;
}

function json(path: string, document: object): Post {
  return { path, type: "application/json", body: new TextEncoder().encode(JSON.stringify(document)) };
}

function refuse(): never {
  throw new Error("boards of the benchmark are given what they need");
}
