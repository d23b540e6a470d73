import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { baseAtRoot, gzipped, licences, prepaint } from "./tooling/plugins.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const outDir = here("../src/bascule/_ui");

const gateway = process.env.BASCULE_URL ?? "http://127.0.0.1:8000";
/** What the gateway answers when the pages are served from a port of their own. */
const PROXIED = ["/api", "/sign-in", "/sign-out", "/setup", "/account", "/elevate", "/consent"];
const proxy = Object.fromEntries(PROXIED.map((path) => [path, { target: gateway }]));

export default defineConfig({
  base: "./",
  resolve: { alias: { "@": here("./src") } },
  plugins: [
    react(),
    tailwindcss(),
    prepaint(),
    baseAtRoot(outDir, PROXIED),
    licences(),
    gzipped(outDir),
  ],
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
  },
  server: { port: 3000, strictPort: true, proxy },
  preview: { port: 3000, strictPort: true, proxy },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/app/testing.tsx"],
    restoreMocks: true,
  },
});
