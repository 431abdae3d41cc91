/**
 * Where is a board? Landmarks send a challenge and time the signed answer. Nothing is faster than light in glass, two
 * thirds of c, so a round trip of 1 ms puts the board within 100 km, and a signer's own time that is not known to be its
 * least adds 100 km for each millisecond. Relays and detours only make the answer later: they widen the circles and never
 * move them off the board, as long as the key is in it.
 */
import { type Static, Type } from "@sinclair/typebox";
import type { Random } from "../../sim-board/random.ts";
import type { Json, Study } from "../study.ts";
import { quantity, whole } from "./quantities.ts";
import {
  anywhere,
  capRadiusKm,
  cosineBetween,
  distanceKm,
  EARTH_RADIUS_KM,
  FARTHEST_KM,
  lattice,
  type Place,
  placeOf,
} from "./sphere.ts";
import { cellRandom, trialCells, trialsOf, uniform } from "./trials.ts";

const PARAMETERS = Type.Object(
  {
    landmarks: whole("Landmarks, spread evenly over the Earth", 50, 1, 5000),
    signingSeconds: quantity("What the board takes to sign", 0.0069, 0, 10),
    signingKnownSeconds: quantity(
      "Part of it that the verifier may take off, since no such board signs faster",
      0,
      0,
      10,
    ),
    detourFactorMax: quantity("How much longer than the great circle a way is, at most; evenly from 1", 1.5, 1, 10),
    delaySecondsMax: quantity("Queues on the way, each way, at most; evenly from 0", 0.0005, 0, 1),
    relaySeconds: quantity("What a relay adds to every round trip", 0, 0, 10),
    claimLatitudeDegrees: quantity("Where the operator says that the board is", 0, -90, 90),
    claimLongitudeDegrees: quantity("Where the operator says that the board is", 0, -180, 180),
    trials: whole("Boards, anywhere on Earth", 2000, 100, 1e7),
  },
  { additionalProperties: false },
);
type Parameters = Static<typeof PARAMETERS>;

type Cell = {
  readonly trials: number;
  readonly outside: number;
  readonly radius: number;
  readonly region: number;
  readonly error: number;
  readonly refuted: number;
  readonly excess: number;
};

const NAME = "where-is-it";
const EACH = 500;
/** Light in glass: 2/3 of 299,792.458 km/s; a round trip covers the distance twice. */
const KM_PER_SECOND = (2 / 3) * 299_792.458;
/** Points that a region is measured with: one for each 102,000 km². */
const LATTICE = lattice(5_000);

