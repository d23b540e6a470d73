import { Link } from "@tanstack/react-router";
import { Download, Ellipsis, Pencil, Pin, PinOff, Trash2 } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { Conversation } from "@/api/types";
import { ActionMenu } from "@/ui/ActionMenu";
import { buttonLook } from "@/ui/Button";
import { cn } from "@/ui/cn";
import { Input } from "@/ui/fields";
import type { useHistoryActions } from "./useHistory";

/** One conversation. F2 renames it, Delete deletes it. */
export function HistoryRow(props: {
  conversation: Conversation;
  isCurrent: boolean;
  isSearch: boolean;
  actions: ReturnType<typeof useHistoryActions>;
  onOpen: () => void;
}) {
  const { conversation: one, actions } = props;
  const [isRenaming, setRenaming] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const isBack = useRef(false);
  useEffect(() => {
    if (!isRenaming && isBack.current) link.current?.focus();
    isBack.current = false;
  }, [isRenaming]);
  const title = one.title || "New conversation";
  const rename = (text: string, isByKey: boolean) => {
    isBack.current = isByKey;
    setRenaming(false);
    if (text.trim() && text.trim() !== one.title)
      actions.change.mutate({ id: one.id, title: text.trim() });
  };
  const remove = () => {
    focusBeside(link.current);
    actions.remove.mutate(one);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "F2") setRenaming(true);
    else if (event.key === "Delete") remove();
    else return;
    event.preventDefault();
  };
  if (isRenaming) return <RenameRow title={one.title} onDone={rename} />;
  return (
    <li
      className={cn(
        "group flex items-center rounded-lg",
        props.isCurrent ? "bg-primary-soft" : "hover:bg-sunken",
      )}
    >
      <Link
        to="/c/$conversationId"
        params={{ conversationId: one.id }}
        ref={link}
        data-row
        aria-current={props.isCurrent ? "page" : undefined}
        aria-keyshortcuts="F2 Delete"
        onKeyDown={onKeyDown}
        onClick={props.onOpen}
        className="min-w-0 flex-1 rounded-lg px-2 py-1.5 text-sm"
      >
        <span dir="auto" className="block truncate">
          {title}
        </span>
        {props.isSearch && one.snippet && (
          <span dir="auto" className="line-clamp-2 text-xs wrap-anywhere text-muted">
            {one.snippet}
          </span>
        )}
      </Link>
      <ActionMenu
        label={`Actions for ${title}`}
        trigger={<Ellipsis aria-hidden="true" />}
        triggerClassName={buttonLook(
          { variant: "ghost", size: "tiny" },
          "mr-1 text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 data-popup-open:opacity-100 pointer-coarse:opacity-100",
        )}
        actions={[
          {
            label: "Rename",
            icon: <Pencil aria-hidden="true" />,
            onSelect: () => setRenaming(true),
          },
          {
            label: one.is_pinned ? "Unpin" : "Pin",
            icon: one.is_pinned ? <PinOff aria-hidden="true" /> : <Pin aria-hidden="true" />,
            onSelect: () => actions.change.mutate({ id: one.id, is_pinned: !one.is_pinned }),
          },
          {
            label: "Export as Markdown",
            icon: <Download aria-hidden="true" />,
            onSelect: () => actions.save.mutate({ id: one.id, title, format: "markdown" }),
          },
          {
            label: "Export as JSON",
            icon: <Download aria-hidden="true" />,
            onSelect: () => actions.save.mutate({ id: one.id, title, format: "json" }),
          },
          {
            label: "Delete",
            icon: <Trash2 aria-hidden="true" />,
            isDangerous: true,
            onSelect: remove,
          },
        ]}
      />
    </li>
  );
}

/** Goes to the row after `link`, else the one before, else the search: it is about to be gone. */
function focusBeside(link: HTMLElement | null): void {
  const area = link?.closest("nav");
  if (!link || !area?.contains(document.activeElement)) return;
  const links = [...area.querySelectorAll<HTMLElement>("a[data-row]")];
  const index = links.indexOf(link);
  const next = links[index + 1] ?? links[index - 1];
  (next ?? area.querySelector<HTMLElement>("[data-search]"))?.focus();
}

function RenameRow(props: { title: string; onDone: (text: string, isByKey: boolean) => void }) {
  const { title } = props;
  const isDone = useRef(false);
  const done = (given: string, isByKey: boolean) => {
    if (isDone.current) return; // What is taken away loses the focus, which is no second answer.
    isDone.current = true;
    props.onDone(given, isByKey);
  };
  const [text, setText] = useState(title);
  return (
    <li className="py-0.5">
      <Input
        ref={selectOnce}
        aria-label="New title"
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => done(text, false)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") done(text, true);
          if (event.key === "Escape") done(title, true);
        }}
      />
    </li>
  );
}

const selectOnce = (input: HTMLInputElement | null) => {
  if (input && document.activeElement !== input) {
    input.focus();
    input.select();
  }
};
