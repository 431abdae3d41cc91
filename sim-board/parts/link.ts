/**
 * The wire between a board and its host: it delays and it loses, and a hook may do worse. Time on the wire passes on the
 * board as well.
 */
import { BoardError } from "../errors.ts";
import type { Random } from "../random.ts";

export type Direction = "to-board" | "to-host";

export type LinkOptions = {
  random: Random;
  /** One way. */
  delaySeconds?: number;
  /** On top of the delay, evenly distributed from 0. */
  jitterSeconds?: number;
  /** Messages lost, each way. */
  lossPermille?: number;
  /** An adversary on the wire: what it returns is delivered, undefined drops the message. */
  hook?: (message: Uint8Array, direction: Direction) => Uint8Array | undefined;
};

/** The end of the wire at the board. */
export type LinkEnd = { advance(seconds: number): void; request(message: Uint8Array): Uint8Array };

export class Link {
  readonly #options: Required<Omit<LinkOptions, "hook">> & Pick<LinkOptions, "hook">;
  /** Messages that did not arrive, both ways. */
  lost = 0;

  constructor(options: LinkOptions) {
    this.#options = { delaySeconds: 0, jitterSeconds: 0, lossPermille: 0, ...options };
    const { delaySeconds, jitterSeconds, lossPermille } = this.#options;
    if (!(delaySeconds >= 0 && jitterSeconds >= 0 && lossPermille >= 0 && lossPermille <= 1000)) {
      throw new BoardError("board/option", "a link's delay, jitter and loss are not negative, its loss at most 1000");
    }
  }

  /** Carries a request to the board and the answer back; undefined if either was lost. */
  exchange(board: LinkEnd, request: Uint8Array): Uint8Array | undefined {
    const arrived = this.#carry(board, request, "to-board");
    return arrived && this.#carry(board, board.request(arrived), "to-host");
  }

  #carry(board: LinkEnd, message: Uint8Array, direction: Direction): Uint8Array | undefined {
    const { random, delaySeconds, jitterSeconds, lossPermille, hook } = this.#options;
    const delay = delaySeconds + (jitterSeconds * random.u32()) / 2 ** 32;
    if (delay > 0) board.advance(delay);
    const survives = random.below(1000) >= lossPermille;
    const delivered = survives ? (hook ? hook(message, direction) : message) : undefined;
    if (!delivered) this.lost++;
    return delivered;
  }
}
