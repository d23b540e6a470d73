// Opens every state of the pages in a real browser, in both themes, takes a picture of each and
// has axe look for what shuts people out. Fails on any finding, and on anything the policy blocks.
//
//   npm run look [-- name …]        pictures go to $SHOTS, by default bascule-shots in the
//   folder for temporary files

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = process.env.SHOTS ?? join(tmpdir(), "bascule-shots");
const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };
const only = process.argv.slice(2);

const open = (path) => async (page, base) => {
  await page.goto(`${base}${path}`);
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  await page.waitForTimeout(250);
};

const STATES = [
  { name: "welcome", go: open("") },
  { name: "welcome-phone", size: PHONE, go: open("") },
  { name: "empty", scenario: "empty", go: open("") },
  { name: "no-tools", scenario: "no-tools", go: withTools("") },
  {
    name: "down",
    scenario: "down",
    go: async (page, base) => {
      await page.goto(`${base}c/booked`);
      await page.getByText("cannot be shown").first().waitFor({ timeout: 15_000 });
      await page.waitForTimeout(4000);
    },
  },
  {
    name: "loading",
    scenario: "slow",
    go: async (page, base) => {
      await page.goto(`${base}c/booked`);
      await page.getByRole("status").first().waitFor();
    },
  },
  {
    name: "missing",
    go: async (page, base) => {
      await page.goto(`${base}c/nowhere`);
      await page.getByText("no such conversation").first().waitFor();
    },
  },
  ...[
    "booked",
    "flow",
    "approval",
    "privileged",
    "question",
    "address",
    "secret",
    "elevation",
    "states",
    "markdown",
    "hostile",
    "generic",
    "notices",
    "unavailable",
  ].map((name) => ({ name, go: open(`c/${name}`) })),
  ...["booked", "flow", "approval", "question", "states"].map((name) => ({
    name: `${name}-phone`,
    size: PHONE,
    go: open(`c/${name}`),
  })),
  ...["texts", "deception", "nested", "large", "cards"].flatMap((name) => [
    { name, go: opened(name) },
    { name: `${name}-phone`, size: PHONE, go: open(`c/${name}`) },
  ]),
  ...[
    ["200", { width: 640, height: 430 }],
    ["400", { width: 320, height: 215 }],
  ].flatMap(([zoom, size]) =>
    ["", "c/approval", "c/booked"].map((path) => ({
      name: `zoom-${zoom}-${path.slice(2) || "welcome"}`,
      size,
      go: open(path),
    })),
  ),
  { name: "hostile-theme", scenario: "hostile", go: open("") },
  { name: "hostile-theme-phone", scenario: "hostile", size: PHONE, go: open("") },
  { name: "many", scenario: "many", go: allOfMany },
  { name: "skip", go: skipped },
  { name: "lost", scenario: "drop", changes: true, go: cut },
  { name: "unsent", changes: true, go: unsent },
  { name: "tall-booked", size: { width: 1280, height: 2900 }, go: open("c/booked") },
  { name: "tools", size: { width: 1440, height: 860 }, go: withTools("c/flow") },
  { name: "tools-phone", size: PHONE, go: withTools("c/flow") },
  {
    name: "drawer-phone",
    size: PHONE,
    go: async (page, base) => {
      await open("c/flow")(page, base);
      await page.getByRole("button", { name: "Conversations" }).click();
      await page.waitForTimeout(300);
    },
  },
  {
    name: "opened",
    go: async (page, base) => {
      await open("c/generic")(page, base);
      await page.getByRole("button", { expanded: false, name: /List invoices/ }).click();
    },
  },
  {
    name: "edit-arguments",
    go: async (page, base) => {
      await open("c/approval")(page, base);
      await page.getByRole("button", { name: "Change" }).click();
    },
  },
  {
    name: "edit-json",
    go: async (page, base) => {
      await open("c/privileged")(page, base);
      await page.getByRole("button", { name: "Change" }).click();
    },
  },
  {
    name: "deny",
    go: async (page, base) => {
      await open("c/approval")(page, base);
      await page.getByRole("button", { name: "Deny…" }).click();
    },
  },
  {
    name: "wrong-answer",
    go: async (page, base) => {
      await open("c/question")(page, base);
      await page.getByRole("button", { name: "Submit" }).click();
    },
  },
  {
    name: "edit-message",
    go: async (page, base) => {
      await open("c/flow")(page, base);
      await page.getByRole("button", { name: "Edit this message" }).last().click();
    },
  },
  {
    name: "slash",
    go: async (page, base) => {
      await open("c/booked")(page, base);
      await page.getByRole("textbox", { name: "Message" }).fill("/");
    },
  },
  {
    name: "too-long",
    go: async (page, base) => {
      await open("")(page, base);
      await page.getByRole("textbox", { name: "Message" }).fill("word ".repeat(1700));
    },
  },
  {
    name: "menu",
    go: async (page, base) => {
      await open("c/booked")(page, base);
      await page.getByRole("button", { name: "Actions for A hostile result" }).focus();
      await page.keyboard.press("Enter");
      await page.waitForTimeout(200);
    },
  },
  { name: "search", go: search("pune") },
  { name: "nothing-found", go: search("zebra") },
  {
    name: "deleted",
    changes: true,
    go: async (page, base) => {
      await open("c/booked")(page, base);
      await page.getByRole("link", { name: "Limits" }).focus();
      await page.keyboard.press("Delete");
      await page.getByText("is deleted").waitFor();
      await page.waitForTimeout(300);
    },
  },
  {
    name: "refused",
    go: async (page, base) => {
      await open("c/booked")(page, base);
      await page.getByRole("textbox", { name: "Message" }).fill("fail");
      await page.keyboard.press("Enter");
      await page.getByText("That did not work").waitFor();
    },
  },
  {
    name: "running",
    go: async (page, base) => {
      await open("c/old")(page, base);
      await page.getByRole("textbox", { name: "Message" }).fill("Find dealers in Pune");
      await page.keyboard.press("Enter");
      await page.getByText("Running").waitFor();
    },
  },
];

