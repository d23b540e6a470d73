// Writes src/api/schema.gen.ts from the gateway's OpenAPI document; with --check only compares.
// A folder of its own, since openapi-typescript needs the compiler's interface of TypeScript 5.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = here("../src/api/schema.gen.ts");
const python = process.env.PYTHON ?? here("../../.venv/bin/python");

const description = JSON.parse(
  execFileSync(python, [here("describe.py")], { maxBuffer: 64 * 1024 * 1024 }).toString(),
);
const ast = await openapiTS(description, { alphabetize: true, defaultNonNullable: false });
const text = `// Made by codegen/generate.mjs from the gateway's OpenAPI document. Do not edit.\n\n${astToString(ast)}`;

if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error("src/api/schema.gen.ts is not what the gateway says: run `npm run gen` in web/.");
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}
