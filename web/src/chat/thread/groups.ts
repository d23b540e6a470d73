import type { CallPart, NoticePart, Part } from "@/api/types";

/** Parts as they are shown: texts, notices, and calls that were made together. */
export type Block =
  | { kind: "text"; key: string; text: string }
  | { kind: "notice"; key: string; notice: NoticePart }
  | { kind: "calls"; key: string; calls: CallPart[] };

/** Calls of one step are one block. Each step begins with a text, which is not shown when empty. */
export function blocksOf(parts: readonly Part[]): Block[] {
  const blocks: Block[] = [];
  let isSameStep = false;
  for (const [index, part] of parts.entries()) {
    const key = String(index);
    const last = blocks.at(-1);
    if (part.type === "call" && last?.kind === "calls" && isSameStep) last.calls.push(part);
    else if (part.type === "call") blocks.push({ kind: "calls", key, calls: [part] });
    else if (part.type === "notice") blocks.push({ kind: "notice", key, notice: part });
    else if (part.type === "text" && part.text.trim() !== "")
      blocks.push({ kind: "text", key, text: part.text });
    isSameStep = part.type === "call";
  }
  return blocks;
}

/** What the person wrote. */
export function textOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
}
