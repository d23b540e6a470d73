// Conversations that try the pages: long, nested, turned around, many, and meant to deceive.

import { call, done } from "./fixtures.mjs";

const text = (value) => ({ type: "text", text: value });
const WORD = "Donaudampfschifffahrtsgesellschaftskapitän".repeat(12);

const TEXTS = `An unbroken word: ${WORD}

An unbroken address: https://dealer.example/${"a-long-path/".repeat(30)}

مرحبا، سيارتك جاهزة للاستلام يوم الأربعاء الساعة 10:00 (MH12AB1234).

1. שלום! המכונית שלך מוכנה.
2. नमस्ते, आपकी गाड़ी तैयार है।
3. 👩‍👩‍👧‍👦 👍🏽 ❤️ 🇮🇳 🚗💨

\`\`\`python
${"very_long_line = ".repeat(20)}1
for _ in range(3):
    print("two")
\`\`\`

| Part | ${"A wide column ".repeat(6)} | Price | ${WORD.slice(0, 120)} |
| --- | --- | ---: | --- |
| Filter | ${"words ".repeat(30)} | 350 | yes |`;

const DECEPTION = `Open [https://bank.example/?from=evil.example](https://evil.example/), or
[\u202elive](https://evil.example), <mailto:a@b.example>, [mail](mailto:a@b.example),
[data](data:text/html,x), [call](tel:112). Zero\u200bwidth, \u001b[31mANSI\u001b[0m,
\u{e0049}\u{e0067}\u{e006e} tags. <svg onload=alert(1)> <style>*{display:none}</style>`;

const deep = (depth) => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
const result = (tool, value, rest = {}) =>
  call(tool, tool, {}, { content: [text(value)], latency_ms: 5, ...rest });

const TURNS = {
  texts: ["Texts of all kinds", [text(TEXTS)]],
  deception: [
    "What means to deceive",
    [
      text(DECEPTION),
      call(
        "transfer",
        "Transfer\u202emoney",
        { to: "\u202eyrollam", note: DECEPTION },
        {
          state: "needs_approval",
          risk: "privileged",
          server: "<b>Bank</b>",
          expires_at: Date.now() / 1000 + 900,
        },
      ),
    ],
    "waiting",
  ],
  nested: [
    "Nested without end",
    [
      text(`${">".repeat(3000)} a`),
      text(`${"*".repeat(5000)}a${"*".repeat(5000)}`),
      done("deep", "Deep", {}, { a: deep(1500) }),
    ],
  ],
  large: [
    "A large result",
    [
      result("one_line", "x".repeat(1_000_000)),
      result("lines", "A line of it\n".repeat(80_000)),
      done("rows", "Rows", {}, { rows: Array.from({ length: 5000 }, (_, n) => ({ n, a: "b" })) }),
    ],
  ],
  cards: [
    "Thirty calls",
    Array.from({ length: 30 }, (_, n) =>
      done(`tool_${n}`, `Call number ${n + 1}`, { n }, { value: n, words: "word ".repeat(40) }),
    ),
  ],
};

/** As `buildConversations`, in `fixtures.mjs`. */
export function buildExtremes() {
  const at = Date.now() / 1000 - 400 * 24 * 3600;
  return Object.entries(TURNS).map(([id, [title, parts, status = "complete"]]) => {
    const message = (role, number, rest) => ({
      id: `${id}-${number}`,
      conversation_id: id,
      role,
      at: at + number,
      parent_id: number === 0 ? null : `${id}-0`,
      model: "offline",
      tokens_in: 1,
      tokens_out: 1,
      ...rest,
    });
    const conversation = { id, title, created_at: at, updated_at: at, is_pinned: false };
    return {
      conversation: { ...conversation, head_id: `${id}-1`, allowed: [], snippet: null },
      messages: [
        message("user", 0, { parts: [text(`${title}, ${WORD}`)], status: "complete" }),
        message("assistant", 1, { parts: [text(""), ...parts], status }),
      ],
      head_id: `${id}-1`,
    };
  });
}

/** Five hundred conversations, for the list alone. */
export function buildMany() {
  return Array.from({ length: 500 }, (_, n) => {
    const at = Date.now() / 1000 - n * 3600 * 5;
    const title = n % 7 === 0 ? `${WORD} ${n}` : `Conversation number ${n + 1}`;
    const own = { id: `many-${n}`, title, created_at: at, updated_at: at, is_pinned: n === 3 };
    return { ...own, head_id: null, allowed: [], snippet: null };
  });
}
