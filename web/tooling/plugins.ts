import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const PREPAINT = "src/theme/prepaint.js";

/** Puts the script that sets light or dark before the first paint into a file of its own. */
export function prepaint(): Plugin {
  let isBuild = false;
  let reference = "";
  return {
    name: "prepaint",
    config: (_, env) => {
      isBuild = env.command === "build";
    },
    buildStart() {
      if (!isBuild) return;
      const source = readFileSync(PREPAINT, "utf8");
      reference = this.emitFile({ type: "asset", name: "prepaint.js", source });
    },
    transformIndexHtml: {
      order: "post",
      handler(html, context) {
        const assets = Object.values(context.bundle ?? {});
        const built = assets.find(
          (one) => one.type === "asset" && one.names.includes("prepaint.js"),
        );
        const path = isBuild && reference ? `./${built?.fileName ?? ""}` : `/${PREPAINT}`;
        return html.replace("<!-- prepaint -->", `<script src="${path}"></script>`);
      },
    },
  };
}

/** Serves the same build at `/`, for a port of its own: the base is said once, in `<base>`. */
export function baseAtRoot(directory: string, proxied: readonly string[]): Plugin {
  const atRoot = (html: string) => html.replace('<base href="/chat/">', '<base href="/">');
  return {
    name: "base-at-root",
    apply: "serve",
    transformIndexHtml: { order: "pre", handler: atRoot },
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? "/").split("?")[0] ?? "/";
        if (proxied.some((one) => path === one || path.startsWith(`${one}/`))) return next();
        if (path !== "/" && existsSync(join(directory, path))) return next();
        if (!request.headers.accept?.includes("text/html")) return next();
        response.setHeader("content-type", "text/html; charset=utf-8");
        response.setHeader("cache-control", "no-cache");
        response.end(atRoot(readFileSync(join(directory, "index.html"), "utf8")));
      });
    },
  };
}

/** Keeps the licences of everything that is in the build beside it. */
export function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle(_, bundle) {
      const found = new Map<string, string>([["@fontsource-variable/inter", "node_modules"]]);
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const id of Object.keys(chunk.modules)) {
          const match = /^(.*node_modules)\/((?:@[^/]+\/)?[^/]+)\//.exec(id.replace("\0", ""));
          if (match?.[1] && match[2]) found.set(match[2], match[1]);
        }
      }
      const texts = [...found].sort(([a], [b]) => a.localeCompare(b)).map(licenceOf);
      this.emitFile({ type: "asset", fileName: "licences.txt", source: texts.join("\n\n") });
    },
  };
}

function licenceOf([name, modules]: [string, string]): string {
  const folder = join(modules, name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : "";
  return `${"=".repeat(72)}\n${name} ${about.version} (${about.license})\n\n${text}`;
}

/** Compresses what is worth it beforehand: `name.js.gz` beside `name.js`. */
export function gzipped(directory: string): Plugin {
  return {
    name: "gzipped",
    apply: "build",
    closeBundle() {
      for (const entry of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|svg|txt)$/.test(entry)) continue;
        const path = join(directory, entry);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}
