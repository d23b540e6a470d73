import type { CallPart, JsonObject } from "@/api/types";
import { visible } from "../markdown/visible";
import { lineOfJson, prettyJson } from "./json";

/** As much as fits into a line or three of a card that is shut. */
const FIRST_CHARACTERS = 600;

/** Arguments on one line, such as `city: Pune, radius_km: 25`. */
export function argumentsLine(values: JsonObject): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${lineOfJson(value).slice(0, FIRST_CHARACTERS)}`)
    .join(", ")
    .slice(0, FIRST_CHARACTERS);
}

/** What a result says as text. Pictures and files are named, and never loaded. */
export function resultText(call: CallPart): string {
  const texts = (call.content ?? []).map(blockText).filter(Boolean);
  if (texts.length > 0) return texts.join("\n\n");
  return call.structured ? prettyJson(call.structured) : "";
}

function blockText(block: JsonObject): string {
  switch (block.type) {
    case "text":
      return indented(String(block.text ?? ""));
    case "image":
    case "audio": {
      const size = Math.round((String(block.data ?? "").length * 3) / 4 / 1024);
      return `[${block.type}, ${String(block.mimeType ?? "unknown type")}, ${size} KiB: not shown]`;
    }
    case "resource_link":
      return `[resource ${String(block.name ?? "")}: ${String(block.uri ?? "")}]`;
    case "resource": {
      const resource = (block.resource ?? {}) as JsonObject;
      return typeof resource.text === "string"
        ? resource.text
        : `[resource: ${String(resource.uri ?? "")}]`;
    }
    default:
      return prettyJson(block);
  }
}

function indented(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return prettyJson(JSON.parse(text));
  } catch {
    return text;
  }
}

/** What is shown of a result before it is opened: a line for each member of structured content. */
export function previewText(call: CallPart): string {
  if (!call.structured) return resultText(call);
  return Object.entries(call.structured)
    .map(([name, value]) => `${name}: ${lineOfJson(value)}`)
    .join("\n");
}

/** The first lines of `text`, and how many are left out. */
export function preview(text: string, lines = 3): { text: string; left: number } {
  const all = text.split("\n");
  const first = all.slice(0, lines).join("\n").slice(0, FIRST_CHARACTERS);
  return { text: visible(first), left: Math.max(0, all.length - lines) };
}

/** Minutes and seconds until `until` (seconds since the epoch), such as `4:09`. */
export function countdown(until: number, now: number): string {
  const seconds = Math.max(0, Math.round(until - now));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
