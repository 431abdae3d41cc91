/** `quiesce policy`: presets, checks of policies and licenses, leak bounds, and what keeps a bound. docs/policy.md */
import type { Command } from "commander";
import type { WorkProfile } from "../../policy/policy.ts";
import { Exit, wrongUse } from "../exit.ts";
import { group } from "../group.ts";
import { print, printJson, wantsJson } from "../output.ts";

type BoundOptions = { fleet: string; agreement?: string; policy?: string; lease?: string; lag?: string };
type CheckOptions = {
  license?: string;
  agreement?: string;
  at?: string;
  party: string;
  site: string;
  model: string;
  profile?: WorkProfile["name"];
};

const FLEET_EXAMPLE = "100000xH100";

export function addPolicy(parent: Command): void {
  const policy = group(parent, "policy", "policies, and how much can leak after a pause").addHelpText(
    "after",
    `\nExamples:\n  $ quiesce policy list\n  $ quiesce policy derive --leak 1e24FLOP --fleet ${FLEET_EXAMPLE}\n`,
  );
  addList(policy);
  addShow(policy);
  addCheck(policy);
  addBound(policy);
  addDerive(policy);
}

function addList(policy: Command): void {
  policy
    .command("list")
    .description("list the presets, which come from published rules")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ quiesce policy list\n")
    .action(async (_options: object, command: Command) => {
      const { PRESETS } = await import("../../policy/presets.ts");
      const policies = [...PRESETS.values()];
      if (wantsJson(command)) printJson(policies.map(({ name, title, source }) => ({ name, title, source })));
      else (await import("./policy-view.ts")).showPolicies(policies);
    });
}

function addShow(policy: Command): void {
  policy
    .command("show")
    .description("print a policy as a JSON document, to start from")
    .argument("<policy>", "a preset's name, or a file")
    .option("--json", "print one JSON document (it always is one)")
    .addHelpText("after", "\nExample:\n  $ quiesce policy show rand-offline\n")
    .action(async (name: string) => {
      const { loadPolicy } = await import("./policy-input.ts");
      const { policyDocument } = await import("../../policy/read-policy.ts");
      printJson(policyDocument(loadPolicy(name)));
    });
}

function addCheck(policy: Command): void {
  policy
    .command("check")
    .description("validate a policy; with --license, judge a license by it")
    .argument("<policy>", "a file, or a preset's name")
    .option("--license <file>", "the license, signed or not, judged as the first of its board, site and party")
    .option("--agreement <file>", "the agreement that the license stands under")
    .option("--at <seconds>", "when it is signed (default: when it becomes valid)")
    .option("--party <name>", "whose board it is", "unnamed")
    .option("--site <name>", "where it is", "unnamed")
    .option("--model <name>", "its hardware model", "unnamed")
    .option("--profile <name>", "what it is registered for: training or inference", profileOption)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  $ quiesce policy check policy.json\n  $ quiesce policy check rand-offline --license license-1.cbor --agreement agreement.cbor\n",
    )
    .action(async (name: string, options: CheckOptions, command: Command) => {
      const { loadPolicy } = await import("./policy-input.ts");
      const checked = loadPolicy(name);
      if (options.license !== undefined) {
        await checkLicense(name, options, wantsJson(command));
      } else if (wantsJson(command)) printJson({ ok: true, name: checked.name });
      else print(`${checked.name}: a valid policy`);
    });
}

function profileOption(text: string): WorkProfile["name"] {
  if (text === "training" || text === "inference") return text;
  throw wrongUse(`--profile is training or inference, not '${text}'`);
}

async function checkLicense(name: string, options: CheckOptions, json: boolean): Promise<void> {
  if (options.agreement === undefined) throw wrongUse("--license needs --agreement, the one that it stands under");
  const { loadAgreement, loadPolicy, quantityOption } = await import("./policy-input.ts");
  const { readObject } = await import("../input.ts");
  const { parseSign } = await import("../../protocol/cose.ts");
  const { decodeLicense } = await import("../../objects/license.ts");
  const { policyVerdict, scopeKey } = await import("../../policy/verdict.ts");
  const policy = loadPolicy(name);
  const license = decodeLicense(parseSign(readObject(options.license!)).payload);
  const { party, site, model, profile } = options;
  const device = { party, site, model, profile, agreement: loadAgreement(options.agreement) };
  const at = options.at === undefined ? undefined : quantityOption(options.at, "seconds", "--at");
  const unused = { boards: 0n, operations: 0n };
  const objections = policyVerdict(license, device, policy, {
    nowSeconds: at === undefined ? license.notBeforeSeconds : Number(at),
    offlineLicenses: 0n,
    licensedUeids: [],
    scopes: new Map(policy.caps?.map((cap) => [scopeKey(cap, device), unused])),
  });
  if (objections.length > 0) process.exitCode = Exit.NOT_GOOD;
  if (json) printJson({ ok: objections.length === 0, policy: policy.name, objections });
  else (await import("./policy-view.ts")).showVerdict(objections);
}

