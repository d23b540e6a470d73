import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { aCall, aMessage, aPlace, serve, show } from "@/app/testing";
import { readObject } from "./Arguments";
import { CallGroup, summaryOf } from "./CallGroup";
import { prettyJson } from "./json";
import { ToolCard } from "./ToolCard";
import { argumentsLine, countdown, preview, previewText, resultText } from "./texts";

const APPROVAL = aCall({
  state: "needs_approval",
  risk: "write",
  arguments: { city: "Pune", days: 2 },
});
const NO_TOOLS = () => Response.json({ tools: [], withheld: [] });

/** Answers decisions with the message as it is then, and everything else with no tools. */
function gateway() {
  const all = serve((sent) =>
    sent.method === "POST" ? Response.json(aMessage({ status: "complete" })) : NO_TOOLS(),
  );
  return () => all.filter((one) => one.method === "POST");
}

test("a call shows its state, title, server, arguments and time at once", () => {
  show(<ToolCard call={aCall({ latency_ms: 42 })} place={aPlace} />);
  const head = screen.getByRole("button", { expanded: false });
  for (const text of ["Done", "Get the weather", "Weather", "city: Pune", "42 ms"]) {
    expect(head.textContent).toContain(text);
  }
});

test("a failed call is open, and says why", () => {
  show(
    <ToolCard
      call={aCall({
        state: "failed",
        error: "No such city.",
        error_code: "E3007",
        correlation_id: "abc",
      })}
      place={aPlace}
    />,
  );
  expect(screen.getByRole("button", { expanded: true })).toBeDefined();
  expect(screen.getByText(/No such city/)).toBeDefined();
  expect(screen.getByRole("button", { name: "Copy trace id" })).toBeDefined();
});

test("a result is three lines until it is opened", async () => {
  const text = "one\ntwo\nthree\nfour\nfive";
  show(<ToolCard call={aCall({ content: [{ type: "text", text }] })} place={aPlace} />);
  expect(screen.getByText("2 more lines")).toBeDefined();
  expect(screen.queryByText(/five/)).toBeNull();
  await userEvent.click(screen.getByRole("button", { expanded: false }));
  expect(screen.getByText(/five/)).toBeDefined();
});

test("markup in a result is text, and pictures are not loaded", async () => {
  const content = [
    { type: "text", text: "<img src=x onerror=alert(1)>" },
    { type: "image", data: "AAAA", mimeType: "image/png" },
  ];
  const { container } = show(<ToolCard call={aCall({ content })} place={aPlace} />);
  await userEvent.click(screen.getByRole("button", { expanded: false }));
  expect(container.querySelector("img")).toBeNull();
  expect(container.textContent).toContain("[image, image/png, 0 KiB: not shown]");
});

test("nothing is in focus before somebody decides", () => {
  gateway();
  show(<ToolCard call={APPROVAL} place={aPlace} />);
  expect(document.activeElement).toBe(document.body);
  const labels = screen.getAllByRole("button").map((one) => one.textContent);
  expect(labels.indexOf("Deny…")).toBeLessThan(labels.indexOf("Allow once"));
});

test.each([
  ["Allow once", "once"],
  ["Allow for this conversation", "conversation"],
])("%s is sent", async (label, decision) => {
  const posts = gateway();
  show(<ToolCard call={APPROVAL} place={aPlace} />);
  await userEvent.click(screen.getByRole("button", { name: label }));
  await waitFor(() => expect(posts()).toHaveLength(1));
  expect(posts()[0]?.path).toBe("/api/chat/conversations/c1/messages/m1/calls/call-1/decision");
  expect(posts()[0]?.body).toEqual({ decision });
});

test("a no is sent with its reason", async () => {
  const posts = gateway();
  show(<ToolCard call={APPROVAL} place={aPlace} />);
  await userEvent.click(screen.getByRole("button", { name: "Deny…" }));
  await userEvent.keyboard("Too soon{Enter}");
  await waitFor(() => expect(posts()[0]?.body).toEqual({ decision: "deny", reason: "Too soon" }));
});

test("a privileged tool is allowed once at most", () => {
  gateway();
  show(<ToolCard call={{ ...APPROVAL, risk: "privileged" }} place={aPlace} />);
  expect(screen.queryByRole("button", { name: "Allow for this conversation" })).toBeNull();
});

