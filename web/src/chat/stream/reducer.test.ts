import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message, StreamEvent } from "@/api/types";
import { aCall, aMessage, aText } from "@/app/testing";
import { MissedEvents, reduceMessage, reduceView } from "./reducer";

const whole = (events: readonly StreamEvent[], from: Message) => events.reduce(reduceMessage, from);

/** A run of events as the gateway makes them: parts in order, calls that change later. */
const runs = fc
  .array(
    fc.record({
      kind: fc.constantFrom("text", "call", "notice", "change", "title"),
      text: fc.string({ maxLength: 8 }),
      pick: fc.nat({ max: 9 }),
      state: fc.constantFrom("queued", "running", "needs_approval", "done", "failed"),
    }),
    { maxLength: 25 },
  )
  .map((steps) => {
    const kinds: string[] = [];
    const events: StreamEvent[] = [];
    for (const { kind, text, pick, state } of steps) {
      const last = kinds.length - 1;
      const calls = kinds.flatMap((one, index) => (one === "call" ? [index] : []));
      if (kind === "title") events.push({ type: "title", title: text });
      else if (kind === "text") {
        const part = kinds[last] === "text" ? last : kinds.push("text") - 1;
        events.push({ type: "text_delta", part, text });
      } else if (kind === "notice") {
        const notice = { type: "notice" as const, code: "stopped", text };
        events.push({ type: "notice", part: kinds.push("notice") - 1, notice });
      } else if (kind === "call" || calls.length === 0) {
        const part = kinds.push("call") - 1;
        events.push({ type: "call", part, call: aCall({ id: `call-${part}`, state: "queued" }) });
      } else {
        const part = calls[pick % calls.length] ?? 0;
        events.push({ type: "call", part, call: aCall({ id: `call-${part}`, state }) });
      }
    }
    return [
      ...events,
      { type: "end", status: "complete", tokens_in: 5, tokens_out: 7 } as StreamEvent,
    ];
  });

test("any beginning, then a snapshot, then the rest, equals the whole", () => {
  fc.assert(
    fc.property(runs, fc.nat(), fc.nat(), (events, seenAt, snapshotAt) => {
      const start = aMessage();
      const at = snapshotAt % (events.length + 1);
      const seen = events.slice(0, seenAt % (at + 1));
      const snapshot: StreamEvent = {
        type: "snapshot",
        message: whole(events.slice(0, at), start),
      };
      const resumed = whole([...seen, snapshot, ...events.slice(at)], start);
      expect(resumed).toEqual(whole(events, start));
    }),
  );
});

test("an event changes no message that was shown before", () => {
  fc.assert(
    fc.property(runs, (events) => {
      let message = aMessage();
      for (const event of events) {
        const before = structuredClone(message);
        const after = reduceMessage(message, event);
        expect(message).toEqual(before);
        message = after;
      }
    }),
  );
});

test("a part that cannot follow tells that something was missed", () => {
  const late: StreamEvent = { type: "text_delta", part: 2, text: "late" };
  expect(() => reduceMessage(aMessage(), late)).toThrow(MissedEvents);
  const onCall: StreamEvent = { type: "text_delta", part: 0, text: "late" };
  expect(() => reduceMessage(aMessage({ parts: [aCall()] }), onCall)).toThrow(MissedEvents);
});

test("events of later versions are passed over", () => {
  const message = aMessage({ parts: [aText("a")] });
  expect(reduceMessage(message, { type: "sparkle" } as unknown as StreamEvent)).toBe(message);
});

test("an accepted message and its answer are the end of the branch", () => {
  const view = {
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
    messages: [],
    head_id: null,
  };
  const message = aMessage({ id: "q", role: "user", status: "complete" });
  const answer = aMessage({ id: "a", parent_id: "q" });
  const accepted = reduceView(view, null, { type: "accepted", message, answer });
  expect(accepted.messages.map((one) => one.id)).toEqual(["q", "a"]);
  expect(accepted.head_id).toBe("a");
  const titled = reduceView(accepted, null, { type: "title", title: "Hello" });
  expect(titled.conversation.title).toBe("Hello");
});
