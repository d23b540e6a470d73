import type { JsonObject } from "@/api/types";

/** What is known of a tool's output, whatever the tool is called. */
export type Shape =
  | { kind: "vehicle"; vehicle: Vehicle }
  | { kind: "places"; places: Place[]; total: number }
  | { kind: "slots"; slots: Slot[]; zone: string; place: string; note: string }
  | { kind: "confirmation"; confirmation: Confirmation };

export interface Vehicle {
  registration: string;
  name: string;
  year: string;
  owner: string;
  lastService: string;
  nextService: string;
  isDue: boolean;
}

export interface Place {
  id: string;
  name: string;
  address: string;
  distanceKm: number | null;
  hours: string;
  phone: string;
  rating: number | null;
  offers: string[];
}

export interface Slot {
  id: string;
  date: string;
  time: string;
}

export interface Confirmation {
  reference: string;
  status: string;
  date: string;
  time: string;
  startsAt: string;
  endsAt: string;
  zone: string;
  place: string;
  address: string;
  phone: string;
  about: string;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The first of `names` that is text or a number, as text. */
export function pick(from: JsonObject, ...names: string[]): string {
  for (const name of names) {
    const value = from[name];
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number") return String(value);
  }
  return "";
}

function pickNumber(from: JsonObject, ...names: string[]): number | null {
  for (const name of names) if (typeof from[name] === "number") return from[name];
  return null;
}

/** What `structured` is, judged by its members; null where nothing fits. */
export function shapeOf(structured: JsonObject | null | undefined): Shape | null {
  if (!isObject(structured)) return null;
  const inner = soleObject(structured);
  return slotsIn(structured) ?? placesIn(structured) ?? confirmationIn(inner) ?? vehicleIn(inner);
}

/** What is wrapped in one member, as in `{"result": {…}}`; else the object itself. */
function soleObject(structured: JsonObject): JsonObject {
  const [only, ...others] = Object.values(structured);
  return others.length === 0 && isObject(only) ? only : structured;
}

function listsIn(structured: JsonObject): JsonObject[][] {
  return Object.values(structured)
    .filter((value): value is unknown[] => Array.isArray(value))
    .map((list) => list.filter(isObject))
    .filter((list) => list.length > 0);
}

function vehicleIn(one: JsonObject): Shape | null {
  const registration = pick(one, "registration", "registration_number", "plate", "license_plate");
  const make = pick(one, "make", "manufacturer", "brand");
  const model = pick(one, "model");
  if (registration === "" || make === "" || model === "") return null;
  const owner = isObject(one.owner) ? pick(one.owner, "name") : pick(one, "owner", "owner_name");
  const vehicle: Vehicle = {
    registration,
    name: [make, model, pick(one, "variant", "trim")].filter(Boolean).join(" "),
    year: pick(one, "year", "model_year"),
    owner,
    lastService: pick(one, "last_service_on", "last_service_date", "last_service"),
    nextService: pick(one, "next_service_on", "next_service_date", "next_service"),
    isDue: one.service_due === true,
  };
  return { kind: "vehicle", vehicle };
}

function placesIn(structured: JsonObject): Shape | null {
  for (const list of listsIn(structured)) {
    if (!list.every(isPlace)) continue;
    const total = pickNumber(structured, "total", "count") ?? list.length;
    return { kind: "places", places: list.map(placeOf), total };
  }
  return null;
}

function isPlace(one: JsonObject): boolean {
  const isNamed = pick(one, "name", "title") !== "";
  const names = ["distance_km", "distance", "address", "opens_at", "hours", "opening_hours"];
  return isNamed && names.some((name) => pick(one, name) !== "");
}

function placeOf(one: JsonObject): Place {
  const opens = pick(one, "opens_at");
  const closes = pick(one, "closes_at");
  const rating = pickNumber(one, "rating");
  const offers = one.service_types ?? one.services;
  return {
    id: pick(one, "dealer_id", "id", "place_id", "code"),
    name: pick(one, "name", "title"),
    address: [pick(one, "address"), pick(one, "city"), pick(one, "pincode", "postcode", "zip")]
      .filter(Boolean)
      .join(", "),
    distanceKm: pickNumber(one, "distance_km", "distance"),
    hours: opens && closes ? `${opens}–${closes}` : pick(one, "hours", "opening_hours"),
    phone: pick(one, "phone", "telephone"),
    rating,
    offers: Array.isArray(offers) ? offers.filter((each) => typeof each === "string") : [],
  };
}

const START = ["starts_at", "start", "start_time", "begins_at"];
const DATE = /^\d{4}-\d{2}-\d{2}/;

function slotsIn(structured: JsonObject): Shape | null {
  const found = listsIn(structured).find((list) => list.every((one) => slotOf(one) !== null));
  const isNoted = Array.isArray(structured.slots) && structured.slots.length === 0;
  if (!found && !isNoted) return null;
  return {
    kind: "slots",
    slots: (found ?? []).map(slotOf).filter((one) => one !== null),
    zone: pick(structured, "time_zone", "timezone", "tz"),
    place: pick(structured, "dealer_name", "place_name", "location", "name"),
    note: pick(structured, "note", "message"),
  };
}

/** The time as it is written: an offset belongs to the place, and is not turned into ours. */
function slotOf(one: JsonObject): Slot | null {
  const start = pick(one, ...START);
  const isLong = DATE.test(start) && start.length >= 16;
  const date = pick(one, "date", "day") || (isLong ? start.slice(0, 10) : "");
  const time =
    pick(one, "time") || (isLong ? start.slice(11, 16) : /^\d{2}:\d{2}/.test(start) ? start : "");
  const id = pick(one, "slot_id", "id");
  return DATE.test(date) && time !== ""
    ? { id, date: date.slice(0, 10), time: time.slice(0, 5) }
    : null;
}

const REFERENCE = [
  "booking_number",
  "booking_reference",
  "confirmation_number",
  "reference",
  "reference_number",
  "appointment_id",
  "reservation_number",
];

function confirmationIn(one: JsonObject): Shape | null {
  const reference = pick(one, ...REFERENCE);
  const startsAt = pick(one, ...START);
  const date = pick(one, "service_date", "appointment_date", "date") || startsAt.slice(0, 10);
  if (reference === "" || !DATE.test(date)) return null;
  const confirmation: Confirmation = {
    reference,
    status: pick(one, "status"),
    date: date.slice(0, 10),
    time: (pick(one, "service_time", "time") || startsAt.slice(11, 16)).slice(0, 5),
    startsAt,
    endsAt: pick(one, "ends_at", "end", "end_time"),
    zone: pick(one, "time_zone", "timezone"),
    place: pick(one, "dealer_name", "place_name", "location", "place"),
    address: pick(one, "dealer_address", "address"),
    phone: pick(one, "dealer_phone", "phone"),
    about: [
      pick(one, "service_type", "service", "title"),
      [pick(one, "vehicle_make"), pick(one, "vehicle_model")].filter(Boolean).join(" "),
      pick(one, "vehicle_registration", "registration"),
    ]
      .filter(Boolean)
      .join(" · "),
  };
  return { kind: "confirmation", confirmation };
}