function withBoundOptions(command: Command): Command {
  return command
    .requiredOption("--fleet <fleet>", "boards under one agreement, such as 100000xH100 or 512xB200,16xchip@1e15FLOP/s")
    .option("--agreement <file>", "the agreement (default: peak rates, a lease of 5 minutes, no drain, no baseline)")
    .option("--policy <policy>", "what licenses are signed by: a file, or a preset's name")
    .option("--lease <time>", "instead of the agreement's lease")
    .option("--lag <time>", "from the order until all parties and time authorities know it (default: 0)")
    .option("--json", "print one JSON document");
}

function addBound(policy: Command): void {
  withBoundOptions(
    policy.command("bound").description("the most work and the longest time that can follow the order of a pause"),
  )
    .addHelpText("after", `\nExample:\n  $ quiesce policy bound --fleet ${FLEET_EXAMPLE} --lease 15min\n`)
    .action(async (options: BoundOptions, command: Command) => {
      const { asUse } = await import("./policy-input.ts");
      const { leakBound } = await import("../../policy/leak.ts");
      const { boundJson, showBound } = await import("./policy-view.ts");
      const input = await leakInput(options);
      const bound = asUse(() => leakBound(input));
      if (wantsJson(command)) printJson(boundJson(bound));
      else showBound(bound);
    });
}

function addDerive(policy: Command): void {
  withBoundOptions(
    policy
      .command("derive")
      .description("the longest lease and license, and the largest budget, that keep a bound")
      .requiredOption("--leak <operations>", "the most that may be done after a pause is ordered"),
  )
    .addHelpText("after", `\nExample:\n  $ quiesce policy derive --leak 1e24FLOP --fleet ${FLEET_EXAMPLE}\n`)
    .action(async (options: BoundOptions & { leak: string }, command: Command) => {
      const { asUse, quantityOption } = await import("./policy-input.ts");
      const { leakBound } = await import("../../policy/leak.ts");
      const { deriveLimits } = await import("../../policy/derive.ts");
      const { boundJson, showDerived } = await import("./policy-view.ts");
      const leak = quantityOption(options.leak, "operations", "--leak");
      const input = await leakInput(options);
      const [derived, bound] = asUse(() => [deriveLimits(leak, input), leakBound(input)]);
      if (bound.operations > leak) process.exitCode = Exit.NOT_GOOD;
      if (!wantsJson(command)) showDerived(leak, derived, bound);
      else {
        const { peakSeconds, leaseSecondsMax, licenseSecondsMax, licenseOperationsMax } = derived;
        printJson({
          leakOperations: leak,
          kept: bound.operations <= leak,
          peakSeconds,
          leaseSecondsMax: leaseSecondsMax ?? null,
          licenseSecondsMax: licenseSecondsMax ?? null,
          licenseOperationsMax: licenseOperationsMax ?? null,
          bound: boundJson(bound),
        });
      }
    });
}

async function leakInput(options: BoundOptions) {
  const { fleetOption, loadAgreement, loadPolicy, nominalTerms, quantityOption } = await import("./policy-input.ts");
  const fleet = fleetOption(options.fleet);
  const terms = options.agreement === undefined ? nominalTerms(fleet) : loadAgreement(options.agreement);
  const lease = options.lease === undefined ? undefined : quantityOption(options.lease, "seconds", "--lease");
  if (lease !== undefined && (lease < 1n || lease > 31_536_000n)) throw wrongUse("--lease: must be 1s to 365d");
  return {
    agreement: lease === undefined ? terms : { ...terms, leaseSeconds: Number(lease) },
    policy: options.policy === undefined ? undefined : loadPolicy(options.policy),
    fleet,
    lagSeconds: options.lag === undefined ? 0n : quantityOption(options.lag, "seconds", "--lag"),
  };
}
