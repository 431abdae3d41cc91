/** Places on the Earth, taken as a sphere, and points spread evenly over it. */
import type { Random } from "../../sim-board/random.ts";
import { uniform } from "./trials.ts";

/** Mean radius (IUGG). */
export const EARTH_RADIUS_KM = 6371.0088;
export const FARTHEST_KM = Math.PI * EARTH_RADIUS_KM;

/** A unit vector. */
export type Place = readonly [x: number, y: number, z: number];

export function placeOf(latitudeDegrees: number, longitudeDegrees: number): Place {
  const [latitude, longitude] = [radians(latitudeDegrees), radians(longitudeDegrees)];
  return [Math.cos(latitude) * Math.cos(longitude), Math.cos(latitude) * Math.sin(longitude), Math.sin(latitude)];
}

export function anywhere(random: Random): Place {
  return at(2 * uniform(random) - 1, 2 * Math.PI * uniform(random));
}

/** Of the angle between two places. */
export function cosineBetween(a: Place, b: Place): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** Along the great circle. */
export function distanceKm(a: Place, b: Place): number {
  return EARTH_RADIUS_KM * Math.acos(Math.min(1, Math.max(-1, cosineBetween(a, b))));
}

/** Fibonacci's lattice: each point stands for the same area. */
export function lattice(points: number): Place[] {
  const turn = Math.PI * (3 - Math.sqrt(5));
  return Array.from({ length: points }, (_, index) => at(1 - (2 * index + 1) / points, turn * index));
}

/** Radius of the cap that covers a part of the sphere. */
export function capRadiusKm(share: number): number {
  return EARTH_RADIUS_KM * Math.acos(1 - 2 * Math.min(1, share));
}

function at(z: number, angle: number): Place {
  const across = Math.sqrt(Math.max(0, 1 - z * z));
  return [across * Math.cos(angle), across * Math.sin(angle), z];
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
