import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameParser, readEvents } from "./sse";

const STREAM =
  ': \n\nevent: title\ndata: {"type":"title",\ndata: "title":"Grüße"}\n\nid: 7\r\nevent: text_delta\r\ndata: {"type":"text_delta","part":0,"text":"a"}\r\n\r\n';

test("a stream reads the same however its pieces are cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: STREAM.length + 8 })), async (cuts) => {
      const bytes = new TextEncoder().encode(STREAM);
      const edges = [
        0,
        ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
        bytes.length,
      ];
      const body = new ReadableStream({
        start(controller) {
          edges.slice(1).forEach((edge, index) => {
            controller.enqueue(bytes.slice(edges[index], edge));
          });
          controller.close();
        },
      });
      const events = [];
      for await (const one of readEvents(new Response(body))) events.push(one);
      expect(events).toEqual([
        { number: null, event: { type: "title", title: "Grüße" } },
        { number: 7, event: { type: "text_delta", part: 0, text: "a" } },
      ]);
    }),
  );
});

test("an event without data is none", () => {
  expect(new FrameParser().push("event: end\n\n")).toEqual([]);
});

test("what is not JSON is passed over", async () => {
  const events = [];
  for await (const one of readEvents(new Response("data: nonsense\n\n"))) events.push(one);
  expect(events).toEqual([]);
});