test("changed arguments go with the yes", async () => {
  const posts = gateway();
  const user = userEvent.setup();
  show(<ToolCard call={APPROVAL} place={aPlace} />);
  await user.click(screen.getByRole("button", { name: "Change" }));
  const area = screen.getByLabelText("Arguments as JSON");
  await user.clear(area);
  await user.click(area);
  await user.paste('{"city":"Mumbai"');
  await user.click(screen.getByRole("button", { name: "Use these" }));
  expect(screen.getByText(/This is not JSON/)).toBeDefined();
  await user.click(area);
  await user.paste("}");
  await user.click(screen.getByRole("button", { name: "Use these" }));
  await user.click(screen.getByRole("button", { name: "Allow once" }));
  await waitFor(() =>
    expect(posts()[0]?.body).toEqual({ decision: "once", arguments: { city: "Mumbai" } }),
  );
});

const ask = (input: object) =>
  aCall({
    state: "needs_input",
    inputs: [{ id: "q", message: "Tell me.", schema: null, url: "", ...input }],
  });

test("a question names the server, and its answer is sent by its id", async () => {
  const posts = gateway();
  const schema = {
    type: "object",
    properties: { name: { type: "string", title: "Name" } },
    required: ["name"],
  };
  show(<ToolCard call={ask({ schema })} place={aPlace} />);
  expect(screen.getByText("Weather asks you")).toBeDefined();
  await userEvent.type(screen.getByLabelText("Name"), "Rahul");
  await userEvent.click(screen.getByRole("button", { name: "Submit" }));
  await waitFor(() =>
    expect(posts()[0]?.body).toEqual({
      answers: { q: { action: "accept", content: { name: "Rahul" } } },
    }),
  );
});

test.each([
  ["Decline", "decline"],
  ["Cancel", "cancel"],
])("%s is sent", async (label, action) => {
  const posts = gateway();
  show(<ToolCard call={ask({ schema: { type: "object", properties: {} } })} place={aPlace} />);
  await userEvent.click(screen.getByRole("button", { name: label }));
  await waitFor(() => expect(posts()[0]?.body).toEqual({ answers: { q: { action } } }));
});

test("a form that asks for a secret is refused", () => {
  const schema = { type: "object", properties: { password: { type: "string" } } };
  show(<ToolCard call={ask({ schema })} place={aPlace} />);
  expect(screen.queryByLabelText(/password/i)).toBeNull();
  expect(screen.queryByRole("button", { name: "Submit" })).toBeNull();
  expect(screen.getByText(/must not be given in a form/)).toBeDefined();
});

test("an address is shown whole, and opened by a click only", async () => {
  const url = "https://pay.example/d/1?amount=5";
  const { container } = show(<ToolCard call={ask({ url })} place={aPlace} />);
  expect(container.textContent).toContain(url);
  expect(container.querySelector("strong")?.textContent).toBe("pay.example");
  const link = screen.getByRole("link", { name: "Open this address" });
  expect(link.getAttribute("rel")).toBe("noopener noreferrer");
  expect(
    screen.getByRole<HTMLButtonElement>("button", { name: "Done there, go on" }).disabled,
  ).toBe(true);
  link.addEventListener("click", (event) => event.preventDefault());
  await userEvent.click(link);
  expect(
    screen.getByRole<HTMLButtonElement>("button", { name: "Done there, go on" }).disabled,
  ).toBe(false);
});

test("an address of another kind is not opened", () => {
  show(<ToolCard call={ask({ url: "javascript:alert(1)" })} place={aPlace} />);
  expect(screen.queryByRole("link")).toBeNull();
});

test("after an elevation the call goes on", async () => {
  const posts = gateway();
  show(
    <ToolCard call={aCall({ state: "needs_elevation", url: "/elevate?scope=x" })} place={aPlace} />,
  );
  expect(screen.getByRole("link", { name: "Request elevation" }).getAttribute("href")).toContain(
    "/elevate?scope=x",
  );
  await userEvent.click(screen.getByRole("button", { name: "I have it, go on" }));
  await waitFor(() => expect(posts()[0]?.path).toMatch(/\/call-1\/proceed$/));
});

