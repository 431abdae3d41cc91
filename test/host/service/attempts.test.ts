/** What an operator or a stranger may try with objects that are real in themselves. */
import { describe, expect, it, onTestFinished } from "vitest";
import { ObjectType, OrderAction } from "../../../firmware/protocol/claims.ts";
import { objectAad } from "../../../host/objects/aad.ts";
import { addSignature } from "../../../host/protocol/cose.ts";
import { BF16, PARTY_SIGNERS, signerOf } from "../fake-governor.ts";
import { engines } from "../store/engines.ts";
import { FrostSite } from "./frost-site.ts";
import { codeOf, REQUEST, worldsOn } from "./world.ts";

const [north, south] = PARTY_SIGNERS;

describe.each(engines)("nothing is gained on $engine", ({ place }) => {
  const open = worldsOn(place);

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
    for (const [change, code] of [
      [{}, "evidence/measurement"],
      [{ measurement: flawed }, "evidence/measurement-withdrawn"],
    ] as const) {
      const forged = async () =>
        device.evidence({ nonce: (await world.service.nonce(device.ueid)).nonce, ...change }, leaked);
      expect(await codeOf(world.service.license({ evidence: await forged(), terms: REQUEST }))).toBe(code);
      expect(await codeOf(world.service.recovery({ evidence: await forged() }))).toBe(code);
      expect(await codeOf(world.service.appraise(await forged()))).toBe(code);
    }
    await world.license(device);
  });

  it("by an old certificate that is enrolled once more: the board goes on under its own", async () => {
    const world = await open();
    const device = await world.enrolled();
    const old = device.certificate();
    device.attester = signerOf("newer attester");
    await world.service.enrol(device.endorsement(), device.certificate());
    await world.service.enrol(device.endorsement(), old);
    await world.license(device);
  });

  it("by a report that the key of an earlier image signed once a later one has reported", async () => {
    const world = await open();
    const device = await world.enrolled();
    device.install(await world.license(device));
    const leaked = device.attester;
    device.work(BF16, 10n);
    // Made before the update and sent after it: that is no forgery.
    const late = device.report();
    device.attester = signerOf("newer attester");
    await world.service.enrol(device.endorsement(), device.certificate());
    expect(await world.service.reports([late])).toMatchObject([{ status: "taken" }]);
    await world.upload(device);
    const [outcome] = await world.service.reports([device.report({}, leaked)]);
    expect(outcome).toMatchObject({ status: "refused", code: "report/key-regressed" });
    expect((await world.service.device(device.ueid)).status).toBe("active");
  });

  describe("by a license that was drawn up before", () => {
    /** One signature of two. */
    async function drafted() {
      const world = await open({ parties: [north!] });
      const device = await world.enrolled();
      const evidence = await world.evidence(device);
      expect(await world.service.license({ evidence, terms: REQUEST })).toMatchObject({ complete: false, have: 1 });
      // The same verifier, as a process that could complete it.
      const complete = async () => {
        await world.start([south!]);
        return codeOf(world.service.license({ evidence }));
      };
      return { world, device, complete };
    }

    it("a pause: nobody signs it from then on", async () => {
      const { world, device, complete } = await drafted();
      const { id } = await world.service.proposeOrder({ action: OrderAction.PAUSE, scope: [device.ueid] });
      await world.service.approveOrder(id, "north");
      expect(await complete()).toBe("evidence/epoch-behind");
    });

    it("a pause: no holder of a group's key gives a share of it from then on", async () => {
      const site = await FrostSite.open(place);
      onTestFinished(() => site.close());
      const given = await site.evidence(await site.enrolled("device"));
      await site.world(1).service.license({ ...given, terms: REQUEST });
      const { holder, request } = site.asked.at(-1)!;
      const { service } = site.world(holder);
      const ask = async () => {
        const commitments = [await site.holders[0]!.commit(), await service.frostCommitment(site.group.kid)];
        return codeOf(service.frostShare({ ...request, commitments }));
      };
      expect(await ask()).toBeUndefined();
      const { bytes } = await service.proposeOrder({ action: OrderAction.PAUSE });
      await service.importOrder(addSignature(bytes, south!, objectAad(ObjectType.ORDER)));
      expect(await ask()).toBe("evidence/epoch-behind");
    });

    it("a device's suspension: nobody signs it until it is over", async () => {
      const { world, device, complete } = await drafted();
      await world.service.changeDevice(device.ueid, { status: "suspended" });
      expect(await complete()).toBe("device/suspended");
      await world.service.changeDevice(device.ueid, { status: "active" });
      expect(await complete()).toBeUndefined();
    });
  });
});
