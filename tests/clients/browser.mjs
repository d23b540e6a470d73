// Drives Chromium for tests in Python. Each line on stdin is a command, each on stdout its answer:
//   {"open": {...options of a context}}          -> {"value": page number}
//   {"page": 1, "code": "...", "given": {...}}   -> {"value": ...}, or {"error": "..."}
// The code is the body of an asynchronous function of `page`, `given`, `seen` and `axe`. `seen` is
// what the page asked for, and what it complained of. The end of stdin closes the browser.
// The library is that of web/, which also has the checks for accessibility.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const WAIT_MS = 10_000;
const AsyncFunction = (async () => {}).constructor;

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox"],
});
const pages = [];

async function open(options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  context.on("request", (request) => seen.requests.push(`${request.method()} ${request.url()}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  pages.push({ page, seen });
  return pages.length - 1;
}

/** What axe has against the page, a line for each element; and whether it is too wide. */
async function axe(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    const found = violations.flatMap((one) =>
      one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`),
    );
    const excess = document.documentElement.scrollWidth - window.innerWidth;
    return excess > 0 ? [...found, `${excess} px too wide`] : found;
  });
}

async function answer(command) {
  if (command.open) return { value: await open(command.open) };
  const { page, seen } = pages[command.page];
  const run = new AsyncFunction("page", "given", "seen", "axe", command.code);
  return { value: (await run(page, command.given, seen, axe)) ?? null };
}

for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    told = await answer(JSON.parse(line));
  } catch (error) {
    told = { error: String(error.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
await browser.close();