export const whereIsIt: Study<Parameters> = {
  name: NAME,
  title: "Landmarks that time a board's answers",
  parameters: PARAMETERS,
  metrics: [
    { name: "kmPerMillisecond", unit: "km", meaning: "Radius that each millisecond of a round trip allows." },
    { name: "signingRadiusKm", unit: "km", meaning: "What unknown signing time adds to every radius, by formula." },
    {
      name: "signingRadiusKmSimulated",
      unit: "km",
      meaning: "The same: mean radius less that of a signer of no time.",
    },
    { name: "radiusKmMean", unit: "km", meaning: "Smallest circle around a landmark that holds the board, mean." },
    {
      name: "regionRadiusKmMean",
      unit: "km",
      meaning: "Radius of a circle as large as what all circles have in common, mean.",
    },
    {
      name: "errorKmMean",
      unit: "km",
      meaning: "Distance of the board from the landmark with the smallest circle, mean.",
    },
    { name: "outsideShare", unit: "1", meaning: "Boards that are not within all circles; 0 if the bound holds." },
    { name: "claimRefutedShare", unit: "1", meaning: "Boards whose claimed place is not within all circles." },
  ],
  cells: ({ trials }) => trialCells(trials, EACH),
  run: (parameters, place): Json => {
    const trials = trialsOf(parameters.trials, place.cell, EACH);
    const random = cellRandom(NAME, place);
    const landmarks = lattice(parameters.landmarks);
    const claim = placeOf(parameters.claimLatitudeDegrees, parameters.claimLongitudeDegrees);
    const sums = { outside: 0, radius: 0, region: 0, error: 0, refuted: 0, excess: 0 };
    for (let trial = 0; trial < trials; trial++) {
      const board = anywhere(random);
      const circles = landmarks.map((landmark) => circleOf(landmark, board, parameters, random));
      // The smallest first: it excludes most.
      const smallest = circles.sort((a, b) => a.radiusKm - b.radiusKm)[0]!;
      if (!withinAll(board, circles)) sums.outside++;
      if (!withinAll(claim, circles)) sums.refuted++;
      sums.radius += smallest.radiusKm;
      sums.excess += smallest.excessKm;
      sums.error += distanceKm(smallest.landmark, board);
      const binding = circles.filter(({ radiusKm }) => radiusKm < FARTHEST_KM);
      sums.region += capRadiusKm(LATTICE.filter((point) => withinAll(point, binding)).length / LATTICE.length);
    }
    return { trials, ...sums };
  },
  merge: (parameters, cells) => {
    const found = cells as readonly Cell[];
    const sum = (of: (cell: Cell) => number) => found.reduce((total, cell) => total + of(cell), 0);
    const trials = sum((cell) => cell.trials);
    const unknown = Math.max(0, parameters.signingSeconds - parameters.signingKnownSeconds);
    return {
      measures: {
        kmPerMillisecond: KM_PER_SECOND / 2 / 1000,
        signingRadiusKm: radiusKm(unknown),
        signingRadiusKmSimulated: sum((cell) => cell.excess) / trials,
        radiusKmMean: sum((cell) => cell.radius) / trials,
        regionRadiusKmMean: sum((cell) => cell.region) / trials,
        errorKmMean: sum((cell) => cell.error) / trials,
        outsideShare: sum((cell) => cell.outside) / trials,
        claimRefutedShare: sum((cell) => cell.refuted) / trials,
      },
    };
  },
  estimate: ({ trials, landmarks }) => {
    const events = trials * (landmarks + LATTICE.length);
    return { boards: 0, events, cpuSeconds: events * 6e-8, bytesResident: LATTICE.length * 100 };
  },
};

interface Circle {
  readonly landmark: Place;
  readonly radiusKm: number;
  /** Of the angle between the landmark and a place within. */
  readonly cosineMin: number;
  /** Of which signing time makes so much. */
  readonly excessKm: number;
}

function circleOf(landmark: Place, board: Place, parameters: Parameters, random: Random): Circle {
  const { signingSeconds, signingKnownSeconds, detourFactorMax, delaySecondsMax, relaySeconds } = parameters;
  const wayKm = distanceKm(landmark, board) * (1 + (detourFactorMax - 1) * uniform(random));
  const travel = (2 * wayKm) / KM_PER_SECOND + 2 * delaySecondsMax * uniform(random) + relaySeconds;
  // Whoever claims to take more than the board took shrinks the circle below the truth: never below nothing.
  const heard = Math.max(0, travel + signingSeconds - signingKnownSeconds);
  const radius = radiusKm(heard);
  return { landmark, radiusKm: radius, cosineMin: cosineOf(radius), excessKm: radius - radiusKm(travel) };
}

/** A meter of rounding is nobody's place. */
function cosineOf(radius: number): number {
  return radius >= FARTHEST_KM ? -2 : Math.cos((radius + 1e-3) / EARTH_RADIUS_KM);
}

function radiusKm(roundTripSeconds: number): number {
  return (roundTripSeconds * KM_PER_SECOND) / 2;
}

function withinAll(place: Place, circles: readonly Circle[]): boolean {
  for (const { landmark, cosineMin } of circles) if (cosineBetween(place, landmark) < cosineMin) return false;
  return true;
}
