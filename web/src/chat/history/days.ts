import type { Conversation } from "@/api/types";

export interface Group {
  label: string;
  conversations: Conversation[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Conversations by the day of their last message; pinned ones first. The order is kept. */
export function groupByDay(conversations: readonly Conversation[], now: Date): Group[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const groups = new Map<string, Conversation[]>();
  const pinned = conversations.filter((one) => one.is_pinned);
  if (pinned.length > 0) groups.set("Pinned", pinned);
  for (const one of conversations.filter((each) => !each.is_pinned)) {
    const label = labelOf(one.updated_at * 1000, midnight);
    groups.set(label, [...(groups.get(label) ?? []), one]);
  }
  return [...groups].map(([label, each]) => ({ label, conversations: each }));
}

function labelOf(moment: number, midnight: number): string {
  if (moment >= midnight) return "Today";
  if (moment >= midnight - DAY_MS) return "Yesterday";
  if (moment >= midnight - 7 * DAY_MS) return "Last 7 days";
  if (moment >= midnight - 30 * DAY_MS) return "Last 30 days";
  return new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" }).format(moment);
}
