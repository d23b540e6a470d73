import { expect, test } from "vitest";
import { checkValues, withOffset } from "./check";
import { type Field, fieldsOf, initialValues, secretsOf, wordsOf } from "./schema";

const fields = (properties: Record<string, unknown>, required: string[] = []): Field[] =>
  fieldsOf({ type: "object", properties: properties as never, required })!;
const faults = (properties: Record<string, unknown>, values: Record<string, never | unknown>) =>
  checkValues(fields(properties), values as never).errors;

test("every kind of the restricted schema is a field", () => {
  const kinds = fields({
    text: { type: "string" },
    mail: { type: "string", format: "email" },
    number: { type: "number" },
    whole: { type: "integer" },
    yes: { type: "boolean" },
    one: { type: "string", enum: ["a", "b"], enumNames: ["A", "B"] },
    titled: { type: "string", oneOf: [{ const: "a", title: "A" }] },
    many: { type: "array", items: { type: "string", enum: ["a", "b"] } },
    manyTitled: { type: "array", items: { anyOf: [{ const: "a", title: "A" }] } },
  }).map((field) => field.kind);
  expect(kinds).toEqual([
    "string",
    "string",
    "number",
    "number",
    "boolean",
    "choice",
    "choice",
    "choices",
    "choices",
  ]);
});

test.each([
  { type: "object", properties: { deep: { type: "object" } } },
  { type: "object", properties: { list: { type: "array", items: { type: "string" } } } },
  { type: "object", properties: { any: {} } },
  { type: "array" },
])("%j is no form", (schema) => {
  expect(fieldsOf(schema)).toBeNull();
});

test.each([
  "password",
  "api_key",
  "apiKey",
  "clientSecret",
  "pin",
  "otp",
  "card_number",
  "accessToken",
])("a form does not ask for %s", (name) => {
  expect(secretsOf(fields({ [name]: { type: "string" } }))).toHaveLength(1);
});

test("a secret is found by its title and by its format, too", () => {
  expect(secretsOf(fields({ x: { type: "string", title: "Your password" } }))).toHaveLength(1);
  expect(secretsOf(fields({ x: { type: "string", format: "password" } }))).toHaveLength(1);
  expect(secretsOf(fields({ pincode: { type: "string" }, opinion: { type: "string" } }))).toEqual(
    [],
  );
});

test("values come out as JSON of their kind, empty ones not at all", () => {
  const all = fields({
    n: { type: "integer" },
    s: { type: "string" },
    b: { type: "boolean" },
    e: { type: "string" },
  });
  const checked = checkValues(all, { n: "3", s: " a ", b: false, e: "" });
  expect(checked.content).toEqual({ n: 3, s: " a ", b: false });
});

test("what is needed is asked for", () => {
  const checked = checkValues(fields({ a: { type: "string" } }, ["a"]), { a: "" });
  expect(checked.errors).toEqual({ a: "This is needed." });
});

test("each field says what is wrong with it", () => {
  expect(faults({ a: { type: "string", minLength: 3 } }, { a: "ab" })).toEqual({
    a: "Give at least 3 characters.",
  });
  expect(faults({ a: { type: "string", maxLength: 1 } }, { a: "👍🏽" })?.a).toContain("at most 1");
  expect(faults({ a: { type: "string", format: "email" } }, { a: "x" })?.a).toContain("e-mail");
  expect(faults({ a: { type: "string", format: "uri" } }, { a: "x" })?.a).toContain("address");
  expect(faults({ a: { type: "string", format: "date" } }, { a: "25/11" })?.a).toContain("date");
  expect(faults({ a: { type: "integer" } }, { a: "1.5" })?.a).toContain("whole");
  expect(faults({ a: { type: "number", minimum: 2 } }, { a: "1" })?.a).toBe("Give 2 or more.");
  expect(faults({ a: { type: "number" } }, { a: "NaN" })?.a).toBe("Give a number.");
  expect(faults({ a: { type: "string", enum: ["x"] } }, { a: "y" })?.a).toContain("list");
  expect(
    faults({ a: { type: "array", items: { enum: ["x", "y"] }, maxItems: 1 } }, { a: ["x", "y"] })
      ?.a,
  ).toContain("at most 1");
});

test("fields begin with what is given, else with their default", () => {
  const all = fields({
    a: { type: "string", default: "x" },
    n: { type: "number" },
    b: { type: "boolean" },
    m: { type: "array", items: { enum: ["x"] } },
  });
  expect(initialValues(all)).toEqual({ a: "x", n: "", b: false, m: [] });
  expect(initialValues(all, { a: "y", n: 4, b: true, m: ["x"] })).toEqual({
    a: "y",
    n: "4",
    b: true,
    m: ["x"],
  });
});

test("names become words", () => {
  expect(wordsOf("vehicle_registration")).toBe("Vehicle registration");
  expect(wordsOf("vehicleRegistration")).toBe("Vehicle registration");
  expect(wordsOf("")).toBe("");
});

test("a local time gets the browser's offset", () => {
  expect(withOffset("2026-11-25T10:00")).toMatch(/^2026-11-25T10:00:00(Z|[+-]\d{2}:\d{2})$/);
  expect(withOffset("")).toBe("");
});
