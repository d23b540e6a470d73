import { Input, Select, Textarea } from "@/ui/fields";
import { withOffset } from "./check";
import type { Field, Option } from "./schema";

type Value = string | boolean | string[];

interface RowProps {
  id: string;
  field: Field;
  value: Value;
  error: string;
  onChange: (value: Value) => void;
}

/** One field with its label, what it is for, and what is wrong with it. */
export function FieldRow(props: RowProps) {
  const { id, field, error } = props;
  const described = [field.description && `${id}-about`, error && `${id}-error`]
    .filter(Boolean)
    .join(" ");
  const isGroup = field.kind === "choices";
  const label = (
    <>
      {field.label}
      {!field.isRequired && field.kind !== "boolean" && (
        <span className="font-normal text-muted"> (optional)</span>
      )}
    </>
  );
  const about = (
    <>
      {field.description && (
        <p id={`${id}-about`} className="text-[0.8125rem] text-muted">
          {field.description}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-[0.8125rem] font-medium text-error">
          {error}
        </p>
      )}
    </>
  );
  if (isGroup) {
    return (
      <fieldset aria-describedby={described || undefined} className="flex flex-col gap-1">
        <legend className="text-sm font-medium">{label}</legend>
        <Choices {...props} options={field.options} />
        {about}
      </fieldset>
    );
  }
  if (field.kind === "boolean") {
    return (
      <div className="flex flex-col gap-1">
        <label className="flex min-h-6 items-center gap-2 text-sm font-medium">
          <input
            id={id}
            type="checkbox"
            className="size-4 accent-link"
            checked={props.value === true}
            aria-describedby={described || undefined}
            onChange={(event) => props.onChange(event.target.checked)}
          />
          {label}
        </label>
        {about}
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <Control {...props} described={described} />
      {about}
    </div>
  );
}

const TYPES: Record<string, string> = {
  email: "email",
  uri: "url",
  date: "date",
  "date-time": "datetime-local",
};

function Control({
  id,
  field,
  value,
  error,
  onChange,
  described,
}: RowProps & { described: string }) {
  const common = {
    id,
    "aria-describedby": described || undefined,
    "aria-invalid": error ? true : undefined,
    "aria-required": field.isRequired || undefined,
  };
  if (field.kind === "choice") {
    return (
      <Select {...common} value={String(value)} onChange={(event) => onChange(event.target.value)}>
        <option value="">Choose…</option>
        {field.options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </Select>
    );
  }
  if (field.kind === "number") {
    const mode = field.isInteger ? "numeric" : "decimal";
    return (
      <Input
        {...common}
        inputMode={mode}
        value={String(value)}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  const format = field.kind === "string" ? field.format : "";
  if (format === "date-time") {
    return (
      <Input
        {...common}
        type="datetime-local"
        value={String(value).slice(0, 16)}
        onChange={(event) => onChange(withOffset(event.target.value))}
      />
    );
  }
  if (
    field.kind === "string" &&
    format === "" &&
    field.max > 200 &&
    field.max !== Number.POSITIVE_INFINITY
  ) {
    return (
      <Textarea
        {...common}
        value={String(value)}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  return (
    <Input
      {...common}
      type={TYPES[format] ?? "text"}
      value={String(value)}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Choices({ id, value, onChange, options }: RowProps & { options: Option[] }) {
  const chosen = Array.isArray(value) ? value : [];
  return options.map((one, index) => (
    <label key={one.value} className="flex min-h-6 items-center gap-2 text-sm">
      <input
        id={index === 0 ? id : undefined}
        type="checkbox"
        className="size-4 accent-link"
        checked={chosen.includes(one.value)}
        onChange={(event) =>
          onChange(
            event.target.checked
              ? [...chosen, one.value]
              : chosen.filter((other) => other !== one.value),
          )
        }
      />
      {one.label}
    </label>
  ));
}
