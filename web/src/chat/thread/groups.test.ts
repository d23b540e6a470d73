import { expect, test } from "vitest";
import { aCall, aText } from "@/app/testing";
import { blocksOf, textOf } from "./groups";

const shape = (...parts: Parameters<typeof blocksOf>[0]) =>
  blocksOf(parts).map((block) =>
    block.kind === "calls" ? block.calls.map((call) => call.id) : block.kind,
  );
const call = (id: string) => aCall({ id });

test("calls of one step are together, those of the next are apart", () => {
  expect(shape(aText(""), call("1"), call("2"), aText(""), call("3"))).toEqual([["1", "2"], ["3"]]);
});

test("texts and notices are shown where they stand", () => {
  const notice = { type: "notice" as const, code: "stopped", text: "Stopped." };
  expect(shape(aText("Hi"), call("1"), notice, aText(" "))).toEqual(["text", ["1"], "notice"]);
});

test("the text of a message leaves out its calls", () => {
  expect(textOf([aText("a"), call("1"), aText("b")])).toBe("a\n\nb");
});
