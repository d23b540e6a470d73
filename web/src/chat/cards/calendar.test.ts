import { expect, test } from "vitest";
import { calendarFile } from "./calendar";
import { dayText, latencyText } from "./dates";
import type { Confirmation } from "./shapes";

const NOW = new Date("2026-11-20T08:00:00Z");
const BOOKED: Confirmation = {
  reference: "BK48210937",
  status: "confirmed",
  date: "2026-11-25",
  time: "10:00",
  startsAt: "2026-11-25T10:00:00+05:30",
  endsAt: "",
  zone: "Asia/Kolkata",
  place: "Arena Hinjewadi",
  address: "Plot 1, Demo Road; Pune",
  phone: "",
  about: "regular · Swift",
};
const lines = (file: string | null) => (file ?? "").replace(/\r\n /g, "").split("\r\n");

test("a confirmation becomes an event of an hour, in UTC", () => {
  const file = lines(calendarFile(BOOKED, NOW));
  expect(file).toContain("DTSTART:20261125T043000Z");
  expect(file).toContain("DTEND:20261125T053000Z");
  expect(file).toContain("DTSTAMP:20261120T080000Z");
  expect(file).toContain("UID:BK48210937@bascule");
  expect(file).toContain("LOCATION:Arena Hinjewadi\\, Plot 1\\, Demo Road\\; Pune");
});

test("without an offset the time is that of the place", () => {
  const file = lines(calendarFile({ ...BOOKED, startsAt: "" }, NOW));
  expect(file).toContain("DTSTART:20261125T100000");
  expect(file).toContain("DTEND:20261125T110000");
});

test("an end that is given counts", () => {
  const file = lines(calendarFile({ ...BOOKED, endsAt: "2026-11-25T12:15:00+05:30" }, NOW));
  expect(file).toContain("DTEND:20261125T064500Z");
});

test("without a time there is no file", () => {
  expect(calendarFile({ ...BOOKED, startsAt: "", time: "" }, NOW)).toBeNull();
});

test("a text of a tool adds no line of its own", () => {
  const file = lines(
    calendarFile({ ...BOOKED, place: "A\r\nATTENDEE:mailto:evil@example.com" }, NOW),
  );
  expect(file.some((line) => line.startsWith("ATTENDEE"))).toBe(false);
});

test("lines have at most 75 octets", () => {
  const file = calendarFile({ ...BOOKED, address: "ü".repeat(300) }, NOW) ?? "";
  const longest = Math.max(
    ...file.split("\r\n").map((line) => new TextEncoder().encode(line).length),
  );
  expect(longest).toBeLessThanOrEqual(75);
});

test("a day is the same in every zone", () => {
  expect(dayText("2026-11-25")).toContain("25");
  expect(dayText("soon")).toBe("soon");
});

test("times are read at a glance", () => {
  expect([latencyText(42.4), latencyText(1480), latencyText(125_000)]).toEqual([
    "42 ms",
    "1.5 s",
    "2 min",
  ]);
});
