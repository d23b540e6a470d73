import { useRef, useState } from "react";
import { Button } from "@/ui/Button";
import { visible } from "./visible";

/** As much as a page lays out at once without standing still. */
const FIRST_CHARACTERS = 20_000;

/** Text as it is, which can be scrolled with the keyboard. Of a long one the beginning comes first. */
export function Code({ text, label = "Code" }: { text: string; label?: string }) {
  const [isWhole, setWhole] = useState(false);
  const area = useRef<HTMLDivElement>(null);
  const left = text.length - FIRST_CHARACTERS;
  const shown = isWhole || left <= 0 ? text : text.slice(0, FIRST_CHARACTERS);
  return (
    <>
      <div
        ref={area}
        role="group"
        aria-label={label}
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-lg bg-sunken p-3 font-mono text-[0.8125rem] leading-relaxed"
      >
        <pre dir="auto" className="font-[inherit]">
          {visible(shown)}
        </pre>
      </div>
      {left > 0 && !isWhole && (
        <Button
          size="small"
          className="self-start"
          onClick={() => {
            setWhole(true);
            area.current?.focus();
          }}
        >
          Show {left.toLocaleString()} more characters
        </Button>
      )}
    </>
  );
}
