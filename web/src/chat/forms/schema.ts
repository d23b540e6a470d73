import type { JsonObject } from "@/api/types";

interface Common {
  name: string;
  label: string;
  description: string;
  isRequired: boolean;
}

/** A field of a form, as the restricted schema of elicitation allows it. */
export type Field = Common &
  (
    | { kind: "string"; format: string; min: number; max: number; pattern: string; initial: string }
    | {
        kind: "number";
        isInteger: boolean;
        min: number | null;
        max: number | null;
        initial: string;
      }
    | { kind: "boolean"; initial: boolean }
    | { kind: "choice"; options: Option[]; initial: string }
    | { kind: "choices"; options: Option[]; min: number; max: number; initial: string[] }
  );

export interface Option {
  value: string;
  label: string;
}

export type Values = Record<string, string | boolean | string[]>;

const SECRET =
  /pass(word|phrase|code)|secret|api[_\s-]?key|private[_\s-]?key|access[_\s-]?token|auth[_\s-]?token|credential|\bpin\b|\bcvv\b|\bcvc\b|\botp\b|one[_\s-]?time[_\s-]?code|card[_\s-]?number|social[_\s-]?security/i;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown) => (typeof value === "string" ? value : "");
const numberOf = (value: unknown) => (typeof value === "number" ? value : null);

/** The fields of a schema of flat, simple members; null where it has any other. */
export function fieldsOf(schema: JsonObject): Field[] | null {
  const { properties, type } = schema;
  if (type !== undefined && type !== "object") return null;
  if (properties === undefined) return [];
  if (!isObject(properties)) return null;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries(properties).map(([name, one]) =>
    isObject(one) ? fieldOf(name, one, required.includes(name)) : null,
  );
  return fields.every((one) => one !== null) ? fields : null;
}

/** The names of what a form must not ask for: passwords, keys and the like. */
export function secretsOf(fields: readonly Field[]): string[] {
  return fields
    .filter((one) => {
      const words = one.name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_-]/g, " ");
      const isHidden = one.kind === "string" && one.format === "password";
      return (
        isHidden || SECRET.test(one.name) || SECRET.test(`${words} ${one.label} ${one.description}`)
      );
    })
    .map((one) => one.label);
}

function fieldOf(name: string, schema: JsonObject, isRequired: boolean): Field | null {
  const common: Common = {
    name,
    label: textOf(schema.title) || wordsOf(name),
    description: textOf(schema.description),
    isRequired,
  };
  const { type } = schema;
  const options = optionsOf(schema);
  if (options) return { ...common, kind: "choice", options, initial: textOf(schema.default) };
  if (type === "string") return stringField(common, schema);
  if (type === "number" || type === "integer") {
    const initial = numberOf(schema.default)?.toString() ?? "";
    const min = numberOf(schema.minimum);
    const max = numberOf(schema.maximum);
    return { ...common, kind: "number", isInteger: type === "integer", min, max, initial };
  }
  if (type === "boolean") return { ...common, kind: "boolean", initial: schema.default === true };
  if (type === "array" && isObject(schema.items)) return choicesField(common, schema, schema.items);
  return null;
}

function stringField(common: Common, schema: JsonObject): Field {
  return {
    ...common,
    kind: "string",
    format: textOf(schema.format),
    min: numberOf(schema.minLength) ?? 0,
    max: numberOf(schema.maxLength) ?? Number.POSITIVE_INFINITY,
    pattern: textOf(schema.pattern),
    initial: textOf(schema.default),
  };
}

function choicesField(common: Common, schema: JsonObject, items: JsonObject): Field | null {
  const options = optionsOf(items);
  if (options === null) return null;
  const initial = Array.isArray(schema.default) ? schema.default.map(String) : [];
  const min = numberOf(schema.minItems) ?? 0;
  const max = numberOf(schema.maxItems) ?? Number.POSITIVE_INFINITY;
  return { ...common, kind: "choices", options, min, max, initial };
}

/** What there is to choose from: `enum` with `enumNames`, or `oneOf`/`anyOf` with `const`. */
function optionsOf(schema: JsonObject): Option[] | null {
  if (Array.isArray(schema.enum) && schema.enum.every((one) => typeof one === "string")) {
    const names = Array.isArray(schema.enumNames) ? schema.enumNames : [];
    return schema.enum.map((value, index) => ({ value, label: textOf(names[index]) || value }));
  }
  const titled = schema.oneOf ?? schema.anyOf;
  if (
    !Array.isArray(titled) ||
    !titled.every((one) => isObject(one) && typeof one.const === "string")
  ) {
    return null;
  }
  return titled.map((one) => ({
    value: String(one.const),
    label: textOf(one.title) || String(one.const),
  }));
}

/** `vehicle_registration` and `vehicleRegistration` as `Vehicle registration`. */
export function wordsOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_\s-]+/g, " ")
    .trim();
  return (
    words.charAt(0).toUpperCase() +
    words.slice(1).replace(/\b([A-Z])(?=[a-z])/g, (c) => c.toLowerCase())
  );
}

/** What the fields hold at first; `given` counts before the schema's defaults. */
export function initialValues(fields: readonly Field[], given: JsonObject = {}): Values {
  return Object.fromEntries(
    fields.map((field) => {
      const value = given[field.name];
      if (value === undefined || value === null) return [field.name, field.initial];
      if (field.kind === "boolean") return [field.name, value === true];
      if (field.kind === "choices")
        return [field.name, Array.isArray(value) ? value.map(String) : []];
      return [field.name, typeof value === "object" ? JSON.stringify(value) : String(value)];
    }),
  );
}
