import { Pencil, RefreshCw } from "lucide-react";
import { memo, useId, useState } from "react";
import type { Message } from "@/api/types";
import { Button } from "@/ui/Button";
import { Textarea } from "@/ui/fields";
import { useStreams } from "../context";
import { BranchSwitch } from "./BranchSwitch";
import { textOf } from "./groups";

/** What the person wrote. An edit makes a version beside it, with an answer of its own. */
export const UserMessage = memo(function UserMessage(props: {
  message: Message;
  siblings: Message[];
  isBusy: boolean;
  isLast: boolean;
}) {
  const { message } = props;
  const streams = useStreams();
  const [isEditing, setEditing] = useState(false);
  const text = textOf(message.parts);
  return (
    <article aria-label="You" className="group flex flex-col items-end gap-1">
      {isEditing ? (
        <EditForm message={message} text={text} onDone={() => setEditing(false)} />
      ) : (
        <div className="flex w-full items-center justify-end gap-1">
          {!props.isBusy && (
            <Button
              variant="ghost"
              size="tiny"
              className="text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100"
              aria-label="Edit this message"
              onClick={() => setEditing(true)}
            >
              <Pencil aria-hidden="true" />
            </Button>
          )}
          <Bubble text={text} />
        </div>
      )}
      <div className="flex items-center gap-1">
        {props.siblings.length > 1 && <BranchSwitch message={message} siblings={props.siblings} />}
        {props.isLast && !props.isBusy && (
          <Button
            variant="ghost"
            size="small"
            className="text-muted"
            onClick={() => streams.retry(message.conversation_id, message.id)}
          >
            <RefreshCw aria-hidden="true" />
            Retry
          </Button>
        )}
      </div>
    </article>
  );
});

export function Bubble({ text, isFaint = false }: { text: string; isFaint?: boolean }) {
  return (
    <div
      className={`max-w-[85%] rounded-2xl rounded-br-md border px-4 py-2.5 break-words whitespace-pre-wrap ${isFaint ? "border-dashed bg-card text-muted" : "border-transparent bg-primary-soft text-text"}`}
    >
      {text}
    </div>
  );
}

function EditForm({
  message,
  text,
  onDone,
}: {
  message: Message;
  text: string;
  onDone: () => void;
}) {
  const [draft, setDraft] = useState(text);
  const streams = useStreams();
  const id = useId();
  return (
    <form
      className="flex w-full flex-col gap-2 rounded-2xl border bg-card p-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() === "") return;
        streams.send(message.conversation_id, draft.trim(), message.parent_id ?? "");
        onDone();
      }}
    >
      <label htmlFor={id} className="text-sm font-medium">
        Edit your message
      </label>
      <Textarea
        id={id}
        ref={focusOnce}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      <p className="text-xs text-muted">The version before is kept; you can go back to it.</p>
      <div className="flex gap-2">
        <Button type="submit" variant="primary" size="small" disabled={draft.trim() === ""}>
          Send
        </Button>
        <Button variant="ghost" size="small" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

const focusOnce = (area: HTMLTextAreaElement | null) => area?.focus();
