import type { ThemeColors } from "@/api/types";
import { contrast, mix, parseHex, type Rgb, readable, textOn, toHex, vivid } from "./color";

export type Mode = "light" | "dark";

interface Grounds {
  page: Rgb;
  card: Rgb;
  text: Rgb;
}

const GROUNDS: Record<Mode, Grounds> = {
  light: { page: [248, 249, 250], card: [255, 255, 255], text: [31, 41, 51] },
  dark: { page: [14, 19, 26], card: [23, 30, 40], text: [228, 231, 235] },
};

const STATES = ["success", "error", "warning", "info"] as const;

/** The tokens that a theme's colours make in `mode`.
 *
 * Colours are kept as far as text in them, and on them, has a contrast of 4.5 (WCAG 2.2, 1.4.3).
 * Anything that is no `#rrggbb` is left out, and the default stays.
 */
export function tokensOf(colors: ThemeColors, mode: Mode): Record<string, string> {
  const given = (name: string) => parseHex(colors[name] ?? "");
  const grounds = groundsOf(colors, mode);
  const { page, card, text } = grounds;
  const tokens: Record<string, string> = {
    page: toHex(page),
    card: toHex(card),
    text: toHex(text),
  };
  const primary = given("primary");
  if (primary) {
    const fill = mode === "light" ? primary : readable(vivid(primary), [card], 5);
    const soft = softened(primary, grounds, mode === "light" ? 0.1 : 0.35);
    tokens.primary = toHex(fill);
    tokens["on-primary"] = toHex(textOn(fill));
    tokens["primary-soft"] = toHex(soft);
    tokens.link = toHex(
      readable(
        mode === "light" ? (given("secondary") ?? primary) : vivid(primary),
        [page, card, soft],
        4.6,
      ),
    );
  }
  const accent = given("accent");
  if (accent) tokens.accent = toHex(readable(accent, [page, card], 3.1));
  const border = given("border");
  if (border && mode === "light") tokens.border = toHex(border);
  for (const name of STATES) {
    const color = given(name);
    if (!color) continue;
    const soft = softened(color, grounds, mode === "light" ? 0.1 : 0.2);
    tokens[`${name}-soft`] = toHex(soft);
    tokens[name] = toHex(readable(color, [page, card, soft], 4.6));
  }
  return tokens;
}

/** The card with `share` of `color` in it, or with as much as text on it bears. */
function softened(color: Rgb, grounds: Grounds, share: number): Rgb {
  const soft = mix(grounds.card, color, share);
  return share < 0.02 || contrast(grounds.text, soft) >= 5
    ? soft
    : softened(color, grounds, share - 0.02);
}

function groundsOf(colors: ThemeColors, mode: Mode): Grounds {
  const defaults = GROUNDS[mode];
  if (mode === "dark") return defaults;
  const page = parseHex(colors.surface ?? "") ?? defaults.page;
  const text = parseHex(colors.text ?? "") ?? defaults.text;
  return { page, card: defaults.card, text: readable(text, [page, defaults.card], 7) };
}

/** Sets the tokens of `colors` on the page; null sets the defaults of the style sheet again. */
export function applyPalette(colors: ThemeColors | null, mode: Mode): void {
  const { style } = document.documentElement;
  for (const name of Array.from(style).filter((one) => one.startsWith("--t-"))) {
    style.removeProperty(name);
  }
  if (colors === null) return;
  for (const [name, value] of Object.entries(tokensOf(colors, mode))) {
    style.setProperty(`--t-${name}`, value);
  }
}
