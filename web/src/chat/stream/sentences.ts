import type { CallPart, CallState, StreamEvent } from "@/api/types";
import { visible } from "../markdown/visible";

/** What a call is called in front of a person. */
export function nameOf(call: Pick<CallPart, "title" | "tool">): string {
  return visible(call.title || call.tool);
}

const STATES: Partial<Record<CallState, string>> = {
  needs_approval: "needs your approval",
  needs_elevation: "needs an elevation",
  needs_consent: "needs an account to be connected",
  needs_input: "asks you something",
  failed: "failed",
  denied: "was denied",
  unknown: "has no known outcome",
};

/** What a screen reader says of an event; empty for what only adds to an answer. */
export function sentenceOf(event: StreamEvent): string {
  if (event.type === "accepted") return "The assistant is answering.";
  if (event.type === "notice") return event.notice.text;
  if (event.type === "call") {
    const said = STATES[event.call.state];
    return said ? `${nameOf(event.call)} ${said}.` : "";
  }
  if (event.type === "end") {
    if (event.status === "complete") return "The answer is complete.";
    if (event.status === "waiting") return "The assistant waits for you.";
    return event.status === "stopped" ? "The answer was stopped." : "The answer failed.";
  }
  return "";
}
