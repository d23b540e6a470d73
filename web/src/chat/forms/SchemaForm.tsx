import { type ReactNode, useId, useState } from "react";
import type { JsonObject } from "@/api/types";
import { Button } from "@/ui/Button";
import { checkValues, type Errors } from "./check";
import { FieldRow } from "./FieldRow";
import { type Field, initialValues, type Values } from "./schema";

/** A form for the fields of a schema. Nothing leaves it before every field is right. */
export function SchemaForm(props: {
  fields: readonly Field[];
  given?: JsonObject;
  submitLabel: string;
  isBusy: boolean;
  onSubmit: (content: JsonObject) => void;
  children?: ReactNode;
}) {
  const { fields } = props;
  const [values, setValues] = useState<Values>(() => initialValues(fields, props.given));
  const [errors, setErrors] = useState<Errors>({});
  const id = useId();
  const submit = () => {
    const checked = checkValues(fields, values);
    setErrors(checked.errors ?? {});
    if (checked.content) props.onSubmit(checked.content);
    else document.getElementById(`${id}-${Object.keys(checked.errors)[0]}`)?.focus();
  };
  return (
    <form
      noValidate
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {fields.map((field) => (
        <FieldRow
          key={field.name}
          id={`${id}-${field.name}`}
          field={field}
          value={values[field.name] ?? field.initial}
          error={errors[field.name] ?? ""}
          onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
        />
      ))}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" disabled={props.isBusy}>
          {props.submitLabel}
        </Button>
        {props.children}
      </div>
    </form>
  );
}
