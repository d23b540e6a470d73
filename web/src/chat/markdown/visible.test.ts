import { expect, test } from "vitest";
import { visible } from "./visible";

test("what turns text around, or is not seen, is named", () => {
  expect(visible("pay \u202e001\u202c")).toBe("pay ‹U+202E›001‹U+202C›");
  expect(visible("\u2066a\u2069 b\u200bc\ufeff")).toBe("‹U+2066›a‹U+2069› b‹U+200B›c‹U+FEFF›");
  expect(visible("\u001b[31mred\u0007")).toBe("‹U+001B›[31mred‹U+0007›");
  expect(visible("ok\u{e0049}\u{e0067}")).toBe("ok‹U+E0049›‹U+E0067›");
});

test.each([
  "Namaste, नमस्ते, क्‍ष, می‌خواهم, שלום\u200f!",
  "👩‍👩‍👧‍👦 👍🏽 ❤️ 🇮🇳 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
  "a line\r\n\tand another",
])("%j stays as it is", (text) => {
  expect(visible(text)).toBe(text);
});
