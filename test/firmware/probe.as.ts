// biome-ignore-all lint: AssemblyScript, which asc checks
// @ts-nocheck
/** What `primitives.wasm` doesn't export, for tests: compiled in memory by `probe.ts`, never shipped. */
import { Reader } from "../../firmware/cbor/reader";
import { Writer } from "../../firmware/cbor/writer";
import { coseSignQuorum } from "../../firmware/cose/quorum";
import { CoseSign, CoseSignature, coseSignatureResidue, coseSignNext, coseSignParse } from "../../firmware/cose/sign";
import { CoseSign1, coseSign1Accept } from "../../firmware/cose/sign1";
import { coseSign1Write } from "../../firmware/cose/sign1-write";
import "../../firmware/panic";

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const area: usize = memory.data(16384, 16);

/** Address of 16 KiB for the test. */
export function io(): usize {
  return area;
}

export function readerBegin(ptr: usize, len: i32): void {
  reader.begin(ptr, len);
}
export function readerArray(): i32 {
  return reader.array();
}
export function readerMap(): i32 {
  return reader.map();
}
export function readerTag(): u64 {
  return reader.tag();
}
export function readerUint(): u64 {
  return reader.uint();
}
export function readerInt(): i64 {
  return reader.int();
}
export function readerBytes(): usize {
  return reader.bytes();
}
export function readerBytesOf(len: i32): usize {
  return reader.bytesOf(len);
}
export function readerText(): usize {
  return reader.text();
}
export function readerBool(): i32 {
  return reader.bool() ? 1 : 0;
}
export function readerIsNull(): i32 {
  return reader.isNull() ? 1 : 0;
}
export function readerNil(): void {
  reader.nil();
}
export function readerSkip(): void {
  reader.skip();
}
export function readerPeek(): i32 {
  return reader.peek();
}
export function readerLength(): i32 {
  return reader.length;
}
export function readerAt(): usize {
  return reader.at;
}
export function readerError(): i32 {
  return reader.error;
}
export function readerFinish(): i32 {
  return reader.finish();
}

export function writerBegin(ptr: usize, size: i32): void {
  writer.begin(ptr, size);
}
export function writerUint(value: u64): void {
  writer.uint(value);
}
export function writerInt(value: i64): void {
  writer.int(value);
}
export function writerBytesHead(len: i32): void {
  writer.bytesHead(len);
}
export function writerBytes(ptr: usize, len: i32): void {
  writer.bytes(ptr, len);
}
export function writerText(ptr: usize, len: i32): void {
  writer.text(ptr, len);
}
export function writerRaw(ptr: usize, len: i32): void {
  writer.raw(ptr, len);
}
export function writerArray(count: i32): void {
  writer.array(count);
}
export function writerMap(count: i32): void {
  writer.map(count);
}
export function writerTag(value: u64): void {
  writer.tag(value);
}
export function writerBool(value: i32): void {
  writer.bool(value != 0);
}
export function writerNil(): void {
  writer.nil();
}
export function writerFinish(): i32 {
  return writer.finish();
}

const sign = changetype<CoseSign>(memory.data(offsetof<CoseSign>(), 8));
const sign1 = changetype<CoseSign1>(memory.data(offsetof<CoseSign1>(), 8));
const signature = changetype<CoseSignature>(memory.data(offsetof<CoseSignature>(), 8));

export function quorum(ptr: usize, len: i32, keys: usize, keyCount: i32, threshold: i32, aad: usize, aadLen: i32): i32 {
  return coseSignQuorum(ptr, len, keys, keyCount, threshold, aad, aadLen, sign);
}
export function quorumSigners(): u32 {
  return sign.signers;
}
export function quorumProof(): u32 {
  return sign.proof;
}
export function quorumPayload(): usize {
  return sign.payload;
}
export function quorumPayloadLength(): i32 {
  return sign.payloadLen;
}

export function accept(ptr: usize, len: i32, key: usize, aad: usize, aadLen: i32): i32 {
  return coseSign1Accept(ptr, len, key, aad, aadLen, sign1);
}
export function acceptProof(): u32 {
  return sign1.proof;
}

/** 0 if the first signature of a COSE_Sign holds, read as `flags` says. */
export function firstSignature(ptr: usize, len: i32, flags: i32, publicKey: usize, aad: usize, aadLen: i32): i32 {
  let code = coseSignParse(ptr, len, sign, flags);
  if (code != 0) return code;
  code = coseSignNext(sign, signature);
  if (code != 0) return code;
  return coseSignatureResidue(sign, signature, publicKey, aad, aadLen) == 0 ? 0 : 0x0308;
}

export function write(
  out: usize,
  size: i32,
  seed: usize,
  publicKey: usize,
  kid: usize,
  payload: usize,
  payloadLen: i32,
  aad: usize,
  aadLen: i32,
): i32 {
  return coseSign1Write(out, size, seed, publicKey, kid, payload, payloadLen, aad, aadLen);
}
