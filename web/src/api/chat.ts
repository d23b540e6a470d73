import { request, send } from "./client";
import type {
  Answer,
  ChatConfig,
  Choice,
  Conversation,
  ConversationPage,
  ConversationView,
  JsonObject,
  Message,
  ToolList,
} from "./types";

const STREAM = { accept: "text/event-stream" };
const conversationPath = (id: string) => `api/chat/conversations/${encodeURIComponent(id)}`;
const messagePath = (id: string, messageId: string) =>
  `${conversationPath(id)}/messages/${encodeURIComponent(messageId)}`;

export const fetchConfig = () => request<ChatConfig>("api/chat/config");

export const fetchTools = () => request<ToolList>("api/chat/tools");

export function fetchConversations(
  search: string,
  page: number,
  signal?: AbortSignal,
): Promise<ConversationPage> {
  const query = new URLSearchParams({ page: String(page), limit: "30" });
  if (search !== "") query.set("search", search);
  return request(`api/chat/conversations?${query}`, signal ? { signal } : {});
}

export const createConversation = () =>
  request<Conversation>("api/chat/conversations", { method: "POST", body: {} });

export const fetchConversation = (id: string) => request<ConversationView>(conversationPath(id));

export const changeConversation = (
  id: string,
  change: { title?: string; is_pinned?: boolean; head_id?: string },
) => request<Conversation>(conversationPath(id), { method: "PATCH", body: change });

export const deleteConversation = (id: string) =>
  request<void>(conversationPath(id), { method: "DELETE" });

export const restoreConversation = (id: string) =>
  request<Conversation>(`${conversationPath(id)}/restore`, { method: "POST" });

export const exportConversation = async (id: string, format: "json" | "markdown") =>
  (
    await send(`${conversationPath(id)}/export?format=${format}`, { headers: { accept: "*/*" } })
  ).blob();

/** Send a message; the stream begins with `accepted`. The same key never makes two messages.
 *
 * `after` is the message it follows, "" for none, undefined for the end of the shown branch.
 */
export const postMessage = (
  id: string,
  body: { text: string; after?: string },
  key: string,
  signal: AbortSignal,
) =>
  send(`${conversationPath(id)}/messages`, {
    method: "POST",
    body,
    headers: { ...STREAM, "Idempotency-Key": key },
    signal,
  });

/** Make another answer; the stream begins with its snapshot. */
export const postRetry = (id: string, messageId: string, key: string, signal: AbortSignal) =>
  send(`${messagePath(id, messageId)}/retry`, {
    method: "POST",
    headers: { ...STREAM, "Idempotency-Key": key },
    signal,
  });

/** Listen to an answer, after event number `since`. */
export const getStream = (
  id: string,
  messageId: string,
  since: number | null,
  signal: AbortSignal,
) =>
  send(`${messagePath(id, messageId)}/stream`, {
    headers: since === null ? STREAM : { ...STREAM, "Last-Event-ID": String(since) },
    signal,
  });

export const stopMessage = (id: string, messageId: string) =>
  request<Message>(`${messagePath(id, messageId)}/stop`, { method: "POST" });

/** Names a call that waits for the person. */
export interface CallPlace {
  conversationId: string;
  messageId: string;
  callId: string;
}

const callPath = ({ conversationId, messageId, callId }: CallPlace) =>
  `${messagePath(conversationId, messageId)}/calls/${encodeURIComponent(callId)}`;

export const decideCall = (
  place: CallPlace,
  decision: { decision: Choice; arguments?: JsonObject; reason?: string },
) => request<Message>(`${callPath(place)}/decision`, { method: "POST", body: decision });

export const answerCall = (place: CallPlace, answers: Record<string, Answer>) =>
  request<Message>(`${callPath(place)}/answer`, { method: "POST", body: { answers } });

export const proceedCall = (place: CallPlace) =>
  request<Message>(`${callPath(place)}/proceed`, { method: "POST" });
