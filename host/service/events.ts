/** What is pushed as it happens. A process learns of what others did from the version of the shared state. */
import type { ServiceEvent } from "./service.ts";

export type Listener = (event: ServiceEvent) => void;

export class Events {
  readonly #listeners = new Set<Listener>();

  /** Returns what ends the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: ServiceEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }
}
