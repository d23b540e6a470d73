import { expect, test } from "vitest";
import type { Conversation } from "@/api/types";
import { once } from "./History";

test("a conversation that is on two pages is in the list once", () => {
  const rows = ["a", "b", "a"].map((id) => ({ id }) as Conversation);
  expect(once(rows).map((one) => one.id)).toEqual(["a", "b"]);
});
