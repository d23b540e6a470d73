import type { Confirmation } from "./shapes";

const LENGTH_MINUTES = 60;

/** A calendar file (RFC 5545) for a confirmation; null where it names no moment.
 *
 * Times are UTC where the confirmation gives an offset, else those of the place ("floating").
 * Without an end an hour is taken.
 */
export function calendarFile(confirmation: Confirmation, now: Date): string | null {
  const start = momentOf(confirmation);
  if (start === null) return null;
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Bascule//Assistant//EN",
    "BEGIN:VEVENT",
    `UID:${escapeText(confirmation.reference)}@bascule`,
    `DTSTAMP:${utcText(now)}`,
    `DTSTART:${start.text}`,
    `DTEND:${endOf(confirmation, start)}`,
    `SUMMARY:${escapeText(summaryOf(confirmation))}`,
    `LOCATION:${escapeText([confirmation.place, confirmation.address].filter(Boolean).join(", "))}`,
    `DESCRIPTION:${escapeText(`Reference ${confirmation.reference}. ${confirmation.about}`.trim())}`,
    confirmation.status.toLowerCase().startsWith("cancel")
      ? "STATUS:CANCELLED"
      : "STATUS:CONFIRMED",
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return `${lines.map(foldLine).join("\r\n")}\r\n`;
}

interface Moment {
  text: string;
  time: Date;
  isFloating: boolean;
}

function momentOf({ startsAt, date, time }: Confirmation): Moment | null {
  if (/(Z|[+-]\d{2}:?\d{2})$/.test(startsAt)) {
    const exact = new Date(startsAt);
    if (!Number.isNaN(exact.getTime())) {
      return { text: utcText(exact), time: exact, isFloating: false };
    }
  }
  const floating = new Date(`${date}T${time}:00Z`);
  if (Number.isNaN(floating.getTime())) return null;
  return { text: utcText(floating).slice(0, -1), time: floating, isFloating: true };
}

function endOf(confirmation: Confirmation, start: Moment): string {
  const given = new Date(confirmation.endsAt);
  const isGiven = !start.isFloating && !Number.isNaN(given.getTime()) && given > start.time;
  const end = isGiven ? given : new Date(start.time.getTime() + LENGTH_MINUTES * 60_000);
  return start.isFloating ? utcText(end).slice(0, -1) : utcText(end);
}

function summaryOf({ about, place, reference }: Confirmation): string {
  return [about || `Booking ${reference}`, place].filter(Boolean).join(" – ");
}

function utcText(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

function escapeText(text: string): string {
  return text
    .replace(/[\\;,]/g, "\\$&")
    .replace(/\r\n|\r|\n/g, "\\n")
    .replace(/\p{Cc}/gu, "");
}

/** Lines of at most 75 octets; what follows begins with a space (RFC 5545, 3.1). */
function foldLine(line: string): string {
  const encoder = new TextEncoder();
  const pieces: string[] = [];
  let piece = "";
  let octets = 0;
  for (const character of line) {
    const length = encoder.encode(character).length;
    if (octets + length > 74) {
      pieces.push(piece);
      piece = "";
      octets = 0;
    }
    piece += character;
    octets += length;
  }
  return [...pieces, piece].join("\r\n ");
}
