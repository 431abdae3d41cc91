// A signer that misbehaves: `node fake-signer.mjs HOW [FILE]`. FILE remembers from one life to the next.
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [how, memory] = process.argv.slice(2);
const head = Buffer.from("302e020100300506032b657004220420", "hex");
const key = createPrivateKey({ key: Buffer.concat([head, Buffer.alloc(32, 5)]), format: "der", type: "pkcs8" });
const publicKey = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x, "base64url").toString("hex");
const kid = process.env.FAKE_KID;
const isFirstLife = memory !== undefined && !existsSync(memory);
const say = (line) => process.stdout.write(`${typeof line === "string" ? line : JSON.stringify(line)}\n`);

function signed(id, message) {
  const signature = sign(null, message, key);
  if (how === "lies") signature[10] ^= 1;
  if (how === "short") return say({ id, signature: "AAAA" });
  if (how === "error") return say({ id, error: { code: "CKR_DEVICE_REMOVED", message: "no\u001b[2Jtoken" } });
  say({ id, signature: signature.toString("base64") });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, message } = JSON.parse(line);
  if (method === "list") {
    const listed = { kid, publicKey, label: "Party A", status: "active" };
    if (how === "other-kid") listed.kid = "0000000000000000";
    if (how === "no-list") say({ id });
    else say({ id, keys: how === "no-label" ? [{ kid, publicKey }] : [listed] });
    continue;
  }
  writeFileSync(memory, "");
  if (how === "crashes") process.exit(3);
  else if (how === "crashes-once" && isFirstLife) process.kill(process.pid, "SIGKILL");
  else if (how === "silent-once" && isFirstLife) continue;
  else if (how === "unasked") say({ id: 999, signature: "" });
  else if (how === "garbage") say("Segmentation fault");
  else if (how === "endless") process.stdout.write("x".repeat(200_000));
  else if (how !== "silent") signed(id, Buffer.from(message, "base64"));
}
