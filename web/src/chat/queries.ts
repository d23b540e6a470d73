import { queryOptions } from "@tanstack/react-query";
import { fetchConfig, fetchConversation, fetchTools } from "@/api/chat";

export const keys = {
  histories: ["conversations"] as const,
  history: (search: string) => ["conversations", search] as const,
  conversation: (id: string) => ["conversation", id] as const,
};

export const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: fetchConfig,
  staleTime: 5 * 60_000,
});

export const toolsQuery = queryOptions({
  queryKey: ["tools"],
  queryFn: fetchTools,
  staleTime: 30_000,
});

export const conversationQuery = (id: string) =>
  queryOptions({
    queryKey: keys.conversation(id),
    queryFn: () => fetchConversation(id),
    staleTime: 15_000,
  });
