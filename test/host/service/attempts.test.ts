/** What an operator or a stranger may try with objects that are real in themselves. */
import { afterEach, describe, expect, it } from "vitest";
import { signerOf } from "../fake-governor.ts";
import { engines } from "../store/engines.ts";
import { codeOf, REQUEST, ServiceWorld, type WorldOptions } from "./world.ts";

describe.each(engines)("nothing is gained on $engine", ({ place }) => {
  const worlds: ServiceWorld[] = [];
  const open = async (options?: WorldOptions) => {
    const world = await ServiceWorld.open(place(), options);
    worlds.push(world);
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });

  it("by evidence that the key of a withdrawn image signed in the newest one's name", async () => {
    const world = await open();
    const device = world.device();
    const flawed = new Uint8Array(32).fill(0xbb);
    const { references } = world.settings;
    const measurements = [...references.measurements, { digest: flawed, svnLeast: 0 }];
    world.settings = { ...world.settings, references: { ...references, measurements } };
    await world.service.enrol(device.endorsement(), device.certificate({ measurement: flawed }));
    const leaked = device.attester;
    device.attester = signerOf("newer attester");
    await world.service.enrol(device.endorsement(), device.certificate());
    world.settings = { ...world.settings, references };
    const forged = async () => device.evidence({ nonce: (await world.service.nonce(device.ueid)).nonce }, leaked);
    expect(await codeOf(world.service.license({ evidence: await forged(), terms: REQUEST }))).toBe(
      "evidence/signature",
    );
    expect(await codeOf(world.service.recovery({ evidence: await forged() }))).toBe("evidence/signature");
    expect(await codeOf(world.service.appraise(await forged()))).toBe("evidence/signature");
    await world.license(device);
  });
});
