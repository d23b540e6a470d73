// Fails where a file of the pages has more lines than one reads at a time.

import { readdirSync, readFileSync } from "node:fs";

const MOST_LINES = 250;
const long = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && !/\.(gen|test)\.tsx?$/.test(path))
  .map((path) => [path, readFileSync(`src/${path}`, "utf8").split("\n").length - 1])
  .filter(([, lines]) => lines > MOST_LINES);
for (const [path, lines] of long)
  console.error(`src/${path}: ${lines} lines, at most ${MOST_LINES}`);
if (long.length > 0) process.exitCode = 1;
