import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "@/api/types";
import { type Shape, shapeOf } from "./shapes";

const kindOf = (value: JsonObject) => shapeOf(value)?.kind ?? null;
const as = <Kind extends Shape["kind"]>(value: JsonObject) =>
  shapeOf(value) as Extract<Shape, { kind: Kind }>;

test("a vehicle is known by its members, not by its tool", () => {
  const one = {
    registration: "MH12AB1234",
    make: "Maruti",
    model: "Swift",
    variant: "ZXI+",
    year: 2023,
    owner: { name: "Rahul" },
    service_due: true,
  };
  expect(as<"vehicle">(one).vehicle).toMatchObject({
    name: "Maruti Swift ZXI+",
    year: "2023",
    owner: "Rahul",
    isDue: true,
  });
  expect(kindOf({ result: { plate: "X", manufacturer: "Y", model: "Z" } })).toBe("vehicle");
  expect(kindOf({ registration: "X", make: "Y" })).toBeNull();
});

test("places have a name, and where or when they are to be found", () => {
  const shape = as<"places">({
    dealers: [
      { dealer_id: "P1", name: "Arena", distance_km: 3, opens_at: "09:00", closes_at: "18:00" },
    ],
    total: 4,
  });
  expect(shape.total).toBe(4);
  expect(shape.places[0]).toMatchObject({
    id: "P1",
    name: "Arena",
    distanceKm: 3,
    hours: "09:00–18:00",
  });
  expect(kindOf({ clinics: [{ name: "A", address: "B" }] })).toBe("places");
  expect(kindOf({ people: [{ name: "A" }] })).toBeNull();
});

test("slots keep the time of the place, whatever its offset", () => {
  const shape = as<"slots">({
    time_zone: "Asia/Kolkata",
    free: [{ id: "1", starts_at: "2026-11-25T09:00:00+05:30" }],
  });
  expect(shape.slots).toEqual([{ id: "1", date: "2026-11-25", time: "09:00" }]);
  expect(shape.zone).toBe("Asia/Kolkata");
});

test("no free slot says why", () => {
  expect(as<"slots">({ slots: [], note: "Closed on Sundays." })).toMatchObject({
    slots: [],
    note: "Closed on Sundays.",
  });
});

test("a confirmation has a reference and a date", () => {
  const shape = as<"confirmation">({
    booking_number: "BK1",
    service_date: "2026-11-25",
    service_time: "10:00",
    dealer_name: "Arena",
    status: "confirmed",
  });
  expect(shape.confirmation).toMatchObject({
    reference: "BK1",
    date: "2026-11-25",
    time: "10:00",
    place: "Arena",
  });
  expect(kindOf({ reference: "R1", starts_at: "2026-11-25T10:00:00Z" })).toBe("confirmation");
  expect(kindOf({ booking_number: "BK1" })).toBeNull();
});

test("whatever else a tool answers is of no known shape, and no failure", () => {
  expect(kindOf({ customer_id: "C1", name: "Rahul", vehicles: ["MH12"] })).toBeNull();
  expect(shapeOf(null)).toBeNull();
  fc.assert(fc.property(fc.object({ maxDepth: 3 }), (value) => void shapeOf(value as JsonObject)));
});
