import type { CallPlace } from "@/api/chat";
import type { CallPart } from "@/api/types";
import { Boundary } from "@/ui/Boundary";
import { nameOf } from "../stream/sentences";
import { lookOf } from "./looks";
import { ToolCard } from "./ToolCard";

/** Calls made side by side, with what became of them in a line. */
export function CallGroup({
  calls,
  place,
}: {
  calls: CallPart[];
  place: Omit<CallPlace, "callId">;
}) {
  const cards = calls.map((call) => (
    <Boundary key={call.id} instead={<Unshown call={call} />}>
      <ToolCard call={call} place={{ ...place, callId: call.id }} />
    </Boundary>
  ));
  if (calls.length === 1) return cards[0];
  return (
    <div
      role="group"
      aria-label={`${calls.length} calls`}
      className="flex min-w-0 flex-col gap-2 border-l-2 pl-3"
    >
      <p className="text-xs font-medium text-muted">
        {calls.length} calls side by side: {summaryOf(calls)}
      </p>
      {cards}
    </div>
  );
}

function Unshown({ call }: { call: CallPart }) {
  return (
    <p className="rounded-xl border p-3 text-sm text-muted">
      The call of {nameOf(call)} cannot be shown. Export the conversation as JSON to read it.
    </p>
  );
}

/** Such as `2 done, 1 failed`. */
export function summaryOf(calls: readonly CallPart[]): string {
  const counts = new Map<string, number>();
  for (const call of calls) {
    const label = lookOf(call.state).label.toLowerCase();
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts].map(([label, count]) => `${count} ${label}`).join(", ");
}
