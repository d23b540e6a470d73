import { expect, test } from "vitest";
import { ApiError } from "@/api/client";
import type { StreamEvent } from "@/api/types";
import { follow, pauseAfter } from "./follow";
import { MissedEvents } from "./reducer";

const frame = (number: number, event: StreamEvent) =>
  `id: ${number}\ndata: ${JSON.stringify(event)}\n\n`;
const delta = (text: string): StreamEvent => ({ type: "text_delta", part: 0, text });
const END: StreamEvent = { type: "end", status: "complete", tokens_in: 0, tokens_out: 0 };
const now = () => Promise.resolve();

function run(how: Partial<Parameters<typeof follow>[0]> & { begin: () => Promise<Response> }) {
  const seen: StreamEvent[] = [];
  const states: string[] = [];
  return new Promise<{ seen: StreamEvent[]; states: string[]; failure: Error | null }>(
    (resolve) => {
      follow({
        resume: null,
        onEvent: ({ event }) => seen.push(event),
        onState: (state) => states.push(state),
        onDone: (failure) => resolve({ seen, states, failure }),
        pause: now,
        ...how,
      });
    },
  );
}

test("a stream that breaks off goes on after the last event", async () => {
  const asked: (number | null)[] = [];
  const { seen, failure } = await run({
    begin: async () => new Response(frame(4, delta("a"))),
    resume: async (since) => {
      asked.push(since);
      return new Response(asked.length === 1 ? frame(5, delta("b")) : frame(6, END));
    },
  });
  expect(failure).toBeNull();
  expect(asked).toEqual([4, 5]);
  expect(seen).toEqual([delta("a"), delta("b"), END]);
});

test("nothing accepted yet is sent again", async () => {
  let attempts = 0;
  const { failure } = await run({
    begin: async () => {
      attempts += 1;
      if (attempts < 3) throw new TypeError("network");
      return new Response(frame(1, END));
    },
  });
  expect([attempts, failure]).toEqual([3, null]);
});

test("what must not be made twice is not sent again", async () => {
  let attempts = 0;
  const { failure } = await run({
    beginsOnce: true,
    begin: async () => {
      attempts += 1;
      throw new TypeError("network");
    },
  });
  expect(attempts).toBe(1);
  expect(failure).toBeInstanceOf(TypeError);
});

test("a refusal ends it, a fault of the server does not", async () => {
  let attempts = 0;
  const { failure } = await run({
    begin: async () => new Response(frame(1, delta("a"))),
    resume: async () => {
      attempts += 1;
      throw new ApiError(attempts < 3 ? 503 : 404, "E", "gone");
    },
  });
  expect(attempts).toBe(3);
  expect(failure).toMatchObject({ status: 404 });
});

test("missed events have the whole sent", async () => {
  const asked: (number | null)[] = [];
  await run({
    begin: async () => new Response(frame(9, delta("a"))),
    resume: async (since) => {
      asked.push(since);
      return new Response(frame(10, END));
    },
    onEvent: ({ event }) => {
      if (event.type === "text_delta") throw new MissedEvents();
    },
  });
  expect(asked).toEqual([null]);
});

test("it gives up at last, and says so", async () => {
  const { states, failure } = await run({ begin: () => Promise.reject(new TypeError("network")) });
  expect(states.at(-1)).toBe("lost");
  expect(failure?.message).toContain("lost");
});

test("pauses grow up to fifteen seconds", () => {
  const longest = [1, 2, 3, 4, 5, 6, 9].map((failures) => pauseAfter(failures, () => 1));
  expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  expect(pauseAfter(1, () => 0)).toBe(250);
});
