import type { JsonObject } from "@/api/types";
import type { Field, Values } from "./schema";

export type Checked = { content: JsonObject; errors: null } | { content: null; errors: Errors };
export type Errors = Record<string, string>;

/** What the fields hold as JSON, or what is wrong with each. Empty ones that may be are left out. */
export function checkValues(fields: readonly Field[], values: Values): Checked {
  const content: JsonObject = {};
  const errors: Errors = {};
  for (const field of fields) {
    const value = values[field.name] ?? field.initial;
    const isEmpty = value === "" || (Array.isArray(value) && value.length === 0);
    if (isEmpty) {
      if (field.isRequired) errors[field.name] = "This is needed.";
      continue;
    }
    const wrong = findFault(field, value);
    if (wrong) errors[field.name] = wrong;
    else content[field.name] = field.kind === "number" ? Number(value) : value;
  }
  return Object.keys(errors).length > 0 ? { content: null, errors } : { content, errors: null };
}

function findFault(field: Field, value: string | boolean | string[]): string {
  if (field.kind === "string") return faultInText(field, String(value));
  if (field.kind === "number") return faultInNumber(field, String(value));
  if (field.kind === "choice") {
    return field.options.some((one) => one.value === value) ? "" : "Choose one of the list.";
  }
  if (field.kind === "choices" && Array.isArray(value)) {
    if (value.length < field.min) return `Choose at least ${field.min}.`;
    if (value.length > field.max) return `Choose at most ${field.max}.`;
  }
  return "";
}

function faultInNumber(field: Field & { kind: "number" }, text: string): string {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return "Give a number.";
  if (field.isInteger && !Number.isInteger(value)) return "Give a whole number.";
  if (field.min !== null && value < field.min) return `Give ${field.min} or more.`;
  if (field.max !== null && value > field.max) return `Give ${field.max} or less.`;
  return "";
}

const FORMATS: Record<string, [RegExp, string]> = {
  email: [/^[^\s@]+@[^\s@]+$/, "Give an e-mail address, such as name@example.com."],
  date: [/^\d{4}-\d{2}-\d{2}$/, "Give a date, such as 2026-11-25."],
  "date-time": [/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/, "Give a date and a time."],
};

function faultInText(field: Field & { kind: "string" }, text: string): string {
  const characters = Array.from(text).length;
  if (characters < field.min) return `Give at least ${field.min} characters.`;
  if (characters > field.max)
    return `Give at most ${field.max} characters; these are ${characters}.`;
  const format = FORMATS[field.format];
  if (format && !format[0].test(text)) return format[1];
  if (field.format === "uri" && !URL.canParse(text))
    return "Give an address, such as https://example.com.";
  return "";
}

/** A local date and time of a browser's field as RFC 3339, in the zone of the browser. */
export function withOffset(local: string): string {
  const time = new Date(local);
  if (local === "" || Number.isNaN(time.getTime())) return local;
  const minutes = -time.getTimezoneOffset();
  const pad = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  const offset =
    minutes === 0 ? "Z" : `${minutes < 0 ? "-" : "+"}${pad(minutes / 60)}:${pad(minutes % 60)}`;
  const full = local.length === 16 ? `${local}:00` : local;
  return `${full}${offset}`;
}