/** Open a conversation, and all of its cards. */
function opened(name) {
  return async (page, base) => {
    await open(`c/${name}`)(page, base);
    const cards = await page.locator("main button[aria-expanded][aria-controls]").all();
    for (const one of cards.slice(0, 5)) await one.click();
    await page.waitForTimeout(250);
  };
}

async function allOfMany(page, base) {
  await open("")(page, base);
  const more = page.getByRole("button", { name: "Show more" });
  while ((await more.count()) > 0) {
    await more.click();
    await page.waitForTimeout(60);
  }
  await page.getByRole("link", { name: "Conversation number 500" }).scrollIntoViewIfNeeded();
}

async function skipped(page, base) {
  await open("c/booked")(page, base);
  await page.keyboard.press("Tab");
}

/** The network goes in the middle of an answer: the server cuts it, and cannot be reached. */
async function cut(page, base) {
  await page.route("**/stream", (route) => route.abort());
  await open("c/notices")(page, base);
  await page.getByRole("textbox", { name: "Message" }).fill("Find dealers in Pune");
  await page.keyboard.press("Enter");
  await page.getByText("Connecting again").waitFor();
}

/** There is no network from the beginning. */
async function unsent(page, base) {
  await open("c/unavailable")(page, base);
  await page.context().setOffline(true);
  await page.route("**/messages", (route) => route.abort());
  await page.getByRole("textbox", { name: "Message" }).fill("Is anybody there?");
  await page.keyboard.press("Enter");
  await page.getByText("Trying again").waitFor();
}

function withTools(path) {
  return async (page, base) => {
    await open(path)(page, base);
    await page.getByRole("button", { name: "Tools" }).click();
    await page.waitForTimeout(400);
  };
}

function search(text) {
  return async (page, base) => {
    await open("c/booked")(page, base);
    await page.getByRole("searchbox", { name: "Search conversations" }).fill(text);
    await page.waitForTimeout(400);
  };
}

async function lookAt(browser, base, state, theme) {
  const context = await browser.newContext({
    viewport: state.size ?? WIDE,
    colorScheme: theme,
    reducedMotion: "reduce",
  });
  if (state.scenario)
    await context.addCookies([
      { name: "scenario", value: state.scenario, url: new URL(base).origin },
    ]);
  const page = await context.newPage();
  const findings = [];
  page.on("console", (message) => {
    const text = message.text();
    if (/Content Security Policy|Warning:|Error:/i.test(text)) findings.push(`console: ${text}`);
  });
  page.on("pageerror", (error) => findings.push(`page: ${error.message}`));
  await state.go(page, base);
  await page.screenshot({ path: `${SHOTS}/chat-${state.name}-${theme}.png` });
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  for (const one of violations)
    findings.push(
      `axe ${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} | ${node.any[0]?.message ?? node.all[0]?.message ?? ""}`).join("\n      ")}`,
    );
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - window.innerWidth,
  );
  if (overflow > 0) findings.push(`the page is ${overflow} px too wide`);
  await context.close();
  return findings;
}

async function serve() {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("server.mjs", import.meta.url)), "0"],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PAUSE_MS: "120" } },
  );
  const base = await new Promise((resolve) =>
    child.stdout.once("data", (line) => resolve(String(line).trim())),
  );
  return { base, stop: () => child.kill() };
}

mkdirSync(SHOTS, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
let count = 0;
try {
  for (const theme of ["light", "dark"]) {
    const { base, stop } = await serve();
    for (const state of STATES.filter((one) => only.length === 0 || only.includes(one.name))) {
      try {
        const findings = await lookAt(browser, base, state, theme);
        for (const finding of findings) console.log(`${state.name} ${theme}: ${finding}`);
        count += findings.length;
      } catch (error) {
        count += 1;
        console.log(`${state.name} ${theme}: ${error.message.slice(0, 600)}`);
      }
    }
    stop();
  }
} finally {
  await browser.close();
}
console.log(count === 0 ? "nothing found" : `${count} findings`);
process.exitCode = count === 0 ? 0 : 1;
