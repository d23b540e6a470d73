/** A colour as red, green and blue from 0 to 255. */
export type Rgb = readonly [number, number, number];

export const BLACK: Rgb = [0, 0, 0];
export const WHITE: Rgb = [255, 255, 255];

/** Read `#rgb` or `#rrggbb`; null for anything else. */
export function parseHex(text: unknown): Rgb | null {
  if (typeof text !== "string") return null;
  const found = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
  if (!found?.[1]) return null;
  const full = found[1].length === 3 ? found[1].replace(/./g, "$&$&") : found[1];
  const value = Number.parseInt(full, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function toHex(color: Rgb): string {
  return `#${color.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** `share` of `other` in `color`, from 0 to 1. */
export function mix(color: Rgb, other: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2) => color[index] + (other[index] - color[index]) * share;
  return [part(0), part(1), part(2)];
}

/** Relative luminance, from 0 to 1 (WCAG 2.2). */
export function luminance(color: Rgb): number {
  const linear = (value: number) => {
    const share = Math.round(value) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]);
}

/** Contrast ratio, from 1 to 21 (WCAG 2.2). */
export function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** `color`, darkened or lightened no further than it takes to stand out from all of `grounds`. */
export function readable(color: Rgb, grounds: readonly Rgb[], ratio = 4.5): Rgb {
  const stands = (one: Rgb) => grounds.every((ground) => contrast(one, ground) >= ratio);
  for (let share = 0; share <= 1.0001; share += 0.02) {
    const found = [mix(color, BLACK, share), mix(color, WHITE, share)].find(stands);
    if (found) return found;
  }
  return color;
}

/** `color` as bright as its hue allows, so that lightening it further does not grey it. */
export function vivid(color: Rgb): Rgb {
  const most = Math.max(...color);
  if (most === 0) return color;
  const part = (index: 0 | 1 | 2) => (color[index] * 255) / most;
  return [part(0), part(1), part(2)];
}

/** Black or white, whichever stands out from `ground`. */
export function textOn(ground: Rgb): Rgb {
  return contrast(WHITE, ground) >= 4.5 ? WHITE : contrast(BLACK, ground) >= 4.5 ? BLACK : WHITE;
}
