import { expect, test } from "vitest";
import { aMessage } from "@/app/testing";
import { branchOf, headOf, leafOf, siblingsOf } from "./tree";

const say = (id: string, parent_id: string | null, at: number, role: "user" | "assistant") =>
  aMessage({ id, parent_id, at, role, status: "complete" });

const TREE = [
  say("q1", null, 1, "user"),
  say("a1", "q1", 2, "assistant"),
  say("q2", "a1", 3, "user"),
  say("a2", "q2", 4, "assistant"),
  say("a1b", "q1", 5, "assistant"),
  say("q2b", "a1", 6, "user"),
  say("a3", "q2b", 7, "assistant"),
];
const ids = (messages: { id: string }[]) => messages.map((one) => one.id);

test("a branch goes from the first message to its end", () => {
  expect(ids(branchOf(TREE, "a2"))).toEqual(["q1", "a1", "q2", "a2"]);
  expect(ids(branchOf(TREE, "a1b"))).toEqual(["q1", "a1b"]);
});

test("without a head, the newest message is the end", () => {
  expect(headOf(TREE, null)).toBe("a3");
  expect(headOf(TREE, "gone")).toBe("a3");
  expect(headOf([], null)).toBeNull();
});

test("versions of a message stand in its place, oldest first", () => {
  expect(ids(siblingsOf(TREE, TREE[4]!))).toEqual(["a1", "a1b"]);
  expect(ids(siblingsOf(TREE, TREE[2]!))).toEqual(["q2", "q2b"]);
});

test("the newest branch through a message is shown with it", () => {
  expect(leafOf(TREE, TREE[1]!).id).toBe("a3");
  expect(leafOf(TREE, TREE[4]!).id).toBe("a1b");
});

test("a circle ends", () => {
  const circle = [say("a", "b", 1, "user"), say("b", "a", 2, "assistant")];
  expect(ids(branchOf(circle, "a"))).toEqual(["b", "a"]);
  expect(leafOf(circle, circle[0]!).id).toBe("b");
});
