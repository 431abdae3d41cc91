/** Published shapes of transformers, as far as their arithmetic depends on them. */
import { WorkloadError } from "./errors.ts";

export type ModelShape = {
  name: string;
  source: string;
  /** L: transformer layers. */
  layers: number;
  /** h: width of the residual stream. */
  hidden: number;
  /** f: width of the feed-forward layer. */
  ffn: number;
  heads: number;
  /** n_kv: heads of keys and values (fewer than `heads` with grouped queries). */
  kvHeads: number;
  /** d */
  headDim: number;
  /** V */
  vocab: number;
  /** True for SwiGLU and its like: three matrices in the feed-forward layer, not two. */
  gated: boolean;
  /** True if a token attends only to the ones before it: half the products. */
  causal: boolean;
  /** Parameters that work on one token, as its makers state. Fewer than all of them in a mixture of experts. */
  activeParameters: number;
  /** True where the fields above do not give the products (latent attention, experts): only 6ND applies. */
  parametersOnly?: boolean;
};

const TABLE: ModelShape[] = [
  {
    name: "llama3.1-405b",
    source: "The Llama 3 Herd of Models, arXiv 2407.21783, table 3",
    layers: 126,
    hidden: 16384,
    ffn: 53248,
    heads: 128,
    kvHeads: 8,
    headDim: 128,
    vocab: 128256,
    gated: true,
    causal: true,
    activeParameters: 405e9,
  },
  {
    name: "llama2-70b",
    source: "Llama 2, arXiv 2307.09288, and its published configuration",
    layers: 80,
    hidden: 8192,
    ffn: 28672,
    heads: 64,
    kvHeads: 8,
    headDim: 128,
    vocab: 32000,
    gated: true,
    causal: true,
    activeParameters: 70e9,
  },
  {
    name: "gpt3-175b",
    source: "Language Models are Few-Shot Learners, arXiv 2005.14165, table 2.1",
    layers: 96,
    hidden: 12288,
    ffn: 49152,
    heads: 96,
    kvHeads: 96,
    headDim: 128,
    vocab: 50257,
    gated: false,
    causal: true,
    activeParameters: 175e9,
  },
  {
    name: "bert-large",
    source: "BERT, arXiv 1810.04805, section 3",
    layers: 24,
    hidden: 1024,
    ffn: 4096,
    heads: 16,
    kvHeads: 16,
    headDim: 64,
    vocab: 30522,
    gated: false,
    causal: false,
    activeParameters: 340e6,
  },
  {
    name: "deepseek-v3",
    source: "DeepSeek-V3 Technical Report, arXiv 2412.19437, section 4.2",
    layers: 61,
    hidden: 7168,
    ffn: 18432,
    heads: 128,
    kvHeads: 128,
    headDim: 128,
    vocab: 129280,
    gated: true,
    causal: true,
    activeParameters: 37e9,
    parametersOnly: true,
  },
];

const MODELS: ReadonlyMap<string, ModelShape> = new Map(TABLE.map((row) => [row.name, row]));

export function model(name: string): ModelShape {
  const found = MODELS.get(name);
  if (found) return found;
  throw new WorkloadError(
    "workload/unknown-name",
    `no model is called "${name}"; known: ${[...MODELS.keys()].join(", ")}`,
  );
}
