import { afterEach, expect, test } from "vitest";
import { basePath, gatewayUrl, signInUrl } from "./base";

const setBase = (href: string) => {
  const base = document.createElement("base");
  base.href = href;
  document.head.append(base);
};

afterEach(() => document.head.querySelector("base")?.remove());

test("the gateway is one level above the pages, or beside them at the root", () => {
  setBase("/chat/");
  expect(basePath()).toBe("/chat/");
  expect(new URL(gatewayUrl("/api/chat/config")).pathname).toBe("/api/chat/config");
  document.head.querySelector("base")?.remove();
  setBase("/");
  expect(new URL(gatewayUrl("api/chat/config")).pathname).toBe("/api/chat/config");
});

test("after the sign-in one comes back", () => {
  setBase("/gate/chat/");
  const url = new URL(signInUrl({ pathname: "/gate/chat/c/1", search: "?a=b" }));
  expect(url.pathname).toBe("/gate/sign-in");
  expect(url.searchParams.get("next")).toBe("/gate/chat/c/1?a=b");
});
