import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "./Button";

/** Copies `text`; says so for as long as the pointer or the focus stays. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
  };
  const reset = () => setCopied(false);
  return (
    <Button
      variant="ghost"
      size="small"
      onClick={() => void copy()}
      onBlur={reset}
      onMouseLeave={reset}
    >
      {isCopied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
      <span aria-live="polite">{isCopied ? "Copied" : label}</span>
    </Button>
  );
}
