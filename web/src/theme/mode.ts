import { useEffect } from "react";
import { create } from "zustand";
import type { ThemeColors } from "@/api/types";
import { applyPalette, type Mode } from "./palette";

const MODE_KEY = "bascule.theme";
const COLORS_KEY = "bascule.colors";

export type Preference = "system" | Mode;

interface ThemeState {
  preference: Preference;
  mode: Mode;
  colors: ThemeColors | null;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is shut off: it counts until the page is left.
  }
}

function keptColors(): ThemeColors | null {
  try {
    return JSON.parse(read(COLORS_KEY) ?? "null") as ThemeColors | null;
  } catch {
    return null;
  }
}

function keptPreference(): Preference {
  const kept = read(MODE_KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

const darkQuery = () => window.matchMedia("(prefers-color-scheme: dark)");

function modeOf(preference: Preference): Mode {
  if (preference !== "system") return preference;
  return darkQuery().matches ? "dark" : "light";
}

export const useTheme = create<ThemeState>(() => {
  const preference = keptPreference();
  return { preference, mode: modeOf(preference), colors: keptColors() };
});

function apply(): void {
  const { preference, colors } = useTheme.getState();
  const mode = modeOf(preference);
  useTheme.setState({ mode });
  document.documentElement.dataset.theme = mode;
  applyPalette(colors, mode);
}

/** Light, dark, or as the system has it; kept in this browser. */
export function choosePreference(preference: Preference): void {
  write(MODE_KEY, preference);
  useTheme.setState({ preference });
  apply();
}

/** The colours of the gateway's theme; kept, so that the next visit begins in them. */
export function chooseColors(colors: ThemeColors | null): void {
  write(COLORS_KEY, JSON.stringify(colors));
  useTheme.setState({ colors });
  apply();
}

/** Follows the system's setting. Call once before the first paint. */
export function startTheme(): void {
  apply();
  darkQuery().addEventListener("change", apply);
}

export function useThemeColors(colors: ThemeColors | null | undefined): void {
  useEffect(() => {
    if (colors !== undefined) chooseColors(colors);
  }, [colors]);
}
