/**
 * Accelerators: peak rates per engine class and of memory and links, from their makers' datasheets.
 *
 * All peaks are dense: many pages print figures for 2:4 structured sparsity, twice as high. A class that is absent is
 * one the maker states no rate for, so nothing may be timed on it.
 *
 * Not yet compared with the datasheets line by line: the rates of FP64, TF32, INT4 and vector, INT8 of TPU v5p, the
 * H800 row and the MTIA row. No checked total depends on them.
 */
import { EngineClass } from "../firmware/protocol/classes.ts";
import { WorkloadError } from "./workloads/errors.ts";

export type Accelerator = {
  name: string;
  /** What people call it. */
  title: string;
  /** Operations per second by engine class 0 to 8, dense. */
  peakOperationsPerSecond: ReadonlyMap<number, number>;
  hbmBytes: number;
  hbmBytesPerSecond: number;
  /** Both directions together. */
  linkBytesPerSecond: number;
  /** Thermal design power; absent where the maker states none. */
  powerWatts?: number;
  source: string;
};

const TERA = 1e12;
const GIGA = 1e9;

/** Peaks in 10^12 operations per second. */
type Peaks = {
  fp64?: number;
  tf32?: number;
  bf16: number;
  fp16?: number;
  fp8?: number;
  int8?: number;
  fp4?: number;
  int4?: number;
  vector?: number;
};

function peaks(table: Peaks): ReadonlyMap<number, number> {
  const rows: [number, number | undefined][] = [
    [EngineClass.TENSOR_FP64, table.fp64],
    [EngineClass.TENSOR_TF32, table.tf32],
    [EngineClass.TENSOR_BF16, table.bf16],
    [EngineClass.TENSOR_FP16, table.fp16],
    [EngineClass.TENSOR_FP8, table.fp8],
    [EngineClass.TENSOR_INT8, table.int8],
    [EngineClass.TENSOR_FP4, table.fp4],
    [EngineClass.TENSOR_INT4, table.int4],
    [EngineClass.VECTOR, table.vector],
  ];
  return new Map(rows.flatMap(([engineClass, rate]) => (rate === undefined ? [] : [[engineClass, rate * TERA]])));
}

const H100_PEAKS: Peaks = { fp64: 67, tf32: 494.7, bf16: 989.4, fp16: 989.4, fp8: 1979, int8: 1979, vector: 67 };

