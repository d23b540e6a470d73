import { Menu } from "@base-ui/react/menu";
import { type ReactNode, useRef } from "react";
import { cn } from "./cn";

export interface MenuAction {
  label: string;
  icon?: ReactNode;
  isDangerous?: boolean;
  isChecked?: boolean;
  onSelect: () => void;
}

/** A button that opens a list of actions. `trigger` is what stands in the button. */
export function ActionMenu(props: {
  label: string;
  trigger: ReactNode;
  triggerClassName?: string;
  actions: MenuAction[];
}) {
  // Popups stay within the landmark that their button is in.
  const place = useRef<HTMLSpanElement>(null);
  return (
    <Menu.Root>
      <span ref={place} className="contents" />
      <Menu.Trigger aria-label={props.label} className={props.triggerClassName}>
        {props.trigger}
      </Menu.Trigger>
      <Menu.Portal container={place}>
        <Menu.Positioner positionMethod="fixed" sideOffset={4} align="end" className="z-50">
          <Menu.Popup className="min-w-44 rounded-xl border bg-card p-1 text-sm shadow-lg outline-none">
            {props.actions.map((action) => (
              <Menu.Item
                key={action.label}
                onClick={action.onSelect}
                className={cn(
                  "flex min-h-8 cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1 outline-none data-highlighted:bg-sunken [&_svg]:size-4",
                  action.isDangerous && "text-error",
                )}
              >
                {action.icon}
                {action.label}
                {action.isChecked && <span className="sr-only">(chosen)</span>}
                {action.isChecked && (
                  <span aria-hidden="true" className="ml-auto">
                    ✓
                  </span>
                )}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