test("calls of one step are grouped, with what became of them", () => {
  const calls = [aCall({ id: "1" }), aCall({ id: "2" }), aCall({ id: "3", state: "failed" })];
  show(<CallGroup calls={calls} place={aPlace} />);
  expect(screen.getByRole("group", { name: "3 calls" })).toBeDefined();
  expect(summaryOf(calls)).toBe("2 done, 1 failed");
});

test("texts of calls", () => {
  expect(argumentsLine({ a: "x", b: [1] })).toBe("a: x, b: [1]");
  expect(preview("a\nb\nc\nd")).toEqual({ text: "a\nb\nc", left: 1 });
  expect(countdown(250.2, 1)).toBe("4:09");
  expect(countdown(0, 1)).toBe("0:00");
  expect(previewText(aCall({ structured: { a: 1, b: "x" } }))).toBe("a: 1\nb: x");
  expect(resultText(aCall({ content: [{ type: "text", text: '{"a":1}' }] }))).toBe(
    '{\n  "a": 1\n}',
  );
  expect(
    resultText(aCall({ content: [{ type: "resource_link", name: "r", uri: "file:///x" }] })),
  ).toContain("file:///x");
  expect(readObject("[1]")).toBe("Give an object, in braces.");
});

const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);

test("arguments that a card would leave out are shown as JSON before they are agreed to", () => {
  gateway();
  const rows = [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, hidden: "pay mallory" }];
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`n${n}`, n]));
  for (const values of [{ rows }, { ...many, last: "pay mallory" }]) {
    const { unmount } = show(<ToolCard call={{ ...APPROVAL, arguments: values }} place={aPlace} />);
    expect(screen.getByRole("group", { name: "Arguments" }).textContent).toContain("pay mallory");
    unmount();
  }
});

test("arguments cannot be turned around or hidden in what one agrees to", () => {
  gateway();
  show(
    <ToolCard call={{ ...APPROVAL, arguments: { to: "\u202eyrollam\u200b" } }} place={aPlace} />,
  );
  expect(screen.getByRole("group", { name: /Approval/ }).textContent).toContain(
    "‹U+202E›yrollam‹U+200B›",
  );
});

test("a result nested without end is shown, and costs no page", async () => {
  expect(prettyJson(nested(6000))).toBe("[nested too deeply to be shown]");
  expect(prettyJson(nested(500)).length).toBeLessThan(10_000);
  show(<ToolCard call={aCall({ structured: { a: nested(6000) } })} place={aPlace} />);
  await userEvent.click(screen.getByRole("button", { expanded: false }));
  expect(screen.getByText("Arguments")).toBeDefined();
});

test("of a large result the beginning is laid out, the rest when it is asked for", async () => {
  const text = `${"x".repeat(1_000_000)}END`;
  const { container } = show(
    <ToolCard call={aCall({ content: [{ type: "text", text }] })} place={aPlace} />,
  );
  expect(container.textContent.length).toBeLessThan(2000);
  await userEvent.click(screen.getByRole("button", { expanded: false }));
  expect(container.textContent.length).toBeLessThan(30_000);
  await userEvent.click(screen.getByRole("button", { name: /Show 980,003 more characters/ }));
  expect(container.textContent).toContain("END");
  expect(document.activeElement?.getAttribute("aria-label")).toBe("Result");
});

test("a call that cannot be shown says so, and the others stay", () => {
  const broken = aCall({ id: "b", title: "Broken", content: 5 as unknown as [] });
  const print = vi.spyOn(console, "error").mockImplementation(() => {});
  show(<CallGroup calls={[broken, aCall()]} place={aPlace} />);
  expect(screen.getByText(/The call of Broken cannot be shown/)).toBeDefined();
  expect(screen.getByRole("group", { name: "Call: Get the weather" })).toBeDefined();
  expect(print).toHaveBeenCalled();
});

test("an address that is none is said to be none", () => {
  show(<ToolCard call={aCall({ state: "needs_consent", url: "http://[" })} place={aPlace} />);
  expect(screen.getByText(/none that can be opened here/)).toBeDefined();
});
