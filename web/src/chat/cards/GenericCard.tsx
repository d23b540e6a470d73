import type { ReactNode } from "react";
import type { JsonObject } from "@/api/types";
import { lineOfJson, prettyJson } from "../calls/json";
import { wordsOf } from "../forms/schema";
import { Code } from "../markdown/Code";
import { Table } from "../markdown/Table";
import { visible } from "../markdown/visible";
import { isObject } from "./shapes";

const MOST_MEMBERS = 50;
const MOST_ROWS = 20;
const MOST_COLUMNS = 8;
const DEEPEST = 3;
const LONG = 1000;

/** Any structured content: names and values, tables, lists. Text stays text. */
export function GenericCard({ value }: { value: JsonObject }) {
  return <Members value={value} depth={0} />;
}

/** Whether a card of `value` leaves nothing out: few members, none of them deeper than a list. */
export function isShownWhole(value: JsonObject): boolean {
  const members = Object.values(value);
  return (
    members.length <= MOST_MEMBERS &&
    members.every((one) => isFlat(one) && !(isTexts(one) && one.length > MOST_MEMBERS))
  );
}

function Members({ value, depth }: { value: JsonObject; depth: number }) {
  const members = Object.entries(value);
  if (members.length === 0) return <p className="text-sm text-muted">Nothing in it.</p>;
  return (
    <dl className="flex flex-col gap-2 text-sm">
      {members.slice(0, MOST_MEMBERS).map(([name, one]) => (
        <div
          key={name}
          className={isFlat(one) ? "grid gap-x-3 sm:grid-cols-[minmax(7rem,12rem)_1fr]" : ""}
        >
          <dt className="wrap-anywhere text-muted">{visible(wordsOf(name))}</dt>
          <dd className="min-w-0 wrap-anywhere">{paintValue(one, depth + 1)}</dd>
        </div>
      ))}
      {members.length > MOST_MEMBERS && (
        <div>
          <dt className="text-muted">And more</dt>
          <dd>{members.length - MOST_MEMBERS} members are not shown here.</dd>
        </div>
      )}
    </dl>
  );
}

function isFlat(value: unknown): boolean {
  return typeof value !== "object" || value === null || isTexts(value);
}

function isTexts(value: unknown): value is (string | number)[] {
  return (
    Array.isArray(value) && value.every((one) => typeof one === "string" || typeof one === "number")
  );
}

function paintValue(value: unknown, depth: number): ReactNode {
  if (value === null || value === undefined || value === "")
    return <span className="text-muted">none</span>;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "object") return <Line text={String(value)} />;
  if (isTexts(value)) {
    return value.length === 0 ? (
      <span className="text-muted">none</span>
    ) : (
      <Line text={textsOf(value)} />
    );
  }
  if (depth > DEEPEST) return <Code text={prettyJson(value)} label="JSON" />;
  if (Array.isArray(value)) return <List list={value} depth={depth} />;
  return (
    <div className="mt-1 border-l-2 pl-3">
      <Members value={value as JsonObject} depth={depth} />
    </div>
  );
}

function textsOf(list: readonly (string | number)[]): string {
  const left = list.length - MOST_MEMBERS;
  const first = list.slice(0, MOST_MEMBERS).join(", ");
  return left > 0 ? `${first}, and ${left} more` : first;
}

/** A text among others; a long one has a place of its own, to scroll in. */
function Line({ text }: { text: string }) {
  return text.length > LONG ? (
    <Code text={text} label="Text" />
  ) : (
    <span dir="auto" className="whitespace-pre-wrap">
      {visible(text)}
    </span>
  );
}

function List({ list, depth }: { list: unknown[]; depth: number }) {
  const rows = list.slice(0, MOST_ROWS);
  const more = list.length - rows.length;
  const rest = more > 0 && <p className="mt-1 text-muted">and {more} more</p>;
  if (rows.every(isObject)) {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const columns = names.slice(0, MOST_COLUMNS);
    return (
      <div className="mt-1">
        <Table
          head={columns.map(wordsOf)}
          rows={rows.map((row) => columns.map((column) => cellOf(row[column])))}
        />
        {names.length > columns.length && (
          <p className="mt-1 text-muted">and {names.length - columns.length} more columns</p>
        )}
        {rest}
      </div>
    );
  }
  return (
    <>
      <ul className="list-disc pl-5">
        {rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the items have no other names.
          <li key={index}>{paintValue(row, depth + 1)}</li>
        ))}
      </ul>
      {rest}
    </>
  );
}

function cellOf(value: unknown): ReactNode {
  if (isFlat(value)) return paintValue(value, DEEPEST);
  const text = lineOfJson(value);
  return visible(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
