import type { QuickAction } from "@/api/types";
import { cn } from "@/ui/cn";

/** The quick actions above the composer. The composer keeps the focus. */
export function SlashMenu(props: {
  id: string;
  actions: QuickAction[];
  active: QuickAction | undefined;
  onPick: (action: QuickAction) => void;
}) {
  if (props.actions.length === 0) return null;
  return (
    <ul
      id={props.id}
      role="listbox"
      aria-label="Quick actions"
      className="absolute bottom-full left-0 mb-2 w-full overflow-hidden rounded-xl border bg-card p-1 shadow-lg"
    >
      {props.actions.map((action) => (
        <li
          key={action.id}
          id={`${props.id}-${action.id}`}
          role="option"
          aria-selected={action === props.active}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => props.onPick(action)}
          className={cn(
            "flex cursor-pointer flex-wrap items-baseline gap-x-3 rounded-lg px-3 py-1.5 text-sm",
            action === props.active ? "bg-primary-soft" : "hover:bg-sunken",
          )}
        >
          <span className="font-medium">{action.label}</span>
          <span className="min-w-0 truncate text-muted">{action.prompt}</span>
        </li>
      ))}
    </ul>
  );
}
