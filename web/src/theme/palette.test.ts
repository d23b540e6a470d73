import fc from "fast-check";
import { expect, test } from "vitest";
import { contrast, parseHex, type Rgb, toHex } from "./color";
import { applyPalette, tokensOf } from "./palette";

const hex = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(255))
  .map((rgb) => toHex(rgb as unknown as Rgb));
const NAMES = ["primary", "secondary", "accent", "success", "error", "warning", "info"];
const color = (tokens: Record<string, string>, name: string) => parseHex(tokens[name]!)!;

test.each(["light", "dark"] as const)("any colours give readable text in %s", (mode) => {
  fc.assert(
    fc.property(fc.tuple(hex, hex, hex, hex, hex, hex, hex), (values) => {
      const colors = Object.fromEntries(NAMES.map((name, index) => [name, values[index]!]));
      const tokens = tokensOf(colors, mode);
      for (const ground of ["page", "card", "primary-soft"]) {
        expect(contrast(color(tokens, "link"), color(tokens, ground))).toBeGreaterThanOrEqual(4.5);
      }
      for (const name of ["success", "error", "warning", "info"]) {
        expect(contrast(color(tokens, name), color(tokens, `${name}-soft`))).toBeGreaterThanOrEqual(
          4.5,
        );
        expect(contrast(color(tokens, name), color(tokens, "card"))).toBeGreaterThanOrEqual(4.5);
      }
      expect(
        contrast(color(tokens, "on-primary"), color(tokens, "primary")),
      ).toBeGreaterThanOrEqual(4.5);
      expect(contrast(color(tokens, "text"), color(tokens, "primary-soft"))).toBeGreaterThanOrEqual(
        4.5,
      );
    }),
  );
});

test("the demo's primary is kept as it is in light", () => {
  expect(tokensOf({ primary: "#003D79" }, "light").primary).toBe("#003d79");
});

test("what is no colour is left out", () => {
  expect(tokensOf({ primary: "url(https://evil.example)" }, "light").primary).toBeUndefined();
});

test("tokens are set on the page, and taken back", () => {
  const { style } = document.documentElement;
  applyPalette({ primary: "#003D79" }, "light");
  expect(style.getPropertyValue("--t-primary")).toBe("#003d79");
  applyPalette(null, "light");
  expect(style.getPropertyValue("--t-primary")).toBe("");
});

test.each([
  "red;background:url(https://evil.example)",
  "url(https://evil.example/x.png)",
  "#fff}*{display:none}",
  "var(--t-text)",
  "expression(alert(1))",
  "#ffffff00",
  5,
  null,
  { toString: () => "#fff" },
])("%j is no colour, and brings nothing about", (value) => {
  const colors = Object.fromEntries([...NAMES, "surface", "text", "border"].map((n) => [n, value]));
  applyPalette(colors as Record<string, string>, "light");
  const { style } = document.documentElement;
  const set = Array.from(style).map((name) => style.getPropertyValue(name));
  expect(set.filter((one) => !/^#[0-9a-f]{6}$/.test(one))).toEqual([]);
});
