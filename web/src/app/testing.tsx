import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach } from "vitest";
import type { CallPart, JsonObject, Message, Part } from "@/api/types";
import { StreamsContext } from "@/chat/context";
import { Streams } from "@/chat/stream/streams";

afterEach(cleanup);

/** A call that is done, but for `rest`. */
export function aCall(rest: Partial<CallPart> = {}): CallPart {
  return {
    type: "call",
    id: "call-1",
    tool: "get_weather",
    arguments: { city: "Pune" },
    state: "done",
    title: "Get the weather",
    server: "Weather",
    risk: "read",
    key: "",
    started_at: null,
    ended_at: null,
    latency_ms: null,
    content: [],
    structured: null,
    error: "",
    error_code: "",
    correlation_id: "",
    rule: "",
    url: "",
    inputs: [],
    expires_at: null,
    decided: "",
    reason: "",
    progress: null,
    progress_total: null,
    progress_message: "",
    answers: null,
    made_before_at: null,
    is_edited: false,
    ...rest,
  };
}

/** An answer that is being made, but for `rest`. */
export function aMessage(rest: Partial<Message> = {}): Message {
  return {
    id: "m1",
    conversation_id: "c1",
    role: "assistant",
    parts: [],
    status: "running",
    at: 1,
    parent_id: null,
    model: "offline",
    tokens_in: 0,
    tokens_out: 0,
    ...rest,
  };
}

export const aText = (text: string): Part => ({ type: "text", text });

export const aPlace = { conversationId: "c1", messageId: "m1", callId: "call-1" };

/** What the page sent: method, path and body of each request. */
export interface Sent {
  method: string;
  path: string;
  headers: Headers;
  body: JsonObject | undefined;
}

/** Answers requests in place of a gateway, by path; keeps what was sent. */
export function serve(answers: (sent: Sent) => Response | Promise<Response>): Sent[] {
  const all: Sent[] = [];
  globalThis.fetch = async (input, init) => {
    const sent: Sent = {
      method: init?.method ?? "GET",
      path: new URL(String(input), "http://localhost").pathname,
      headers: new Headers(init?.headers),
      body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined,
    };
    if (sent.path === "/api/session") return Response.json({ csrf_token: "token" });
    all.push(sent);
    return answers(sent);
  };
  return all;
}

/** Renders `what` with everything that the pages have around them. */
export function show(what: ReactNode) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const streams = new Streams(client);
  const around = (inner: ReactNode) => (
    <QueryClientProvider client={client}>
      <StreamsContext value={streams}>{inner}</StreamsContext>
    </QueryClientProvider>
  );
  return { ...render(around(what)), client, streams };
}
