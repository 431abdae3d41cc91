/** Connections to one PostgreSQL database, all for one purpose, with bounds on how many there are and what they may take. */
import { Pool } from "pg";
import { StoreError } from "../errors.ts";
import { PostgresConnection } from "./connection.ts";
import { postgresError } from "./errors.ts";

export interface PoolOptions {
  /** Made if it is not there. Default: what the user's search path says. */
  readonly schema?: string;
  /** Shown by the server beside each connection. */
  readonly applicationName?: string;
  /** What the server gives one statement. */
  readonly statementTimeoutMs?: number;
}

const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** The server's own timeout comes first; this much later a server is taken to be gone. */
const SILENCE_MS = 5_000;
const WAITING_MAX = 10_000;

export class PostgresPool {
  readonly #pool: Pool;
  readonly #connectionsMax: number;
  /** Asked for and not yet given back. */
  #users = 0;
  #isClosing = false;
  #whenUnused: (() => void) | undefined;

  constructor(databaseUrl: string, options: PoolOptions, connectionsMax: number, purpose: "writes" | "reads") {
    const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    const settings = options.schema === undefined ? [] : [`-c search_path=${options.schema}`];
    if (purpose === "reads") settings.push("-c default_transaction_read_only=on");
    this.#connectionsMax = connectionsMax;
    this.#pool = new Pool({
      connectionString: databaseUrl,
      max: connectionsMax,
      application_name: options.applicationName ?? "quiesce-verifier",
      options: settings.join(" ") || undefined,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: statementTimeoutMs,
      lock_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
      query_timeout: statementTimeoutMs + SILENCE_MS,
      keepAlive: true,
    });
    // Whoever uses a connection that is lost hears of it there, and an idle one is replaced: nobody waits for these.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Throws `StoreError`. */
  async acquire(): Promise<PostgresConnection> {
    if (this.#isClosing) throw new StoreError("store/closed");
    if (this.#pool.waitingCount >= WAITING_MAX) throw new StoreError("store/busy");
    this.#users += 1;
    try {
      return new PostgresConnection(await this.#pool.connect());
    } catch (cause) {
      this.#leave();
      // The pool has one timeout, for what waits for a free connection too.
      const isTaken = this.#pool.totalCount >= this.#connectionsMax;
      throw isTaken ? new StoreError("store/busy", "all connections are taken", { cause }) : postgresError(cause);
    }
  }

  release(connection: PostgresConnection): void {
    connection.release();
    this.#leave();
  }

  /** Waits until all connections are back. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#whenUnused = resolve;
      });
    }
    await this.#pool.end();
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#whenUnused?.();
  }
}
