import { CalendarPlus, CircleCheck, CircleX } from "lucide-react";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { cn } from "@/ui/cn";
import { download } from "../download";
import { wordsOf } from "../forms/schema";
import { calendarFile } from "./calendar";
import { dayText } from "./dates";
import { Fact, Frame } from "./Frame";
import type { Confirmation } from "./shapes";

export function ConfirmationCard({ confirmation }: { confirmation: Confirmation }) {
  const isCancelled = confirmation.status.toLowerCase().startsWith("cancel");
  const file = isCancelled ? null : calendarFile(confirmation, new Date());
  const save = (text: string) =>
    download(`${confirmation.reference}.ics`, new Blob([text], { type: "text/calendar" }));
  return (
    <Frame label={`Booking ${confirmation.reference}`}>
      <div
        className={cn(
          "flex flex-wrap items-center gap-3 border-b p-4",
          isCancelled ? "bg-error-soft text-error" : "bg-success-soft text-success",
        )}
      >
        {isCancelled ? (
          <CircleX aria-hidden="true" className="size-6 shrink-0" />
        ) : (
          <CircleCheck aria-hidden="true" className="size-6 shrink-0" />
        )}
        <div className="min-w-0 flex-1">
          <p className="text-sm">{wordsOf(confirmation.status) || "Booked"}</p>
          <p className="font-mono text-lg font-semibold tracking-wide">{confirmation.reference}</p>
        </div>
      </div>
      <dl className="grid gap-3 p-4 sm:grid-cols-2">
        <Fact term="Date">{dayText(confirmation.date)}</Fact>
        <Fact term="Time">
          {confirmation.time && [confirmation.time, confirmation.zone].filter(Boolean).join(" ")}
        </Fact>
        <Fact term="Place">{confirmation.place}</Fact>
        <Fact term="Address">{confirmation.address}</Fact>
        <Fact term="What for">{confirmation.about}</Fact>
        <Fact term="Phone">{confirmation.phone}</Fact>
      </dl>
      <div className="flex flex-wrap gap-2 px-4 pb-4">
        {file !== null && (
          <Button size="small" onClick={() => save(file)}>
            <CalendarPlus aria-hidden="true" />
            Calendar file
          </Button>
        )}
        <CopyButton text={confirmation.reference} label="Copy reference" />
      </div>
    </Frame>
  );
}
