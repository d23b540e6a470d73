import type { CallPart } from "@/api/types";
import { nameOf } from "../stream/sentences";

/** How far a call has come, where its server says so. */
export function Progress({ call }: { call: CallPart }) {
  if (call.state !== "running" || typeof call.progress !== "number") return null;
  const total = typeof call.progress_total === "number" ? call.progress_total : null;
  return (
    <div className="flex flex-col gap-1 px-3 pb-2.5 pl-9">
      {total !== null && total > 0 && (
        <progress
          aria-label={`Progress of ${nameOf(call)}`}
          value={call.progress}
          max={total}
          className="h-1.5 w-full overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-link [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-link"
        />
      )}
      <p className="text-xs text-muted">
        {call.progress_message ||
          (total === null ? `${call.progress} done` : `${call.progress} of ${total}`)}
      </p>
    </div>
  );
}
