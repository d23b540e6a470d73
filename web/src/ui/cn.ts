import { type ClassValue, clsx } from "clsx";
import { twMerge } from "tailwind-merge";

/** Join class names; of two that say the same thing, the last counts. */
export function cn(...classes: ClassValue[]): string {
  return twMerge(clsx(classes));
}
