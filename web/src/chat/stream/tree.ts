import type { Message } from "@/api/types";

/** The branch that ends at `headId`, from its first message on. */
export function branchOf(messages: readonly Message[], headId: string | null): Message[] {
  const byId = new Map(messages.map((one) => [one.id, one]));
  const branch: Message[] = [];
  const seen = new Set<string>();
  let next = headId === null ? undefined : byId.get(headId);
  while (next !== undefined && !seen.has(next.id)) {
    seen.add(next.id);
    branch.push(next);
    next = next.parent_id ? byId.get(next.parent_id) : undefined;
  }
  return branch.reverse();
}

/** The end of the shown branch: what the server says, else the newest message. */
export function headOf(messages: readonly Message[], headId?: string | null): string | null {
  if (headId && messages.some((one) => one.id === headId)) return headId;
  return (
    messages.reduce<Message | null>((a, b) => (a === null || b.at >= a.at ? b : a), null)?.id ??
    null
  );
}

/** `message` and what stands in its place on other branches, oldest first. */
export function siblingsOf(messages: readonly Message[], message: Message): Message[] {
  const parent = message.parent_id ?? null;
  return messages
    .filter((one) => (one.parent_id ?? null) === parent && one.role === message.role)
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

/** Where the newest branch through `message` ends. */
export function leafOf(messages: readonly Message[], message: Message): Message {
  let leaf = message;
  const seen = new Set<string>();
  for (;;) {
    seen.add(leaf.id);
    const children = messages.filter((one) => one.parent_id === leaf.id && !seen.has(one.id));
    const newest = children.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))[0];
    if (newest === undefined) return leaf;
    leaf = newest;
  }
}
