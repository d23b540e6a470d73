import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { stopMessage } from "@/api/chat";
import { ApiError } from "@/api/client";
import type { ConversationView, Message } from "@/api/types";
import { buttonLook } from "@/ui/Button";
import { EmptyState, ErrorNotice, messageOf, Skeleton } from "@/ui/states";
import { toast } from "@/ui/toasts";
import { Composer, type ComposerState } from "./composer/Composer";
import { useStreams } from "./context";
import { configQuery, conversationQuery } from "./queries";
import { useChatUi } from "./state";
import { goesOn } from "./stream/streams";
import { branchOf, headOf } from "./stream/tree";
import { Thread } from "./thread/Thread";

export function ConversationPage() {
  const { conversationId } = useParams({ from: "/chat/c/$conversationId" });
  const view = useQuery(conversationQuery(conversationId));
  const config = useQuery(configQuery);
  const streams = useStreams();
  const isPending = useChatUi((ui) => ui.pending[conversationId] !== undefined);
  const last = view.data ? lastOf(view.data) : undefined;
  const stop = useMutation({
    mutationFn: (message: Message) => stopMessage(conversationId, message.id),
    onSuccess: (message) => streams.take(message),
    onError: (failure) => toast(messageOf(failure)),
  });
  if (view.isError && view.data === undefined) {
    return <Missing failure={view.error} onRetry={() => void view.refetch()} />;
  }
  return (
    <>
      <div
        role="region"
        aria-label="Messages"
        tabIndex={0}
        data-scroll
        className="min-h-36 flex-1 overflow-y-auto outline-offset-[-2px]"
      >
        {view.data ? <Thread key={conversationId} view={view.data} /> : <ThreadSkeleton />}
      </div>
      <Composer
        key={conversationId}
        conversationId={conversationId}
        config={config.data}
        state={stateOf(last, isPending)}
        onSend={(text) => streams.send(conversationId, text)}
        onStop={() => {
          if (isPending) streams.cancel(conversationId);
          else if (last) stop.mutate(last);
        }}
      />
    </>
  );
}

function lastOf(view: ConversationView): Message | undefined {
  return branchOf(view.messages, headOf(view.messages, view.head_id)).at(-1);
}

function stateOf(last: Message | undefined, isPending: boolean): ComposerState {
  if (isPending) return "sending";
  if (last?.role !== "assistant") return "ready";
  if (goesOn(last)) return "running";
  return last.status === "waiting" ? "waiting" : "ready";
}

function ThreadSkeleton() {
  return (
    <div
      role="status"
      aria-label="Loading messages"
      className="mx-auto flex max-w-3xl flex-col gap-4 px-4 py-6"
    >
      <Skeleton className="ml-auto h-12 w-1/2" />
      <Skeleton className="h-6 w-3/4" />
      <Skeleton className="h-16 w-full" />
      <Skeleton className="h-6 w-2/3" />
    </div>
  );
}

function Missing({ failure, onRetry }: { failure: Error; onRetry: () => void }) {
  const isGone = failure instanceof ApiError && failure.status === 404;
  return (
    <div className="mx-auto w-full max-w-xl px-4 py-10">
      {isGone ? (
        <EmptyState
          title="There is no such conversation"
          action={
            <Link to="/" className={buttonLook({ variant: "outline" })}>
              Begin a new one
            </Link>
          }
        >
          It may have been deleted, or it belongs to somebody else.
        </EmptyState>
      ) : (
        <ErrorNotice title="The conversation cannot be shown" failure={failure} onRetry={onRetry} />
      )}
    </div>
  );
}
