import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { createConversation } from "@/api/chat";
import type { ChatConfig, ConversationView } from "@/api/types";
import { Button } from "@/ui/Button";
import { ErrorNotice, Skeleton } from "@/ui/states";
import { Composer } from "./composer/Composer";
import { useStreams } from "./context";
import { configQuery, keys, toolsQuery } from "./queries";
import { giveBack, NEW, suggest, useChatUi } from "./state";

/** A conversation that begins with its first message. */
export function WelcomePage() {
  const config = useQuery(configQuery);
  const streams = useStreams();
  const client = useQueryClient();
  const navigate = useNavigate();
  const router = useRouter();
  const begin = useMutation({
    mutationFn: async (_text: string) => createConversation(),
    onSuccess: (conversation, text) => {
      const view: ConversationView = { conversation, messages: [], head_id: null };
      client.setQueryData(keys.conversation(conversation.id), view);
      streams.send(conversation.id, text);
      const { pathname } = router.state.location;
      if (pathname.includes("/c/")) return; // The person has gone elsewhere meanwhile.
      useChatUi.setState({ begun: conversation.id });
      void navigate({ to: "/c/$conversationId", params: { conversationId: conversation.id } });
    },
    onError: (_, text) => giveBack(NEW, text),
  });
  return (
    <>
      <div className="flex min-h-36 flex-1 flex-col items-center overflow-y-auto px-4" data-scroll>
        <div className="my-auto flex w-full max-w-2xl flex-col items-center gap-6 py-8 text-center">
          {config.isPending && <WelcomeSkeleton />}
          {config.isError && (
            <ErrorNotice
              title="The assistant cannot be reached"
              failure={config.error}
              onRetry={() => void config.refetch()}
              className="text-left"
            />
          )}
          {config.data && <Greeting config={config.data} />}
        </div>
      </div>
      {begin.error && (
        <div className="mx-auto w-full max-w-3xl px-4 pb-3">
          <ErrorNotice
            title="The message was not sent"
            failure={begin.error}
            onDismiss={() => begin.reset()}
          />
        </div>
      )}
      <Composer
        conversationId={NEW}
        config={config.data}
        state={begin.isPending ? "sending" : "ready"}
        onSend={(text) => begin.mutate(text)}
      />
    </>
  );
}

function WelcomeSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex w-full flex-col items-center gap-4">
      <Skeleton className="h-8 w-2/3" />
      <Skeleton className="h-5 w-1/2" />
      <div className="flex gap-2">
        <Skeleton className="h-9 w-32" />
        <Skeleton className="h-9 w-32" />
      </div>
    </div>
  );
}

function Greeting({ config }: { config: ChatConfig }) {
  const tools = useQuery(toolsQuery);
  const hasNone = tools.data?.tools.length === 0;
  return (
    <>
      <div className="flex flex-col gap-2">
        <h2 className="text-2xl font-semibold tracking-tight wrap-anywhere text-balance">
          {config.greeting}
        </h2>
        <p className="text-muted">Each step is shown, and nothing is changed before you agree.</p>
      </div>
      {hasNone && (
        <p className="rounded-xl bg-warning-soft px-4 py-2.5 text-sm text-warning">
          You may use no tool here yet, so the assistant can only talk. Ask an administrator for a
          role.
        </p>
      )}
      {config.quick_actions.length > 0 && (
        <ul aria-label="Quick actions" className="flex flex-wrap justify-center gap-2">
          {config.quick_actions.map((action) => (
            <li key={action.id}>
              <Button
                className="h-auto min-h-9 max-w-full rounded-2xl py-1 text-left wrap-anywhere whitespace-normal"
                onClick={() => suggest(NEW, action.prompt)}
              >
                {action.label}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {config.model.note && <p className="max-w-lg text-sm text-muted">{config.model.note}</p>}
    </>
  );
}
