import { Pencil } from "lucide-react";
import { useId, useState } from "react";
import type { JsonObject } from "@/api/types";
import { Button } from "@/ui/Button";
import { Textarea } from "@/ui/fields";
import { GenericCard, isShownWhole } from "../cards/GenericCard";
import { SchemaForm } from "../forms/SchemaForm";
import { fieldsOf } from "../forms/schema";
import { Code } from "../markdown/Code";
import { prettyJson } from "./json";

/** All arguments of a call, which can be changed. */
export function ArgumentsView(props: {
  values: JsonObject;
  isChanged: boolean;
  onEdit: () => void;
}) {
  const isEmpty = Object.keys(props.values).length === 0;
  return (
    <div className="rounded-lg border p-3">
      <div className="mb-2 flex items-center gap-2">
        <p className="flex-1 text-xs font-medium text-muted">
          {props.isChanged ? "Arguments, changed by you" : "Arguments"}
        </p>
        <Button variant="ghost" size="small" onClick={props.onEdit}>
          <Pencil aria-hidden="true" />
          Change
        </Button>
      </div>
      {isEmpty ? <p className="text-muted">None.</p> : <Whole values={props.values} />}
    </div>
  );
}

/** Every argument: as names and values where that leaves nothing out, else as JSON. */
function Whole({ values }: { values: JsonObject }) {
  if (isShownWhole(values)) return <GenericCard value={values} />;
  return (
    <div className="flex flex-col gap-2">
      <Code text={prettyJson(values)} label="Arguments" />
    </div>
  );
}

/** A form where the schema is simple enough, and JSON always. */
export function ArgumentsEditor(props: {
  values: JsonObject;
  schema: JsonObject | undefined;
  onSave: (values: JsonObject) => void;
  onCancel: () => void;
}) {
  const fields = props.schema ? fieldsOf(props.schema) : null;
  const [isJson, setJson] = useState(fields === null);
  const cancel = (
    <Button variant="ghost" onClick={props.onCancel}>
      Cancel
    </Button>
  );
  return (
    <div className="flex flex-col gap-3 rounded-lg border p-3">
      {fields !== null && (
        <Button
          variant="link"
          size="inline"
          className="self-start"
          onClick={() => setJson(!isJson)}
        >
          {isJson ? "Edit as a form" : "Edit as JSON"}
        </Button>
      )}
      {fields !== null && !isJson ? (
        <SchemaForm
          fields={fields}
          given={props.values}
          submitLabel="Use these"
          isBusy={false}
          onSubmit={(content) => props.onSave(withOthers(props.values, fields, content))}
        >
          {cancel}
        </SchemaForm>
      ) : (
        <JsonEditor values={props.values} onSave={props.onSave}>
          {cancel}
        </JsonEditor>
      )}
    </div>
  );
}

/** Members that no field is about stay as they are. */
function withOthers(
  values: JsonObject,
  fields: readonly { name: string }[],
  content: JsonObject,
): JsonObject {
  const known = new Set(fields.map((field) => field.name));
  const others = Object.entries(values).filter(([name]) => !known.has(name));
  return { ...Object.fromEntries(others), ...content };
}

function JsonEditor(props: {
  values: JsonObject;
  onSave: (values: JsonObject) => void;
  children: React.ReactNode;
}) {
  const [text, setText] = useState(() => prettyJson(props.values));
  const [error, setError] = useState("");
  const id = useId();
  const save = () => {
    const read = readObject(text);
    if (typeof read === "string") setError(read);
    else props.onSave(read);
  };
  return (
    <>
      <label htmlFor={id} className="font-medium">
        Arguments as JSON
      </label>
      <Textarea
        id={id}
        rows={8}
        spellCheck={false}
        className="font-mono text-[0.8125rem]"
        value={text}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
        onChange={(event) => setText(event.target.value)}
      />
      {error && (
        <p id={`${id}-error`} className="font-medium text-error">
          {error}
        </p>
      )}
      <div className="flex gap-2">
        <Button variant="primary" onClick={save}>
          Use these
        </Button>
        {props.children}
      </div>
    </>
  );
}

/** The object in `text`, or what is wrong with it. */
export function readObject(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as JsonObject;
    return "Give an object, in braces.";
  } catch (failure) {
    return `This is not JSON: ${(failure as Error).message}`;
  }
}
