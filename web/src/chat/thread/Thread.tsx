import { useEffect, useMemo, useRef } from "react";
import type { ConversationView } from "@/api/types";
import { ErrorNotice } from "@/ui/states";
import { useStreams } from "../context";
import { focusComposer, setFailure, useChatUi } from "../state";
import { goesOn } from "../stream/streams";
import { branchOf, headOf, siblingsOf } from "../stream/tree";
import { AssistantMessage } from "./AssistantMessage";
import { Bubble, UserMessage } from "./UserMessage";

/** The shown branch of a conversation, and what is on its way. */
export function Thread({ view }: { view: ConversationView }) {
  const { id } = view.conversation;
  const streams = useStreams();
  const pending = useChatUi((state) => state.pending[id]);
  const failure = useChatUi((state) => state.failures[id]);
  const whole = useMemo(
    () => branchOf(view.messages, headOf(view.messages, view.head_id)),
    [view.messages, view.head_id],
  );
  const branch = pending?.after === undefined ? whole : cutAfter(whole, pending.after);
  useEffect(() => {
    for (const message of view.messages) {
      if (message.role === "assistant" && goesOn(message)) streams.listen(message);
    }
    // Only when the conversation is opened or loaded anew; streams take care of the rest.
  }, [view.messages, streams]);
  const isBusy = pending !== undefined || branch.some((one) => goesOn(one));
  return (
    <div className="mx-auto flex w-full max-w-3xl flex-col gap-4 px-4 py-6">
      {branch.map((message, index) => {
        const siblings = siblingsOf(view.messages, message);
        const isLast = index === branch.length - 1;
        return message.role === "user" ? (
          <UserMessage
            key={message.id}
            message={message}
            siblings={siblings}
            isBusy={isBusy}
            isLast={isLast}
          />
        ) : (
          <AssistantMessage
            key={message.id}
            message={message}
            siblings={siblings}
            isLast={isLast}
          />
        );
      })}
      {pending && (
        <div className="flex flex-col items-end">
          <Bubble text={pending.text} isFaint />
          <p className="mt-1 text-xs text-muted">
            {pending.isRetried ? "The gateway does not answer. Trying again…" : "Sending…"}
          </p>
        </div>
      )}
      {failure && (
        <ErrorNotice
          title="That did not work"
          failure={failure}
          onDismiss={() => {
            setFailure(id, null);
            focusComposer();
          }}
        />
      )}
      <Follower of={view} extra={pending?.text ?? ""} />
    </div>
  );
}

function cutAfter<T extends { id: string }>(branch: T[], after: string): T[] {
  return branch.slice(0, branch.findIndex((one) => one.id === after) + 1);
}

/** Keeps the end in sight while one is there, and goes there with what one sends. Whoever
 * scrolled up to read is left alone. */
function Follower({ of, extra }: { of: ConversationView; extra: string }) {
  const end = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const area = end.current?.closest("[data-scroll]");
    if (!area) return;
    const look = () => {
      isAtEnd.current = area.scrollHeight - area.scrollTop - area.clientHeight < 120;
    };
    area.addEventListener("scroll", look, { passive: true });
    return () => area.removeEventListener("scroll", look);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever is new moves the end.
  useEffect(() => {
    const area = end.current?.closest("[data-scroll]");
    if (extra !== "") isAtEnd.current = true;
    if (area && isAtEnd.current) area.scrollTop = area.scrollHeight;
  }, [of, extra]);
  return <div ref={end} />;
}
