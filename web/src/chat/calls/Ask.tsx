import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** What stands around something that waits for the person. */
export function Ask(props: {
  label: string;
  Icon: LucideIcon;
  title: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const { Icon } = props;
  return (
    <section
      role="group"
      aria-label={props.label}
      className="overflow-hidden rounded-xl border border-warning bg-card"
    >
      <div className="flex flex-wrap items-center gap-2 bg-warning-soft px-4 py-2.5">
        <Icon aria-hidden="true" className="size-4 shrink-0 text-warning" />
        <p className="min-w-0 flex-1 text-sm font-medium break-words">{props.title}</p>
        {props.aside}
      </div>
      <div className="flex flex-col gap-3 p-4 text-sm">{props.children}</div>
    </section>
  );
}
