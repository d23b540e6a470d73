import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { ChatConfig } from "@/api/types";
import { show } from "@/app/testing";
import { NEW, useChatUi } from "../state";
import { matchingActions } from "./actions";
import { Composer, type ComposerState } from "./Composer";

const CONFIG: ChatConfig = {
  name: "Assistant",
  model: {
    id: "m",
    provider: "offline",
    label: "Offline",
    is_language_model: false,
    note: "",
    limits: {},
  },
  greeting: "Hello",
  quick_actions: [
    { id: "book", label: "Book a service", prompt: "I need to book a service." },
    { id: "find", label: "Find a dealer", prompt: "Find dealers in Pune" },
  ],
  theme: null,
  person: { name: "Rahul" },
  limits: { text_characters: 20, approval_seconds: 900 },
};

function compose(state: ComposerState = "ready") {
  const onSend = vi.fn();
  const onStop = vi.fn();
  show(
    <Composer conversationId="c1" config={CONFIG} state={state} onSend={onSend} onStop={onStop} />,
  );
  return {
    onSend,
    onStop,
    area: screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" }),
  };
}

beforeEach(() => useChatUi.setState({ drafts: {}, begun: null }));

test("Enter sends, Shift+Enter makes a line", async () => {
  const { onSend, area } = compose();
  await userEvent.type(area, "one{Shift>}{Enter}{/Shift}two{Enter}");
  expect(onSend).toHaveBeenCalledExactlyOnceWith("one\ntwo");
  expect(area.value).toBe("");
});

test("nothing is sent while an answer is being made; it can be stopped", async () => {
  const { onSend, onStop, area } = compose("running");
  await userEvent.type(area, "more{Enter}");
  await userEvent.click(screen.getByRole("button", { name: "Stop the answer" }));
  expect(onSend).not.toHaveBeenCalled();
  expect(onStop).toHaveBeenCalledOnce();
  expect(area.value).toBe("more");
});

test("a text that is too long is not sent, and says by how much", async () => {
  const { onSend, area } = compose();
  await userEvent.type(area, `${"x".repeat(23)}{Enter}`);
  expect(onSend).not.toHaveBeenCalled();
  expect(screen.getByText(/3 characters too long; 20 fit/)).toBeDefined();
  expect(area.getAttribute("aria-invalid")).toBe("true");
});

test("a slash opens the quick actions, which keys choose", async () => {
  const { onSend, area } = compose();
  await userEvent.type(area, "/");
  expect(screen.getAllByRole("option")).toHaveLength(2);
  await userEvent.keyboard("{ArrowDown}{Enter}");
  expect(area.value).toBe("Find dealers in Pune");
  expect(onSend).not.toHaveBeenCalled();
  expect(screen.queryByRole("listbox")).toBeNull();
});

test("Escape shuts the quick actions", async () => {
  const { area } = compose();
  await userEvent.type(area, "/bo");
  expect(screen.getAllByRole("option")).toHaveLength(1);
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("listbox")).toBeNull();
});

test("a slash in the middle is a slash", () => {
  expect(matchingActions(CONFIG.quick_actions, "and/or")).toEqual([]);
});

test.each<[ComposerState, string, RegExp]>([
  ["ready", "", /^Enter sends/],
  ["sending", "", /being sent/],
  ["running", "", /is answering/],
  ["running", "more", /once the answer is complete/],
  ["waiting", "more", /waits for you/],
])("while %s, with %j written, it says what Enter does", (state, draft, hint) => {
  useChatUi.setState({ drafts: { c1: draft } });
  const { area } = compose(state);
  const id = area.getAttribute("aria-describedby") ?? "";
  expect(document.getElementById(id)?.textContent).toMatch(hint);
});

test("what is written while the first message is sent goes to its conversation", async () => {
  const common = { config: CONFIG, onSend: () => {}, onStop: () => {} };
  const { rerender } = show(
    <Composer {...common} key={NEW} conversationId={NEW} state="sending" />,
  );
  await userEvent.type(screen.getByRole("textbox"), "and more");
  useChatUi.setState({ begun: "c7" });
  rerender(<Composer {...common} key="c7" conversationId="c7" state="running" />);
  const area = screen.getByRole<HTMLTextAreaElement>("textbox");
  expect(area.value).toBe("and more");
  expect(document.activeElement).toBe(area);
  expect(useChatUi.getState().drafts[NEW]).toBe("");
  await userEvent.keyboard("!");
  expect(area.value).toBe("and more!");
});
