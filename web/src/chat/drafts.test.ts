import { renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { useKeptDrafts } from "./drafts";
import { useChatUi } from "./state";

beforeEach(() => {
  sessionStorage.clear();
  useChatUi.setState({ drafts: {} });
});

function leave(person: string, drafts: Record<string, string>): void {
  const { unmount } = renderHook(() => useKeptDrafts(person));
  useChatUi.setState({ drafts });
  window.dispatchEvent(new Event("pagehide"));
  unmount();
  useChatUi.setState({ drafts: {} });
}

test("who comes back, such as from the sign-in, finds what they wrote", () => {
  leave("asha", { new: "half a sent", c1: "  " });
  renderHook(() => useKeptDrafts("asha"));
  expect(useChatUi.getState().drafts).toEqual({ new: "half a sent" });
  expect(sessionStorage.length).toBe(0);
});

test("somebody else finds nothing, and it is gone", () => {
  leave("asha", { new: "a secret" });
  renderHook(() => useKeptDrafts("bob"));
  expect(useChatUi.getState().drafts).toEqual({});
  expect(sessionStorage.length).toBe(0);
});

test.each(["5", "[]", '{"person":"asha"}', "{"])("%j in storage is nothing", (text) => {
  sessionStorage.setItem("bascule.drafts", text);
  renderHook(() => useKeptDrafts("asha"));
  expect(useChatUi.getState().drafts).toEqual({});
});
