import { render } from "@testing-library/react";
import fc from "fast-check";
import { expect, test } from "vitest";
import { partsOfUrl, safeLink } from "./links";
import { Markdown } from "./Markdown";
import { parse } from "./parse";

const html = (text: string) => render(<Markdown text={text} />).container;
const ELEMENTS =
  "a,bdi,blockquote,br,code,del,div,em,hr,li,ol,p,pre,span,strong,table,tbody,td,th,thead,tr,ul".split(
    ",",
  );
const ATTRIBUTES = [
  "class",
  "dir",
  "href",
  "rel",
  "target",
  "role",
  "aria-label",
  "tabindex",
  "scope",
  "start",
];

/** Fails where there is an element or an attribute that no text may bring about. */
function expectInert(container: HTMLElement): void {
  for (const element of container.querySelectorAll("*")) {
    expect(ELEMENTS).toContain(element.tagName.toLowerCase());
    for (const { name } of element.attributes) expect(ATTRIBUTES).toContain(name);
  }
  for (const link of container.querySelectorAll("a")) {
    expect(link.getAttribute("href")).toMatch(/^https?:/);
    expect(link.getAttribute("rel")).toBe("noopener noreferrer");
  }
}

const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[a](javascript:alert(1))",
  "[a](JaVaScRiPt:alert(1))",
  "[a](data:text/html,<script>)",
  "[a](//evil.example)",
  "[a](https://user:secret@evil.example)",
  "![b](https://tracker.example/p.gif?q=secret)",
  "![b][r]\n\n[r]: https://tracker.example/p.gif",
  "<https://evil.example/%3Cscript%3E>",
  "<iframe src=https://evil.example></iframe>",
  "<svg/onload=alert(1)>",
  "[a][r]\n\n[r]: javascript:alert(1)",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "<style>*{display:none}</style>",
  "[^1]\n\n[^1]: <b onclick=alert(1)>x</b>",
];

test.each(HOSTILE)("%j is shown inert", (text) => {
  const container = html(text);
  expectInert(container);
  expect(container.querySelector("img,script,iframe,svg,style")).toBeNull();
});

test("no text brings about anything else", () => {
  const piece = fc.constantFrom(
    ...HOSTILE,
    "*",
    "`",
    "~~",
    "|",
    "\n",
    "# ",
    "- ",
    "> ",
    "a",
    "](",
    "![",
    "http://x.y/?<",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const { container, unmount } = render(<Markdown text={pieces.join("")} />);
      expectInert(container);
      unmount();
    }),
    { numRuns: 150 },
  );
});

test("HTML stays text", () => {
  expect(html("a <b>bold</b> word").textContent).toBe("a <b>bold</b> word");
});

test("a link shows its host, unless its text does", () => {
  expect(html("[prices](https://dealer.example/p?q=1)").textContent).toBe(
    "prices (dealer.example)",
  );
  expect(html("https://dealer.example/p").textContent).toBe("https://dealer.example/p");
});

test("a text that claims another host does not hide the real one", () => {
  expect(html("[https://bank.example](https://evil.example)").textContent).toContain(
    "evil.example",
  );
});

test("a link whose text only mentions its host says the host", () => {
  const text = "[https://bank.example/?from=evil.example](https://evil.example/)";
  expect(html(text).textContent).toContain(" (evil.example)");
  expect(html("www.dealer.example/p").textContent).toContain("www.dealer.example/p");
});

test("an address of mail is text", () => {
  expect(html("write to a@b.example or [us](mailto:a@b.example)").querySelector("a")).toBeNull();
});

test("a text cannot turn around what stands after it, nor hide anything", () => {
  const container = html("[\u202ekcilc](https://evil.example) a\u200bb \u001b[31m");
  expect(container.textContent).toBe("‹U+202E›kcilc (evil.example) a‹U+200B›b ‹U+001B›[31m");
});

test.each([
  ["quotes", `${">".repeat(3000)} a`],
  ["stars", `${"*".repeat(5000)}a${"*".repeat(5000)}`],
  ["footnotes", "[^1]: ".repeat(300)],
  ["lists", `${"- ".repeat(2000)}a`],
  ["numbers", `${"1. ".repeat(2000)}a`],
  ["quotes on lines", Array.from({ length: 60 }, (_, n) => `${"> ".repeat(n)}a`).join("\n\n")],
  ["a long text", "word ".repeat(20_000)],
])("%s without end are shown, at once and as text", (_, text) => {
  expect(parse(text)).toBe(text);
  const container = html(text);
  expect(container.textContent).toBe(text);
  expectInert(container);
});

test("a picture is a link that says so", () => {
  expect(html("![A map](https://maps.example/m.png)").textContent).toBe(
    "Image: A map (maps.example)",
  );
});

test("tables, lists and code are shown as such", () => {
  const container = html("| a | b |\n|---|---|\n| 1 | 2 |\n\n1. x\n2. y\n\n```\ncode\n```");
  expect(container.querySelectorAll("td")).toHaveLength(2);
  expect(container.querySelectorAll("ol > li")).toHaveLength(2);
  expect(container.querySelector("pre")?.textContent).toBe("code");
});

test("the host of an address stands apart from what only looks like it", () => {
  expect(partsOfUrl("https://bank.example.evil.example/bank.example?a=b")).toEqual({
    before: "https://",
    host: "bank.example.evil.example",
    after: "/bank.example?a=b",
  });
  for (const other of ["ftp://x", "mailto:a@b.c", "tel:112", "sms:112", "file:///etc/passwd", "/x"])
    expect(safeLink(other), other).toBeNull();
  expect(partsOfUrl("mailto:a@b.c")).toBeNull();
});
