/** Boards for attacks: made for each attack anew, from a seed, with the governor under attack in them. */
import type { Agreement } from "../../host/objects/agreement.ts";
import type { BoardOptions } from "../../sim-board/board.ts";
import type { GovernorImage } from "../../sim-board/governor-module.ts";
import { Random } from "../../sim-board/random.ts";
import { Rig } from "../rig.ts";

export class Bench {
  readonly image: GovernorImage;
  readonly seed: string;
  /** How often an attack that lives of repetition repeats itself. */
  readonly repeats: number;

  constructor(image: GovernorImage, seed: string, repeats: number) {
    this.image = image;
    this.seed = seed;
    this.repeats = repeats;
  }

  /** What an attack draws by lot. */
  random(name: string): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** Not powered yet. */
  made(change: Partial<Agreement> = {}, options: Partial<BoardOptions> = {}): Rig {
    return new Rig(change, this.#options(options));
  }

  /** Provisioned, clock set; no license yet. */
  ready(change: Partial<Agreement> = {}, options: Partial<BoardOptions> = {}): Rig {
    return Rig.ready(change, this.#options(options));
  }

  /** The same under a license of an hour. */
  open(change: Partial<Agreement> = {}, options: Partial<BoardOptions> = {}): Rig {
    return Rig.open(change, this.#options(options));
  }

  #options(options: Partial<BoardOptions>): Partial<BoardOptions> {
    return { image: this.image, seed: this.seed, ...options };
  }
}
