import { type KeyboardEvent, useRef, useState } from "react";
import { cn } from "@/ui/cn";
import { dayText } from "./dates";
import { Frame } from "./Frame";
import type { Shape, Slot } from "./shapes";

type Slots = Extract<Shape, { kind: "slots" }>;

/** Times by date. Arrow keys go from time to time, Enter chooses. */
export function SlotsCard({
  shape,
  onSuggest,
}: {
  shape: Slots;
  onSuggest: (text: string) => void;
}) {
  const days = daysOf(shape.slots);
  const [chosen, setChosen] = useState<Slot | null>(null);
  const choose = (slot: Slot) => {
    setChosen(slot);
    const named = slot.id ? ` (${slot.id})` : "";
    onSuggest(`I choose ${slot.time} on ${dayText(slot.date)}${named}.`);
  };
  return (
    <Frame label="Free times">
      <div className="border-b px-4 py-2.5 text-sm">
        <p className="font-medium">{shape.place ? `Free times at ${shape.place}` : "Free times"}</p>
        <p className="text-muted">
          {shape.zone ? `Times are those of ${shape.zone}.` : "Times are those of the place."}
        </p>
      </div>
      {days.length === 0 ? (
        <p className="p-4 text-sm">{shape.note || "No time is free."}</p>
      ) : (
        <SlotGrid days={days} chosen={chosen} onChoose={choose} />
      )}
    </Frame>
  );
}

interface Day {
  date: string;
  slots: Slot[];
}

/** The slots by date, earliest first. */
export function daysOf(slots: readonly Slot[]): Day[] {
  const days = new Map<string, Slot[]>();
  for (const slot of slots) days.set(slot.date, [...(days.get(slot.date) ?? []), slot]);
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, each]) => ({ date, slots: each.sort((a, b) => (a.time < b.time ? -1 : 1)) }));
}

/** Where a key leads from row `row`, column `column`; null for keys that lead nowhere. */
export function moveIn(
  days: readonly Day[],
  row: number,
  column: number,
  key: string,
): [number, number] | null {
  const last = (index: number) => (days[index]?.slots.length ?? 1) - 1;
  const moves: Record<string, [number, number]> = {
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    Home: [row, 0],
    End: [row, last(row)],
  };
  const move = moves[key];
  if (!move) return null;
  const nextRow = Math.min(Math.max(move[0], 0), days.length - 1);
  return [nextRow, Math.min(Math.max(move[1], 0), last(nextRow))];
}

function SlotGrid(props: { days: Day[]; chosen: Slot | null; onChoose: (slot: Slot) => void }) {
  const [[row, column], setPlace] = useState<[number, number]>([0, 0]);
  const grid = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moveIn(props.days, row, column, event.key);
    if (next === null) return;
    event.preventDefault();
    setPlace(next);
    grid.current?.querySelector<HTMLElement>(`[data-place="${next[0]}-${next[1]}"]`)?.focus();
  };
  return (
    <div
      ref={grid}
      role="grid"
      tabIndex={-1}
      aria-label="Free times by date"
      onKeyDown={onKeyDown}
      className="flex flex-col gap-3 p-4"
    >
      {props.days.map((day, dayIndex) => (
        <div role="row" key={day.date} className="flex flex-col gap-1.5">
          <span role="rowheader" className="text-sm font-medium">
            {dayText(day.date)}
          </span>
          <div role="presentation" className="flex flex-wrap gap-2">
            {day.slots.map((slot, index) => {
              const isChosen = props.chosen === slot;
              return (
                <span role="gridcell" key={slot.time + slot.id} aria-selected={isChosen}>
                  <button
                    type="button"
                    data-place={`${dayIndex}-${index}`}
                    tabIndex={dayIndex === row && index === column ? 0 : -1}
                    onFocus={() => setPlace([dayIndex, index])}
                    onClick={() => props.onChoose(slot)}
                    aria-label={`${slot.time}, ${dayText(slot.date)}${isChosen ? ", chosen" : ""}`}
                    className={cn(
                      "h-9 min-w-16 rounded-lg border border-control px-3 text-sm font-medium tabular-nums",
                      isChosen
                        ? "border-primary bg-primary text-on-primary"
                        : "bg-card hover:bg-sunken",
                    )}
                  >
                    {slot.time}
                  </button>
                </span>
              );
            })}
          </div>
        </div>
      ))}
    </div>
  );
}