const TABLE: Accelerator[] = [
  {
    name: "a100",
    title: "NVIDIA A100 SXM 80 GB",
    peakOperationsPerSecond: peaks({
      fp64: 19.5,
      tf32: 156,
      bf16: 312,
      fp16: 312,
      int8: 624,
      int4: 1248,
      vector: 19.5,
    }),
    hbmBytes: 80 * GIGA,
    hbmBytesPerSecond: 2.039 * TERA,
    linkBytesPerSecond: 600 * GIGA,
    powerWatts: 400,
    source: "NVIDIA A100 Tensor Core GPU datasheet",
  },
  {
    name: "h100",
    title: "NVIDIA H100 SXM",
    peakOperationsPerSecond: peaks(H100_PEAKS),
    hbmBytes: 80 * GIGA,
    hbmBytesPerSecond: 3.35 * TERA,
    linkBytesPerSecond: 900 * GIGA,
    powerWatts: 700,
    source: "NVIDIA H100 Tensor Core GPU datasheet",
  },
  {
    name: "h200",
    title: "NVIDIA H200 SXM",
    peakOperationsPerSecond: peaks(H100_PEAKS),
    hbmBytes: 141 * GIGA,
    hbmBytesPerSecond: 4.8 * TERA,
    linkBytesPerSecond: 900 * GIGA,
    powerWatts: 700,
    source: "NVIDIA H200 Tensor Core GPU datasheet",
  },
  {
    name: "h800",
    title: "NVIDIA H800 SXM",
    peakOperationsPerSecond: peaks({ tf32: 494.7, bf16: 989, fp16: 989, fp8: 1979, int8: 1979, vector: 67 }),
    hbmBytes: 80 * GIGA,
    hbmBytesPerSecond: 3.35 * TERA,
    linkBytesPerSecond: 400 * GIGA,
    powerWatts: 700,
    source: "Second-hand tables: to be checked against a datasheet of the maker",
  },
  {
    name: "h20",
    title: "NVIDIA H20",
    peakOperationsPerSecond: peaks({ tf32: 74, bf16: 148, fp16: 148, fp8: 296, int8: 296, vector: 44 }),
    hbmBytes: 96 * GIGA,
    hbmBytesPerSecond: 4 * TERA,
    linkBytesPerSecond: 900 * GIGA,
    powerWatts: 400,
    source: "NVIDIA H20 specifications as published by board partners",
  },
  {
    name: "b200",
    title: "NVIDIA HGX B200, one GPU",
    peakOperationsPerSecond: peaks({
      fp64: 37,
      tf32: 1125,
      bf16: 2250,
      fp16: 2250,
      fp8: 4500,
      int8: 4500,
      fp4: 9000,
      vector: 75,
    }),
    hbmBytes: 180 * GIGA,
    hbmBytesPerSecond: 7.7 * TERA,
    linkBytesPerSecond: 1800 * GIGA,
    powerWatts: 1000,
    source: "NVIDIA HGX B200 datasheet (pages differ on the memory: 7.7 to 8 TB/s)",
  },
  {
    name: "gb200",
    title: "NVIDIA GB200, one GPU",
    peakOperationsPerSecond: peaks({
      fp64: 40,
      tf32: 1250,
      bf16: 2500,
      fp16: 2500,
      fp8: 5000,
      int8: 5000,
      fp4: 10000,
      vector: 80,
    }),
    hbmBytes: 192 * GIGA,
    hbmBytesPerSecond: 8 * TERA,
    linkBytesPerSecond: 1800 * GIGA,
    powerWatts: 1200,
    source: "NVIDIA GB200 NVL72 datasheet",
  },
  {
    name: "mi300x",
    title: "AMD Instinct MI300X",
    peakOperationsPerSecond: peaks({
      fp64: 163.4,
      tf32: 653.7,
      bf16: 1307,
      fp16: 1307,
      fp8: 2615,
      int8: 2615,
      vector: 163.4,
    }),
    hbmBytes: 192 * GIGA,
    hbmBytesPerSecond: 5.3 * TERA,
    linkBytesPerSecond: 896 * GIGA,
    powerWatts: 750,
    source: "AMD Instinct MI300X accelerator datasheet",
  },
  {
    name: "tpu-v5p",
    title: "Google TPU v5p, one chip",
    peakOperationsPerSecond: peaks({ bf16: 459, int8: 918 }),
    hbmBytes: 95 * GIGA,
    hbmBytesPerSecond: 2.765 * TERA,
    linkBytesPerSecond: 600 * GIGA,
    source: "Google Cloud documentation, TPU v5p (INT8 is twice BF16)",
  },
  {
    name: "tpu-v6e",
    title: "Google TPU v6e (Trillium), one chip",
    peakOperationsPerSecond: peaks({ bf16: 918, int8: 1836 }),
    hbmBytes: 32 * GIGA,
    hbmBytesPerSecond: 1.638 * TERA,
    linkBytesPerSecond: 800 * GIGA,
    source: "Google Cloud documentation, TPU v6e",
  },
  {
    name: "trainium2",
    title: "AWS Trainium2, one chip",
    peakOperationsPerSecond: peaks({ bf16: 667, fp16: 667, fp8: 1299 }),
    hbmBytes: 96 * GIGA,
    hbmBytesPerSecond: 2.9 * TERA,
    linkBytesPerSecond: 1280 * GIGA,
    powerWatts: 500,
    source: "AWS Neuron documentation, Trainium2 architecture (power: about)",
  },
  {
    name: "mtia-v2",
    title: "Meta MTIA v2",
    peakOperationsPerSecond: peaks({ bf16: 177, fp16: 177, int8: 354, vector: 2.76 }),
    hbmBytes: 128 * GIGA,
    hbmBytesPerSecond: 0.2048 * TERA,
    linkBytesPerSecond: 64 * GIGA,
    powerWatts: 90,
    source:
      "Meta, Our next-generation Meta Training and Inference Accelerator, April 2024 (memory is LPDDR5, link PCIe)",
  },
];

export const ACCELERATORS: ReadonlyMap<string, Accelerator> = new Map(TABLE.map((row) => [row.name, row]));

export function accelerator(name: string): Accelerator {
  const found = ACCELERATORS.get(name);
  if (found) return found;
  throw new WorkloadError(
    "workload/unknown-name",
    `no accelerator is called "${name}"; known: ${[...ACCELERATORS.keys()].join(", ")}`,
  );
}

/** Peak rate of one engine class: operations per second for 0 to 8, bytes per second for 9 to 11; 0 = not built in. */
export function peakPerSecond(chip: Accelerator, engineClass: number): number {
  if (engineClass === EngineClass.COPY) return chip.hbmBytesPerSecond;
  if (engineClass === EngineClass.LINK_TX || engineClass === EngineClass.LINK_RX) return chip.linkBytesPerSecond / 2;
  return chip.peakOperationsPerSecond.get(engineClass) ?? 0;
}
