import type { ComponentProps } from "react";
import { cn } from "./cn";

const BOX =
  "w-full rounded-lg border border-control bg-card px-3 py-1.5 text-sm text-text disabled:opacity-60 aria-invalid:border-error";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(BOX, "h-9", className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select className={cn(BOX, "h-9", className)} {...rest} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea className={cn(BOX, "min-h-20", className)} {...rest} />;
}
