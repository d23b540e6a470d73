import { create } from "zustand";
import type { LinkState } from "./stream/follow";

/** A message that was sent and is not accepted yet. */
export interface PendingSend {
  text: string;
  after?: string;
  /** Whether the gateway did not answer yet, and is tried again. */
  isRetried?: boolean;
}

/** What only this page knows. Everything else is the server's, and in the query cache. */
interface ChatUi {
  drafts: Record<string, string>;
  pending: Record<string, PendingSend>;
  failures: Record<string, Error>;
  links: Record<string, LinkState>;
  announcement: string;
  /** The conversation that was begun with the first message, until its composer is there. */
  begun: string | null;
  isHistoryOpen: boolean;
  isToolsOpen: boolean;
  /** How often the composer was asked for since it had the focus. */
  focusRequests: number;
}

export const useChatUi = create<ChatUi>(() => ({
  drafts: {},
  pending: {},
  failures: {},
  links: {},
  announcement: "",
  begun: null,
  isHistoryOpen: false,
  isToolsOpen: false,
  focusRequests: 0,
}));

/** The composer of a conversation that is not there yet. */
export const NEW = "new";

export function setDraft(conversationId: string, text: string): void {
  useChatUi.setState(({ drafts }) => ({ drafts: { ...drafts, [conversationId]: text } }));
}

/** Puts a text that was not taken back into the composer, before what was written since. */
export function giveBack(conversationId: string, text: string): void {
  const since = useChatUi.getState().drafts[conversationId] ?? "";
  setDraft(conversationId, [text, since].filter((one) => one.trim() !== "").join("\n\n"));
}

/** Has what is written while the first message is being sent go to the conversation it begins. */
export function carryDraft(conversationId: string): void {
  const { begun, drafts } = useChatUi.getState();
  if (begun !== conversationId) return;
  useChatUi.setState({
    begun: null,
    drafts: { ...drafts, [conversationId]: drafts[NEW] ?? "", [NEW]: "" },
  });
}

/** Puts `text` into the composer and goes there: it is the person who sends it. */
export function suggest(conversationId: string, text: string): void {
  setDraft(conversationId, text);
  focusComposer();
}

/** Goes to the composer, such as from a card that is gone once it was answered. */
export function focusComposer(): void {
  useChatUi.setState(({ focusRequests }) => ({ focusRequests: focusRequests + 1 }));
}

/** Says a sentence to screen readers. */
export function announce(announcement: string): void {
  useChatUi.setState({ announcement });
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _, ...rest } = record;
  return rest;
}

export function setPending(conversationId: string, pending: PendingSend | null): void {
  useChatUi.setState((state) => ({
    pending: pending
      ? { ...state.pending, [conversationId]: pending }
      : without(state.pending, conversationId),
  }));
}

export function setFailure(conversationId: string, failure: Error | null): void {
  useChatUi.setState((state) => ({
    failures: failure
      ? { ...state.failures, [conversationId]: failure }
      : without(state.failures, conversationId),
  }));
}

export function setLink(messageId: string, link: LinkState | null): void {
  useChatUi.setState((state) =>
    link === (state.links[messageId] ?? null)
      ? state
      : {
          links: link ? { ...state.links, [messageId]: link } : without(state.links, messageId),
        },
  );
}
