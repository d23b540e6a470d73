import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { JsonObject } from "@/api/types";
import { GenericCard } from "./GenericCard";
import { ShapeCard } from "./ShapeCard";
import { moveIn } from "./SlotsCard";
import { shapeOf } from "./shapes";

function showShape(value: JsonObject) {
  const onSuggest = vi.fn();
  const { container } = render(<ShapeCard shape={shapeOf(value)!} onSuggest={onSuggest} />);
  return { container, onSuggest };
}

const SLOTS = {
  dealer_name: "Arena",
  time_zone: "Asia/Kolkata",
  slots: [
    { slot_id: "S3", date: "2026-11-26", time: "09:00" },
    { slot_id: "S1", date: "2026-11-25", time: "09:00" },
    { slot_id: "S2", date: "2026-11-25", time: "10:00" },
  ],
};

test("choosing a place puts a message into the composer, with its id", async () => {
  const { onSuggest } = showShape({
    dealers: [{ dealer_id: "P1", name: "Arena", distance_km: 3 }],
  });
  await userEvent.click(screen.getByRole("button", { name: "Choose Arena" }));
  expect(onSuggest).toHaveBeenCalledWith("I choose Arena (P1).");
});

test("a long list of places is shown in part", async () => {
  showShape({
    all: Array.from({ length: 9 }, (_, index) => ({ name: `P${index}`, address: "A" })),
  });
  expect(screen.getAllByRole("listitem")).toHaveLength(5);
  await userEvent.click(screen.getByRole("button", { name: "Show 4 more" }));
  expect(screen.getAllByRole("listitem")).toHaveLength(9);
});

test("slots stand under their dates, name their zone, and are chosen with the keyboard", async () => {
  const { onSuggest } = showShape(SLOTS);
  expect(screen.getByText("Times are those of Asia/Kolkata.")).toBeDefined();
  expect(within(screen.getAllByRole("row")[0]!).getAllByRole("button")).toHaveLength(2);
  const user = userEvent.setup();
  await user.tab();
  await user.keyboard("{ArrowRight}{ArrowDown}{Enter}");
  expect(onSuggest).toHaveBeenCalledWith(expect.stringContaining("(S3)"));
  expect(screen.getAllByRole("gridcell", { selected: true })).toHaveLength(1);
});

test("only one slot is in the order of the Tab key", () => {
  showShape(SLOTS);
  expect(screen.getAllByRole("button").filter((one) => one.tabIndex === 0)).toHaveLength(1);
});

test("arrow keys stay within the grid", () => {
  const days = [
    {
      date: "a",
      slots: [
        { id: "", date: "a", time: "1" },
        { id: "", date: "a", time: "2" },
      ],
    },
    { date: "b", slots: [{ id: "", date: "b", time: "1" }] },
  ];
  expect(moveIn(days, 0, 1, "ArrowDown")).toEqual([1, 0]);
  expect(moveIn(days, 0, 0, "ArrowUp")).toEqual([0, 0]);
  expect(moveIn(days, 0, 0, "End")).toEqual([0, 1]);
  expect(moveIn(days, 0, 0, "x")).toBeNull();
});

test("a confirmation shows its reference, and gives a calendar file", () => {
  showShape({
    booking_number: "BK1",
    service_date: "2026-11-25",
    service_time: "10:00",
    status: "confirmed",
  });
  expect(screen.getByText("BK1")).toBeDefined();
  expect(screen.getByRole("button", { name: "Calendar file" })).toBeDefined();
});

test("a cancelled booking has no calendar file", () => {
  showShape({
    booking_number: "BK1",
    service_date: "2026-11-25",
    service_time: "10:00",
    status: "cancelled",
  });
  expect(screen.queryByRole("button", { name: "Calendar file" })).toBeNull();
});

test("other content is names and values, with at most 20 rows", () => {
  const rows = Array.from({ length: 23 }, (_, index) => ({ number: index, is_paid: false }));
  const { container } = render(
    <GenericCard value={{ total: 23, rows, tags: ["a", "b"], nothing: null }} />,
  );
  expect(container.querySelectorAll("tbody tr")).toHaveLength(20);
  expect(container.textContent).toContain("and 3 more");
  expect(container.textContent).toContain("a, b");
  expect(container.textContent).toContain("none");
});

test("markup in a result stays text", () => {
  const { container } = render(
    <GenericCard
      value={{
        "<b>x</b>": "<img src=x onerror=alert(1)>",
        deep: { a: { b: { c: { d: "<i>" } } } },
      }}
    />,
  );
  expect(container.querySelector("b,img,i")).toBeNull();
  expect(container.textContent).toContain("<img src=x");
});
