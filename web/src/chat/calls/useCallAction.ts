import { useMutation } from "@tanstack/react-query";
import type { Message } from "@/api/types";
import { useStreams } from "../context";
import { focusComposer } from "../state";

/** Something a person does about a call; what the server answers takes the message's place. */
export function useCallAction<Input>(act: (input: Input) => Promise<Message>) {
  const streams = useStreams();
  return useMutation({
    mutationFn: act,
    onSuccess: (message) => {
      streams.take(message);
      focusComposer();
    },
  });
}
