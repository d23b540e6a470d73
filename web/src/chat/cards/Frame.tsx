import type { ReactNode } from "react";
import { cn } from "@/ui/cn";

/** What stands around a domain card. */
export function Frame(props: { label: string; className?: string; children: ReactNode }) {
  return (
    <section
      role="group"
      aria-label={props.label}
      className={cn("overflow-hidden rounded-xl border bg-card", props.className)}
    >
      {props.children}
    </section>
  );
}

/** A term and what it is, where there is anything to say. */
export function Fact({ term, children }: { term: string; children: ReactNode }) {
  if (children === "" || children === null || children === undefined) return null;
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{term}</dt>
      <dd className="text-sm break-words">{children}</dd>
    </div>
  );
}
