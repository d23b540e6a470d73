import { CircleAlert, Info, OctagonPause } from "lucide-react";
import type { NoticePart } from "@/api/types";
import { TONES, type Tone } from "@/ui/Badge";
import { cn } from "@/ui/cn";
import { visible } from "../markdown/visible";

const TITLES: Record<string, [title: string, tone: Tone]> = {
  model_unavailable: ["The model does not answer", "error"],
  model_rate_limited: ["The model is asked too much", "warning"],
  model_refused: ["The model's provider refused this", "warning"],
  model_misconfigured: ["The model is not set up", "error"],
  context_full: ["This conversation is too long for the model", "warning"],
  too_many_steps: ["The assistant took too many steps", "warning"],
  truncated: ["The answer was cut off", "warning"],
  stopped: ["Stopped", "neutral"],
  interrupted: ["Interrupted", "warning"],
  failed: ["Something failed", "error"],
};

/** Something the service has to say, with an icon and a colour by how bad it is. */
export function Notice({ notice }: { notice: NoticePart }) {
  const [title, tone] = TITLES[notice.code] ?? ["Note", "neutral"];
  const Icon = tone === "error" ? CircleAlert : tone === "neutral" ? OctagonPause : Info;
  return (
    <div className={cn("flex gap-2.5 rounded-xl p-3 text-sm", TONES[tone])}>
      <Icon aria-hidden="true" className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0">
        <p className="font-medium">{title}</p>
        <p dir="auto" className="wrap-anywhere text-text">
          {visible(notice.text)}
        </p>
      </div>
    </div>
  );
}
