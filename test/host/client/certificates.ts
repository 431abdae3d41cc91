/** X.509 certificates for tests of TLS (RFC 5280), with Ed25519 keys (RFC 8410): Node reads them but makes none. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Authority {
  readonly cert: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OID_ED25519 = Buffer.from("06032b6570", "hex");
const OID_COMMON_NAME = Buffer.from("0603550403", "hex");
const OID_BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex");
const OID_ALTERNATIVE_NAME = Buffer.from("0603551d11", "hex");
const TRUE = Buffer.from("0101ff", "hex");

export function makeAuthority(): Authority {
  const name = `test authority ${randomBytes(4).toString("hex")}`;
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const constraints = der(SEQUENCE, OID_BASIC_CONSTRAINTS, TRUE, der(0x04, der(SEQUENCE, TRUE)));
  return { name, privateKey, cert: certificate(name, publicKey, constraints, { name, privateKey }) };
}

/** For a host with this address or name, as PEM with its key. */
export function certificateFor(host: string, authority: Authority): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const isAddress = /^[0-9.]+$/.test(host);
  const name = isAddress ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host));
  const alternative = der(SEQUENCE, OID_ALTERNATIVE_NAME, der(0x04, der(SEQUENCE, name)));
  const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { cert: certificate(host, publicKey, alternative, authority), key };
}

function certificate(
  subject: string,
  key: KeyObject,
  extension: Buffer,
  issuer: Pick<Authority, "name" | "privateKey">,
): string {
  const body = der(
    SEQUENCE,
    der(0xa0, Buffer.from("020102", "hex")),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    der(SEQUENCE, OID_ED25519),
    nameOf(issuer.name),
    der(SEQUENCE, timeOf(-3_600_000), timeOf(3_600_000)),
    nameOf(subject),
    key.export({ type: "spki", format: "der" }),
    der(0xa3, der(SEQUENCE, extension)),
  );
  const signature = der(0x03, Buffer.from([0]), sign(null, body, issuer.privateKey));
  const text = der(SEQUENCE, body, der(SEQUENCE, OID_ED25519), signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${text.match(/.{1,64}/g)!.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function nameOf(text: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, OID_COMMON_NAME, der(0x0c, Buffer.from(text)))));
}

function timeOf(fromNowMs: number): Buffer {
  const text = new Date(Date.now() + fromNowMs).toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(text));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}
