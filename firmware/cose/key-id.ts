/** Key ids: the first 8 bytes of a key's COSE thumbprint (RFC 9679). */
import { Writer } from "../cbor/writer";
import { sha256 } from "../crypto/sha256";
import { CoseKey, CoseKeyValue } from "../protocol/cose-labels";
import { Limit } from "../protocol/limits";

const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const thumbprintInput: usize = memory.data(64);
const thumbprint: usize = memory.data(32, 8);
const kidMade: usize = memory.data(Limit.KID_BYTES, 8);

/** Writes the key id of an Ed25519 public key. */
export function keyIdOf(publicKey: usize, out: usize): void {
  writer.begin(thumbprintInput, 64);
  writer.map(3);
  writer.uint(CoseKey.KTY);
  writer.uint(CoseKeyValue.KTY_OKP);
  writer.int(CoseKey.CRV);
  writer.uint(CoseKeyValue.CRV_ED25519);
  writer.int(CoseKey.X);
  writer.bytes(publicKey, Limit.PUBLIC_KEY_BYTES);
  sha256(thumbprintInput, writer.finish(), thumbprint);
  memory.copy(out, thumbprint, Limit.KID_BYTES);
}

/** Whether the key id at `kid` is this key's. */
export function keyHasId(publicKey: usize, kid: usize): bool {
  keyIdOf(publicKey, kidMade);
  return load<u64>(kidMade) == load<u64>(kid);
}
