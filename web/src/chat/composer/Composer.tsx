import { ArrowUp, Square } from "lucide-react";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { ChatConfig } from "@/api/types";
import { Button } from "@/ui/Button";
import { cn } from "@/ui/cn";
import { setDraft, useChatUi } from "../state";
import { matchingActions } from "./actions";
import { SlashMenu } from "./SlashMenu";
import { useFocus } from "./useFocus";

/** `sending` is before anything can be stopped. */
export type ComposerState = "ready" | "sending" | "running" | "waiting";

/** Where one writes. Enter sends, Shift+Enter makes a line, `/` opens the quick actions. */
export function Composer(props: {
  conversationId: string;
  config: ChatConfig | undefined;
  state: ComposerState;
  onSend: (text: string) => void;
  onStop?: () => void;
}) {
  const { conversationId, state, config } = props;
  const draft = useChatUi((ui) => ui.drafts[conversationId] ?? "");
  const area = useRef<HTMLTextAreaElement>(null);
  const [active, setActive] = useState(0);
  const [isMenuShut, setMenuShut] = useState(false);
  const id = useId();
  const limit = config?.limits.text_characters ?? Number.POSITIVE_INFINITY;
  const length = Array.from(draft).length;
  const isTooLong = length > limit;
  const canSend = state === "ready" && draft.trim() !== "" && !isTooLong;
  const actions = isMenuShut ? [] : matchingActions(config?.quick_actions ?? [], draft);
  const chosen = actions[Math.min(active, actions.length - 1)];

  useFocus(area, conversationId);

  const change = (text: string) => {
    setMenuShut(false);
    setActive(0);
    setDraft(conversationId, text);
  };
  const submit = () => {
    if (!canSend) return;
    setDraft(conversationId, "");
    area.current?.focus();
    props.onSend(draft.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (chosen && step) {
      event.preventDefault();
      setActive((actions.indexOf(chosen) + step + actions.length) % actions.length);
    } else if (chosen && event.key === "Escape") {
      event.preventDefault();
      setMenuShut(true);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (chosen) change(chosen.prompt);
      else submit();
    }
  };

  return (
    <form
      className="mx-auto w-full max-w-3xl shrink-0 px-4 pt-2 pb-4"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="relative rounded-2xl border border-control bg-card shadow-sm focus-within:border-link focus-within:outline-2 focus-within:outline-link">
        <SlashMenu
          id={`${id}-menu`}
          actions={actions}
          active={chosen}
          onPick={(one) => change(one.prompt)}
        />
        <div className="flex items-end gap-2 p-2">
          <textarea
            ref={area}
            rows={1}
            id="message"
            dir="auto"
            aria-label="Message"
            aria-describedby={`${id}-hint`}
            aria-invalid={isTooLong || undefined}
            aria-controls={chosen ? `${id}-menu` : undefined}
            aria-activedescendant={chosen ? `${id}-menu-${chosen.id}` : undefined}
            placeholder="Write a message, or / for quick actions"
            className="field-sizing-content max-h-[min(14rem,40dvh)] min-h-9 flex-1 resize-none bg-transparent px-2 py-1.5 outline-none"
            value={draft}
            onChange={(event) => change(event.target.value)}
            onKeyDown={onKeyDown}
          />
          {state === "running" || state === "sending" ? (
            <Button
              size="icon"
              aria-label={state === "sending" ? "Stop sending" : "Stop the answer"}
              disabled={props.onStop === undefined}
              className="rounded-xl"
              onClick={props.onStop}
            >
              <Square aria-hidden="true" className="fill-current" />
            </Button>
          ) : (
            <Button
              type="submit"
              variant="primary"
              size="icon"
              className="rounded-xl"
              aria-label="Send"
              aria-disabled={!canSend}
              disabled={!canSend}
            >
              <ArrowUp aria-hidden="true" />
            </Button>
          )}
        </div>
      </div>
      <Hint id={`${id}-hint`} state={state} length={length} limit={limit} onStop={props.onStop} />
    </form>
  );
}

function Hint(props: {
  id: string;
  state: ComposerState;
  length: number;
  limit: number;
  onStop: (() => void) | undefined;
}) {
  const { length, limit } = props;
  const over = length - limit;
  return (
    <div className="mt-1.5 flex min-h-6 flex-wrap items-center gap-x-2 px-2 text-xs text-muted">
      <p id={props.id} className={cn(over > 0 && "font-medium text-error")}>
        {hintOf(props.state, length, limit)}
      </p>
      {props.state === "waiting" && (
        <Button variant="link" size="inline" className="text-xs" onClick={props.onStop}>
          Stop
        </Button>
      )}
    </div>
  );
}

function hintOf(state: ComposerState, length: number, limit: number): string {
  const over = length - limit;
  if (over > 0) {
    return `This is ${over.toLocaleString()} characters too long; ${limit.toLocaleString()} fit. Shorten it, or send it in parts.`;
  }
  if (state === "waiting") return "The assistant waits for you above. Answer there, or stop.";
  if (length > limit * 0.9) {
    return `${length.toLocaleString()} of ${limit.toLocaleString()} characters`;
  }
  if (state === "sending") return "The message is being sent. You can write the next one.";
  if (state === "ready") return "Enter sends, Shift+Enter makes a line.";
  return length > 0
    ? "Send this once the answer is complete."
    : "The assistant is answering. You can write already.";
}
