import { createContext, useContext } from "react";
import type { Streams } from "./stream/streams";

/** The answers that this page listens to. */
export const StreamsContext = createContext<Streams | null>(null);

export function useStreams(): Streams {
  const streams = useContext(StreamsContext);
  if (streams === null) throw new Error("StreamsContext is missing");
  return streams;
}
