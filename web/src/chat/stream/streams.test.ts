import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";
import type { ConversationView, StreamEvent } from "@/api/types";
import { aCall, aMessage, aText, serve } from "@/app/testing";
import { keys } from "../queries";
import { useChatUi } from "../state";
import { newKey, Streams } from "./streams";

const frame = (number: number | null, event: StreamEvent) =>
  `${number === null ? "" : `id: ${number}\n`}data: ${JSON.stringify(event)}\n\n`;
const QUESTION = aMessage({ id: "q1", role: "user", status: "complete", parts: [aText("Hello")] });
const ANSWER = aMessage({ id: "a1", parent_id: "q1" });
const ACCEPTED: StreamEvent = { type: "accepted", message: QUESTION, answer: ANSWER };
const END: StreamEvent = { type: "end", status: "complete", tokens_in: 1, tokens_out: 2 };
const delta = (text: string): StreamEvent => ({ type: "text_delta", part: 0, text });

function open(messages = [QUESTION, ANSWER]) {
  const client = new QueryClient();
  const view: ConversationView = {
    conversation: {
      id: "c1",
      title: "",
      created_at: 0,
      updated_at: 0,
      is_pinned: false,
      head_id: null,
      allowed: [],
      snippet: null,
    },
    messages,
    head_id: messages.at(-1)?.id ?? null,
  };
  client.setQueryData(keys.conversation("c1"), view);
  const read = () => client.getQueryData<ConversationView>(keys.conversation("c1"))!;
  return { streams: new Streams(client), read };
}

beforeEach(() => useChatUi.setState({ drafts: {}, pending: {}, failures: {}, links: {} }));

test("a message that is sent becomes two, and the answer grows", async () => {
  const { streams, read } = open([]);
  const sent = serve(
    () =>
      new Response(
        frame(null, ACCEPTED) + frame(1, delta("Hi ")) + frame(2, delta("there")) + frame(3, END),
      ),
  );
  streams.send("c1", "Hello");
  expect(useChatUi.getState().pending.c1?.text).toBe("Hello");
  await vi.waitFor(() => expect(read().messages[1]?.status).toBe("complete"));
  expect(read().messages[1]?.parts).toEqual([aText("Hi there")]);
  expect(read().head_id).toBe("a1");
  expect(useChatUi.getState().pending.c1).toBeUndefined();
  expect(sent[0]?.headers.get("idempotency-key")).toMatch(/^[0-9a-f]{32}$/);
});

test("a message that is refused is the draft again", async () => {
  const { streams } = open([]);
  serve(() => Response.json({ error: { code: "E2016", message: "Too many." } }, { status: 429 }));
  streams.send("c1", "Hello");
  await vi.waitFor(() => expect(useChatUi.getState().failures.c1?.message).toBe("Too many."));
  expect(useChatUi.getState().drafts.c1).toBe("Hello");
  expect(useChatUi.getState().pending.c1).toBeUndefined();
});

test("an answer is listened to once, however often that is asked for", async () => {
  const { streams, read } = open();
  const whole = aMessage({ ...ANSWER, parts: [aText("So far")] });
  const sent = serve(
    () =>
      new Response(
        frame(8, { type: "snapshot", message: whole }) +
          frame(9, delta(", so good")) +
          frame(10, END),
      ),
  );
  streams.listen(ANSWER);
  streams.listen(ANSWER);
  streams.take(ANSWER);
  await vi.waitFor(() => expect(read().messages[1]?.status).toBe("complete"));
  expect(read().messages[1]?.parts).toEqual([aText("So far, so good")]);
  expect(sent).toHaveLength(1);
});

test("a stream from the beginning without a snapshot says nothing twice", async () => {
  const shown = aMessage({ ...ANSWER, parts: [aText("So far")] });
  const { streams, read } = open([QUESTION, shown]);
  serve(() => new Response(frame(1, delta("So far")) + frame(2, END)));
  streams.listen(shown);
  await vi.waitFor(() => expect(read().messages[1]?.status).toBe("complete"));
  expect(read().messages[1]?.parts).toEqual([aText("So far")]);
});

test("after a decision the same message goes on", async () => {
  const waiting = aMessage({
    ...ANSWER,
    status: "waiting",
    parts: [aCall({ state: "needs_approval" })],
  });
  const { streams, read } = open([QUESTION, waiting]);
  const running = { ...waiting, status: "running" as const, parts: [aCall({ state: "queued" })] };
  serve(
    () =>
      new Response(
        frame(20, { type: "snapshot", message: running }) +
          frame(21, { type: "call", part: 0, call: aCall({ state: "done" }) }) +
          frame(22, END),
      ),
  );
  streams.take(running);
  await vi.waitFor(() => expect(read().messages[1]?.status).toBe("complete"));
  expect(read().messages[1]?.parts[0]).toMatchObject({ state: "done" });
});

test("another answer stands beside the first", async () => {
  const { streams, read } = open([QUESTION, { ...ANSWER, status: "complete" }]);
  const other = aMessage({ id: "a2", parent_id: "q1" });
  serve(
    () =>
      new Response(
        frame(0, { type: "snapshot", message: other }) + frame(1, delta("Again")) + frame(2, END),
      ),
  );
  streams.retry("c1", "a1");
  await vi.waitFor(() => expect(read().messages[2]?.status).toBe("complete"));
  expect(read().head_id).toBe("a2");
  expect(read().messages[2]?.parts).toEqual([aText("Again")]);
});

test("keys are 128 bits and never the same", () => {
  expect(newKey()).toMatch(/^[0-9a-f]{32}$/);
  expect(newKey()).not.toBe(newKey());
});

test("what was written since stays when a message is given back", async () => {
  const { streams } = open([]);
  serve(() => Response.json({ error: { code: "E2016", message: "Too many." } }, { status: 429 }));
  streams.send("c1", "Hello");
  useChatUi.setState({ drafts: { c1: "and more" } });
  await vi.waitFor(() => expect(useChatUi.getState().drafts.c1).toBe("Hello\n\nand more"));
});

test("what nobody answers is no more sent when it is cancelled, and keeps its key", async () => {
  const { streams } = open([]);
  const sent = serve(() => Promise.reject(new TypeError("no network")));
  streams.send("c1", "Hello");
  await vi.waitFor(() => expect(useChatUi.getState().pending.c1?.isRetried).toBe(true));
  streams.cancel("c1");
  expect(useChatUi.getState()).toMatchObject({
    drafts: { c1: "Hello" },
    pending: {},
    failures: {},
  });
  const before = sent.length;
  serve((one) => {
    sent.push(one);
    return new Response(frame(null, ACCEPTED) + frame(1, END));
  });
  streams.send("c1", "Hello");
  await vi.waitFor(() => expect(useChatUi.getState().pending.c1).toBeUndefined());
  expect(sent.length).toBeGreaterThan(before);
  expect(new Set(sent.map((one) => one.headers.get("idempotency-key"))).size).toBe(1);
});
