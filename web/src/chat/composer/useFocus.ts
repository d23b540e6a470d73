import { type RefObject, useEffect, useLayoutEffect } from "react";
import { carryDraft, useChatUi } from "../state";

let hadFocus = false;

/** Gives the focus to the composer where somebody asks for it, and where it had it on the page
 * before: each page has a composer of its own, and who was writing goes on writing. */
export function useFocus(
  area: RefObject<HTMLTextAreaElement | null>,
  conversationId: string,
): void {
  const focusRequests = useChatUi((ui) => ui.focusRequests);
  useLayoutEffect(() => {
    const field = area.current;
    carryDraft(conversationId);
    if (hadFocus) field?.focus();
    hadFocus = false;
    return () => {
      hadFocus = field !== null && document.activeElement === field;
    };
  }, [area, conversationId]);
  useEffect(() => {
    if (focusRequests === 0) return;
    area.current?.focus();
    useChatUi.setState({ focusRequests: 0 });
  }, [area, focusRequests]);
}
