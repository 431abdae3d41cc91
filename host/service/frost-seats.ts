/** The shares of groups' keys that the configuration says are here, and the clients of the verifiers that hold the others. */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { VerifierClient } from "../client/client.ts";
import { signWith } from "../client/signing.ts";
import { KeyFolder } from "../keys/folder.ts";
import { decodeGroup, GROUP_FILE_BYTES_MAX, openShare } from "../keys/frost-file.ts";
import { KEY_FILE_BYTES_MAX } from "../keys/key-file.ts";
import { readPassphrase } from "../keys/passphrase.ts";
import type { AsyncSigner } from "../keys/signer.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/errors.ts";
import type { FrostSeat } from "./frost-gathering.ts";

/** A holder that does not answer is left out: the license must not wait long for it. */
const PEER_TIMEOUT_MS = 5_000;

export interface FrostSeats {
  readonly seats: readonly FrostSeat[];
  close(): Promise<void>;
}

/** Connects nothing yet. `peerSigner` signs the requests to other verifiers. Throws `ConfigError`, `KeyError`. */
export async function openSeats(config: Config, peerSigner: AsyncSigner | undefined): Promise<FrostSeats> {
  const clients = new Map<string, VerifierClient>();
  const close = async () => {
    await Promise.all([...clients.values()].map((client) => client.close()));
  };
  if (config.frost.length === 0) return { seats: [], close };
  const passphrase = await readPassphrase({ file: config.keystore.passphraseFile });
  try {
    const seats: FrostSeat[] = [];
    for (const { group: groupPath, share, holders } of config.frost) {
      const group = decodeGroup(readGroup(groupPath));
      const folder = new KeyFolder(dirname(share));
      const own = await openShare(group, folder.read(basename(share), KEY_FILE_BYTES_MAX), passphrase);
      const peers = [...holders].map(([holder, name]) => {
        if (holder === own.holder) throw new ConfigError([`frost: holder ${holder} is this verifier itself`]);
        if (holder > group.holders) throw new ConfigError([`frost: ${groupPath} has no holder ${holder}`]);
        const client = clients.get(name) ?? clientOf(config, name, peerSigner);
        clients.set(name, client);
        return { holder, verifier: client };
      });
      seats.push({ group, own, peers });
    }
    return { seats, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    passphrase.fill(0);
  }
}

function clientOf({ peers }: Config, name: string, signer: AsyncSigner | undefined): VerifierClient {
  const peer = peers.find((one) => one.name === name);
  if (!peer) throw new ConfigError([`frost: there is no peer with the name ${name}`]);
  if (!signer) throw new ConfigError(["peerKey: must say which key signs the requests to other holders"]);
  return new VerifierClient({ url: peer.url, sign: signWith(signer), timeoutMs: PEER_TIMEOUT_MS, triesMax: 1 });
}

function readGroup(path: string): Uint8Array {
  try {
    if (statSync(path).size > GROUP_FILE_BYTES_MAX) throw new ConfigError([`frost: ${path} is no file of a group`]);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([`frost: ${path} cannot be read: ${code === "ENOENT" ? "there is no such file" : code}`]);
  }
}
