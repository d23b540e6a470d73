import { CircleAlert, RotateCw, X } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import { Button } from "./Button";
import { CopyButton } from "./CopyButton";
import { cn } from "./cn";

/** A place held for what is loading. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={cn("animate-pulse rounded-lg bg-sunken", className)} />;
}

/** Nothing here: why, and one thing to do about it. */
export function EmptyState(props: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-8 text-center">
      <p className="font-medium">{props.title}</p>
      {props.children && <p className="max-w-sm text-sm text-muted">{props.children}</p>}
      {props.action}
    </div>
  );
}

/** A failure in plain words, with the id for an operator. */
export function ErrorNotice(props: {
  title: string;
  failure: Error;
  onRetry?: () => void;
  onDismiss?: () => void;
  className?: string;
}) {
  const { failure } = props;
  const id = failure instanceof ApiError ? failure.correlationId : "";
  return (
    <div
      role="alert"
      className={cn("rounded-xl border border-error bg-error-soft p-3 text-sm", props.className)}
    >
      <p className="flex items-center gap-2 font-medium text-error">
        <CircleAlert aria-hidden="true" className="size-4 shrink-0" />
        {props.title}
      </p>
      <p className="mt-1 wrap-anywhere">{messageOf(failure)}</p>
      <div className="mt-2 flex flex-wrap items-center gap-2">
        {props.onRetry && (
          <Button size="small" onClick={props.onRetry}>
            <RotateCw aria-hidden="true" />
            Try again
          </Button>
        )}
        {props.onDismiss && (
          <Button size="small" onClick={props.onDismiss}>
            <X aria-hidden="true" />
            Dismiss
          </Button>
        )}
        {id && <CopyButton text={id} label={`Copy request id ${id.slice(0, 8)}`} />}
      </div>
    </div>
  );
}

export function messageOf(failure: Error): string {
  if (failure instanceof TypeError) return "The gateway does not answer. Check the connection.";
  if (failure instanceof ApiError && failure.status === 403) {
    return `${failure.message} Ask an administrator for access.`;
  }
  return failure.message;
}
