/** Engine classes by the names that policies, fleets and JSON documents use: `tensor_bf16`, `copy`. */
import { EngineClass } from "../../firmware/protocol/classes.ts";

export const CLASS_KEYS: ReadonlyMap<string, EngineClass> = new Map<string, EngineClass>([
  ["tensor_fp64", EngineClass.TENSOR_FP64],
  ["tensor_tf32", EngineClass.TENSOR_TF32],
  ["tensor_bf16", EngineClass.TENSOR_BF16],
  ["tensor_fp16", EngineClass.TENSOR_FP16],
  ["tensor_fp8", EngineClass.TENSOR_FP8],
  ["tensor_int8", EngineClass.TENSOR_INT8],
  ["tensor_fp4", EngineClass.TENSOR_FP4],
  ["tensor_int4", EngineClass.TENSOR_INT4],
  ["vector", EngineClass.VECTOR],
  ["copy", EngineClass.COPY],
  ["link_tx", EngineClass.LINK_TX],
  ["link_rx", EngineClass.LINK_RX],
]);

const KEYS: ReadonlyMap<number, string> = new Map([...CLASS_KEYS].map(([key, engineClass]) => [engineClass, key]));

export function classKeyOf(engineClass: EngineClass): string {
  return KEYS.get(engineClass)!;
}

/** Copy and links are metered in bytes, all others in operations. */
export function isByteClass(engineClass: EngineClass): boolean {
  return engineClass >= EngineClass.COPY;
}

/** All run on one set of tensor units: what one of them does, another cannot do at the same time. */
export function isTensorClass(engineClass: EngineClass): boolean {
  return engineClass < EngineClass.VECTOR;
}
