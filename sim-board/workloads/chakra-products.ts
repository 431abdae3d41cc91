/**
 * Matrix products of a Chakra trace that was made from a PyTorch run: a kernel's node carries shapes and types of the inputs
 * of the operator that launched it (as Python prints lists), and names that operator's node by its control dependency.
 */
import { dimensions, type Product, productOf } from "./profiled-kernels.ts";

export type NodeInputs = {
  /** `[[2, 3], [3, 4]]` */
  shapes: string;
  /** `['Tensor(float)', 'Tensor(float)']` */
  types: string;
};

/** Types whose engine class is known; of others nothing is counted. */
const KNOWN_TYPE = /^Tensor\((?:float|double|c10::Half|c10::BFloat16|c10::Float8_\w+|signed char)\)$/;

/** What a kernel multiplied, where its operator, shapes and types say so. Throws a `WorkloadError` for shapes below 0. */
export function nodeProduct(kernel: string, operator: string, inputs: NodeInputs, file: string): Product | undefined {
  if (!/mm(?:\(\d+\))?$/.test(operator)) return undefined;
  const inputTypes = [...inputs.types.matchAll(/["']([^"']*)["']/g)].map(([, type]) => type!);
  const product = productOf({
    startNs: 0,
    durationNs: 0,
    kernel,
    kind: "kernel",
    copyBytes: 0n,
    // Older converters number the parts of an operator: `aten::mm(0)`.
    operator: operator.replace(/\(\d+\)$/, ""),
    inputDims: dimensions(listOf(inputs.shapes), file),
    inputTypes,
  });
  const tensors = inputTypes.filter((type) => type.startsWith("Tensor"));
  return tensors.length >= 2 && tensors.every((type) => KNOWN_TYPE.test(type)) ? product : undefined;
}

/** A list, or nothing: Python prints some values, `None`, that are no JSON, and these are no dimensions. */
function listOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}
