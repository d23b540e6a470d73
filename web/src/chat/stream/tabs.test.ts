import { expect, test, vi } from "vitest";
import { Tabs } from "./tabs";

test("other tabs hear of a change, the same one does not; a closed one is silent", async () => {
  const own = vi.fn();
  const others = vi.fn();
  const here = new Tabs(own);
  const there = new Tabs(others);
  here.tell("c1");
  await vi.waitFor(() => expect(others).toHaveBeenCalledExactlyOnceWith("c1"));
  expect(own).not.toHaveBeenCalled();
  here.close();
  here.tell("c2");
  there.tell("c3");
  there.close();
});
