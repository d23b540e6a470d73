import type { Nodes, Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { visible } from "./visible";

/** What no person writes, and what takes seconds to read: marks upon marks. */
const TANGLED = /(?:[>*_~`[\]!][ \t]?|(?:[-+]|\d{1,9}[.)])[ \t]){60}/;
const MOST_CHARACTERS = 60_000;
const DEEPEST = 32;

/** The tree of a text; the text itself where it is too long or too deeply nested to be one.
 *
 * Unseen characters in it are named.
 */
export function parse(text: string): Root | string {
  const seen = visible(text);
  if (seen.length > MOST_CHARACTERS || TANGLED.test(seen)) return seen;
  const root = fromMarkdown(seen, {
    extensions: [gfm({ singleTilde: false })],
    mdastExtensions: [gfmFromMarkdown()],
  });
  return isDeep(root) ? seen : root;
}

function isDeep(root: Root): boolean {
  let level: Nodes[] = [root];
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    level = level.flatMap((node) => ("children" in node ? (node.children as Nodes[]) : []));
    if (level.length === 0) return false;
  }
  return true;
}
