import type { Numbered, StreamEvent } from "./types";

interface Frame {
  id: string | null;
  event: string;
  data: string;
}

/** Takes an event stream apart, however its pieces are cut (HTML standard, 9.2.6). */
export class FrameParser {
  #rest = "";
  #id: string | null = null;
  #event = "";
  #data: string[] = [];

  /** The events that end in `chunk`. */
  push(chunk: string): Frame[] {
    const frames: Frame[] = [];
    this.#rest += chunk;
    for (;;) {
      const found = /\r\n|\n|\r(?!$)/.exec(this.#rest);
      if (found === null) return frames;
      const line = this.#rest.slice(0, found.index);
      this.#rest = this.#rest.slice(found.index + found[0].length);
      const frame = this.#take(line);
      if (frame !== null) frames.push(frame);
    }
  }

  #take(line: string): Frame | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): Frame | null {
    const frame = { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#id = null;
    this.#event = "";
    this.#data = [];
    return isEmpty ? null : frame;
  }
}

/** Read the events of `response` until it ends. `onBytes` is told of heartbeats as well. */
export async function* readEvents(
  response: Response,
  onBytes: () => void = () => {},
): AsyncGenerator<Numbered> {
  if (response.body === null) return;
  const parser = new FrameParser();
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      for (const frame of parser.push(decoder.decode(value, { stream: true }))) {
        const event = eventOf(frame);
        if (event !== null) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function eventOf(frame: Frame): Numbered | null {
  const number = frame.id !== null && /^\d+$/.test(frame.id) ? Number(frame.id) : null;
  try {
    const data = JSON.parse(frame.data) as StreamEvent;
    return { number, event: { ...data, type: data.type ?? frame.event } as StreamEvent };
  } catch {
    return null;
  }
}
