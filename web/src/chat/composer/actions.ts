import type { QuickAction } from "@/api/types";

/** The quick actions that a draft such as `/book` asks for; none for all other drafts. */
export function matchingActions(actions: readonly QuickAction[], draft: string): QuickAction[] {
  const found = /^\/([^\n]{0,40})$/.exec(draft);
  if (!found) return [];
  const wanted = (found[1] ?? "").toLowerCase().trim();
  return actions.filter((one) => one.label.toLowerCase().includes(wanted));
}
