/** What `quiesce verifier init` says: what was made, and the steps that come next. */
import type { InitResult } from "../../service/init/init.ts";
import { plainText } from "../names.ts";
import { color, facts, hex, print, printJson } from "../output.ts";

const USES = { party: "party", time: "time authority", verdicts: "verdicts", log: "log" } as const;

export function showInit(folder: string, made: InitResult, token: string | undefined, asJson: boolean): void {
  const { configFile, passphraseFile, keys, agreement } = made;
  if (asJson) {
    const shown = keys.map(({ use, key }) => ({ use, label: key.label, kid: key.kid, publicKey: key.publicKey }));
    printJson({ folder, configFile, passphraseFile, keys: shown, agreement, token });
    return;
  }
  print(color.bold(`${folder}: a verifier to start from`));
  print(
    facts([
      ...keys.map(({ use, key }) => [USES[use], `${plainText(key.label)}  ${hex(key.publicKey)}`] as const),
      ["agreement", agreementText(agreement)],
      ["configuration", configFile],
      ["passphrase", `${passphraseFile}: whoever has it and the folder of keys signs for its parties`],
      ...(token === undefined ? [] : [["admin's token", `${token}  (shown this once; 90 days)`] as const]),
    ]),
  );
  print("\nNext:");
  for (const step of stepsOf(folder, made)) print(`  ${step}`);
}

function agreementText(agreement: InitResult["agreement"]): string {
  if (agreement === undefined) return "comes from elsewhere";
  const { file, missing } = agreement;
  return missing.length === 0 ? `${file}, signed by all parties` : `${file}: ${missing.join(", ")} must sign it too`;
}

function stepsOf(folder: string, { configFile, agreement }: InitResult): string[] {
  const serve = `quiesce verifier serve --config ${configFile}`;
  const token = `quiesce verifier token create --config ${configFile} --name NAME --role approver`;
  if (agreement?.missing.length === 0) return [serve, token];
  const sign = "quiesce key sign agreement-draft.cbor --type agreement --keys THEIR/keys --out signed.cbor";
  const first =
    agreement === undefined
      ? ["give the public key above to whoever drafts the agreement"]
      : [`bring ${agreement.file} to ${agreement.missing.join(", then ")}: ${sign}`];
  return [...first, `put the agreement that all have signed at ${folder}/agreement.cbor`, token, serve];
}
