import {
  type InfiniteData,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import {
  changeConversation,
  deleteConversation,
  exportConversation,
  fetchConversations,
  restoreConversation,
} from "@/api/chat";
import type { Conversation, ConversationPage, ConversationView } from "@/api/types";
import { messageOf } from "@/ui/states";
import { toast } from "@/ui/toasts";
import { download } from "../download";
import { keys } from "../queries";

export function useHistory(search: string) {
  return useInfiniteQuery({
    queryKey: keys.history(search),
    queryFn: ({ pageParam, signal }) => fetchConversations(search, pageParam, signal),
    initialPageParam: 1,
    getNextPageParam: (last) => (last.page * last.limit < last.total ? last.page + 1 : undefined),
    placeholderData: (before) => before,
    staleTime: 10_000,
  });
}

type Pages = InfiniteData<ConversationPage, number>;

/** Rename, pin, delete and export. What can be undone is shown at once. */
export function useHistoryActions(onDeleted: (id: string) => void) {
  const client = useQueryClient();
  const eachPage = (change: (all: Conversation[]) => Conversation[]) =>
    client.setQueriesData<Pages>(
      { queryKey: keys.histories },
      (data) =>
        data && {
          ...data,
          pages: data.pages.map((page) => ({ ...page, conversations: change(page.conversations) })),
        },
    );
  // A list that is on its way is as it was before.
  const drop = (id: string) => {
    void client.cancelQueries({ queryKey: keys.histories });
    eachPage((all) => all.filter((one) => one.id !== id));
  };
  const refresh = () => client.invalidateQueries({ queryKey: keys.histories });
  const onError = (failure: Error) => {
    toast(messageOf(failure));
    void refresh();
  };
  const change = useMutation({
    mutationFn: ({ id, ...rest }: { id: string; title?: string; is_pinned?: boolean }) =>
      changeConversation(id, rest),
    onMutate: ({ id, ...rest }) => {
      eachPage((all) => all.map((one) => (one.id === id ? { ...one, ...rest } : one)));
      client.setQueryData<ConversationView>(
        keys.conversation(id),
        (view) => view && { ...view, conversation: { ...view.conversation, ...rest } },
      );
    },
    onError,
    onSettled: refresh,
  });
  const restore = useMutation({ mutationFn: restoreConversation, onError, onSettled: refresh });
  const remove = useMutation({
    mutationFn: ({ id }: Conversation) => deleteConversation(id),
    onMutate: ({ id }) => drop(id),
    onSuccess: (_, { id, title }) => {
      drop(id);
      toast(`“${title || "New conversation"}” is deleted.`, {
        label: "Undo",
        onClick: () => restore.mutate(id),
      });
      onDeleted(id);
    },
    onError,
    onSettled: refresh,
  });
  const save = useMutation({
    mutationFn: async ({
      id,
      format,
    }: {
      id: string;
      title: string;
      format: "json" | "markdown";
    }) => exportConversation(id, format),
    onSuccess: (content, { title, format }) =>
      download(fileName(title, format === "json" ? "json" : "md"), content),
    onError: (failure) => toast(messageOf(failure)),
  });
  return { change, remove, save };
}

/** A title as a file name that every system takes. */
export function fileName(title: string, extension: string): string {
  const plain = title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return `${plain.slice(0, 60) || "conversation"}.${extension}`;
}
