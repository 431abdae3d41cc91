/**
 * The engine classes: one hardware counter and one credit register each. Read by both compilers.
 * Units: operations for 0 to 8 (one multiply-add = 2 operations), bytes for 9 to 11. What a class is called in a
 * license, a report or a counter is this number; a number, once published, is never given another meaning.
 */
export const enum EngineClass {
  TENSOR_FP64 = 0,
  TENSOR_TF32 = 1,
  TENSOR_BF16 = 2,
  TENSOR_FP16 = 3,
  TENSOR_FP8 = 4,
  TENSOR_INT8 = 5,
  TENSOR_FP4 = 6,
  TENSOR_INT4 = 7,
  VECTOR = 8,
  COPY = 9,
  LINK_TX = 10,
  LINK_RX = 11,
  COUNT = 12,
}
