// Fails where the pages load more than their budget before they show anything, compressed:
// the entry, what it imports, and the routes of the chat with what those import.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const MOST_BYTES = 260 * 1000;
const ROUTES = [
  "src/chat/ChatShell.tsx",
  "src/chat/ConversationPage.tsx",
  "src/chat/WelcomePage.tsx",
];

const output = fileURLToPath(new URL("../../src/bascule/_ui", import.meta.url));
const manifest = JSON.parse(readFileSync(join(output, "manifest.json"), "utf8"));
const files = new Set();

function take(name) {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`${name} is not in the build: mend ROUTES in tooling/budget.mjs`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) take(imported);
}

for (const name of ["index.html", ...ROUTES]) take(name);
const sizes = [...files].map(
  (file) => gzipSync(readFileSync(join(output, file)), { level: 9 }).length,
);
const total = sizes.reduce((a, b) => a + b, 0);
console.log(
  `initial JavaScript: ${(total / 1000).toFixed(1)} kB of ${MOST_BYTES / 1000} kB, compressed`,
);
if (total > MOST_BYTES) process.exitCode = 1;
