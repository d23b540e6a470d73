import { ApiError } from "@/api/client";
import { readEvents } from "@/api/sse";
import type { Numbered } from "@/api/types";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const MOST_FAILURES = 12;
/** Three heartbeats of the server. */
const SILENCE_MS = 45_000;

/** Nothing came for long, though it was asked for again and again. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  override readonly message =
    "The connection to the gateway is lost. What you wrote is in the field below; send it again " +
    "when the gateway answers.";
}

export type LinkState = "open" | "reconnecting" | "lost";

/** How a stream is opened, and who is told what comes of it. */
export interface Following {
  /** The request that begins it; made again, with its key, as long as nothing was accepted. */
  begin: (signal: AbortSignal) => Promise<Response>;
  /** Whether `begin` must not be made again, since the server would do it twice. */
  beginsOnce?: boolean;
  /** Goes on after event `since`; null before an answer is known. */
  resume: ((since: number | null, signal: AbortSignal) => Promise<Response>) | null;
  /** @throws MissedEvents to be sent the whole. */
  onEvent: (numbered: Numbered) => void;
  onState: (state: LinkState) => void;
  /** It is over: by its `end`, or by a refusal. */
  onDone: (failure: Error | null) => void;
  /** Waits; replaced in tests. */
  pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Follow one answer until its `end`, through as many connections as it takes.
 *
 * Returns what ends the listening; the answer itself goes on at the server.
 */
export function follow(following: Following): () => void {
  const control = new AbortController();
  void run(following, control.signal).then(
    () => control.signal.aborted || following.onDone(null),
    (failure: unknown) => control.signal.aborted || following.onDone(failure as Error),
  );
  return () => control.abort();
}

async function run(following: Following, signal: AbortSignal): Promise<void> {
  const pause = following.pause ?? pauseFor;
  let since: number | null = null;
  let isResuming = false;
  let failures = 0;
  for (;;) {
    const connection = connect(signal);
    try {
      const { resume, begin } = following;
      const response: Response =
        isResuming && resume
          ? await resume(since, connection.signal)
          : await begin(connection.signal);
      for await (const numbered of readEvents(response, connection.heard)) {
        following.onState("open");
        failures = 0;
        isResuming = true;
        since = numbered.number ?? since;
        following.onEvent(numbered);
        if (numbered.event.type === "end") return;
      }
    } catch (failure) {
      if (signal.aborted) return;
      if (failure instanceof ApiError && !isPassing(failure, isResuming)) throw failure;
      if (!isResuming && following.beginsOnce) throw failure;
      if ((failure as Error).name === "MissedEvents") since = null;
    } finally {
      connection.close();
    }
    if (signal.aborted) return;
    failures += 1;
    following.onState("reconnecting");
    if (failures > MOST_FAILURES) {
      following.onState("lost");
      throw new ConnectionLost();
    }
    await pause(pauseAfter(failures), signal);
  }
}

/** Half of it by chance, so that not all browsers come back at the same moment. */
export function pauseAfter(failures: number, chance: () => number = Math.random): number {
  const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return whole / 2 + (whole / 2) * chance();
}

function isPassing(failure: ApiError, isResuming: boolean): boolean {
  return isResuming && (failure.status >= 500 || failure.status === 429 || failure.status === 408);
}

function connect(outer: AbortSignal) {
  const control = new AbortController();
  const end = () => control.abort();
  outer.addEventListener("abort", end);
  let timer = setTimeout(end, SILENCE_MS);
  return {
    signal: control.signal,
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE_MS);
    },
    close: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", end);
      control.abort();
    },
  };
}

/** Waits, at most until the browser is online again. */
function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
