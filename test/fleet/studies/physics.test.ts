import { describe, expect, test } from "vitest";
import { anywhere, capRadiusKm, distanceKm, EARTH_RADIUS_KM, lattice, placeOf } from "../../../fleet/studies/sphere.ts";
import { whereIsIt } from "../../../fleet/studies/where-is-it.ts";
import { wornOutBoard } from "../../../fleet/studies/worn-out-board.ts";
import { Random } from "../../../sim-board/random.ts";
import { judge, parametersOf, runStudy } from "./judge.ts";

describe("landmarks that time a board's answers", () => {
  test("bound where it is by light in glass, and a slow signer costs what it takes", async () => {
    const found = await judge(whereIsIt, "where-is-it");
    const at = (point: string) => found.get(point)![0]!;
    for (const [measures] of found.values()) {
      expect(measures!.signingRadiusKmSimulated).toBeCloseTo(measures!.signingRadiusKm!, 3);
      expect(measures!.errorKmMean!).toBeLessThanOrEqual(measures!.radiusKmMean!);
      expect(measures!.outsideShare).toBe(0);
    }
    expect(at("OTBN, 6.9 ms").regionRadiusKmMean!).toBeGreaterThan(at("OTBN, known").regionRadiusKmMean!);
    expect(at("OTBN behind a relay of 20 ms").regionRadiusKmMean!).toBeGreaterThan(
      at("OTBN, 6.9 ms").regionRadiusKmMean!,
    );
    expect(at("signer of no time").claimRefutedShare!).toBeGreaterThan(0.9);
    expect(at("ATECC608, 115 ms").claimRefutedShare!).toBeLessThan(0.5);
  });

  test("a verifier that takes off more than the signer takes loses the board: the study tells", async () => {
    const wrong = parametersOf(whereIsIt, { signingSeconds: 0.001, signingKnownSeconds: 0.02, trials: 100 });
    expect((await runStudy(whereIsIt, wrong, "1")).measures.outsideShare!).toBeGreaterThan(0.5);
  });
});

test("the sphere's distances and areas are those of the Earth", () => {
  const [paris, sydney] = [placeOf(48.8566, 2.3522), placeOf(-33.8688, 151.2093)];
  expect(distanceKm(paris, sydney)).toBeGreaterThan(16_900);
  expect(distanceKm(paris, sydney)).toBeLessThan(17_000);
  expect(capRadiusKm(0.5)).toBeCloseTo((Math.PI / 2) * EARTH_RADIUS_KM, 6);
  // A cap holds its part of the lattice and of random places.
  const within = (places: readonly (readonly [number, number, number])[]) =>
    places.filter((place) => distanceKm(place, paris) <= capRadiusKm(0.1)).length / places.length;
  expect(within(lattice(10_000))).toBeCloseTo(0.1, 2);
  const random = new Random("sphere");
  expect(within(Array.from({ length: 20_000 }, () => anywhere(random)))).toBeCloseTo(0.1, 1.7);
});

describe("a board that writes all day", () => {
  test("ends by its counter after 4.0 years; without leveling by its flash after 69 days", async () => {
    const found = await judge(wornOutBoard, "worn-out-board");
    const at = (point: string) => found.get(point)![0]!;
    expect(at("a record a minute").counterYears).toBeCloseTo(at("a record a minute").counterYearsByFormula!, 9);
    expect(at("a record a minute").journalYears).toBeCloseTo(at("a record a minute").journalYearsByFormula!, 1);
    // Two sectors are erased 35 times as often as 60, and wear out before the counter does.
    expect(at("two journal sectors").sectorWearShareAtCounterEnd!).toBeGreaterThan(1);
    // A step in ten that counts two: a tenth more is used up.
    expect(at("one step in ten cut short").counterYears! * 1.1).toBeCloseTo(at("a record a minute").counterYears!, 1);
  });
});
