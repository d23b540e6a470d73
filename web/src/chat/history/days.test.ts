import { expect, test } from "vitest";
import type { Conversation } from "@/api/types";
import { groupByDay } from "./days";
import { fileName } from "./useHistory";

const NOW = new Date(2026, 10, 22, 9, 0);
const at = (day: number, hour: number, is_pinned = false): Conversation => ({
  id: `${day}-${hour}`,
  title: "t",
  created_at: 0,
  updated_at: new Date(2026, 10, day, hour).getTime() / 1000,
  is_pinned,
  head_id: null,
  allowed: [],
  snippet: null,
});

test("conversations stand under the day of their last message, pinned ones first", () => {
  const groups = groupByDay(
    [at(22, 8), at(21, 23), at(17, 1), at(1, 1), at(-60, 1), at(3, 1, true)],
    NOW,
  );
  expect(groups.map((group) => group.label)).toEqual([
    "Pinned",
    "Today",
    "Yesterday",
    "Last 7 days",
    "Last 30 days",
    expect.stringContaining("2026"),
  ]);
});

test("a title becomes a name that every system takes", () => {
  expect(fileName('Service: "MH12" / Pune?', "md")).toBe("Service-MH12-Pune.md");
  expect(fileName("///", "json")).toBe("conversation.json");
});
