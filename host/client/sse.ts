/** Server-sent events out of a stream of bytes (WHATWG HTML, section 9.2.6), as they come, and with a bound on each. */
import { ClientError } from "./errors.ts";

export interface SentEvent {
  readonly type: string;
  readonly data: string;
}

/** An order of 4 KiB in base64url, and the members around it. */
const EVENT_CHARACTERS_MAX = 65_536;

export class EventParser {
  readonly #decoder = new TextDecoder("utf-8");
  #rest = "";
  #type = "";
  #data: string[] = [];
  #characters = 0;

  /** The events that are whole with these bytes. Throws `client/too-large`. */
  take(bytes: Uint8Array): SentEvent[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const events: SentEvent[] = [];
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.#rest);
      // A carriage return at the end may be the half of a line's end.
      if (!end || (end[0] === "\r" && end.index + 1 === this.#rest.length)) break;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      const event = this.#line(line);
      if (event) events.push(event);
    }
    if (this.#rest.length + this.#characters > EVENT_CHARACTERS_MAX) {
      throw new ClientError("client/too-large", "an event");
    }
    return events;
  }

  #line(line: string): SentEvent | undefined {
    if (line === "") {
      const event = { type: this.#type || "message", data: this.#data.join("\n") };
      const isEmpty = this.#data.length === 0;
      this.#type = "";
      this.#data = [];
      this.#characters = 0;
      return isEmpty ? undefined : event;
    }
    this.#characters += line.length;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#type = value;
    else if (field === "data") this.#data.push(value);
    // Comments keep the connection alive; ids and retry times mean nothing here, since whoever reconnects polls first.
    return undefined;
  }
}
