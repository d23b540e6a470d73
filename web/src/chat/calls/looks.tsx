import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleHelp,
  CircleX,
  Clock,
  KeyRound,
  Link2,
  Loader,
  type LucideIcon,
  MessageCircleQuestion,
  ShieldQuestion,
} from "lucide-react";
import type { CallState } from "@/api/types";
import { Badge, type Tone } from "@/ui/Badge";
import { cn } from "@/ui/cn";

interface Look {
  label: string;
  tone: Tone;
  Icon: LucideIcon;
}

const LOOKS: Record<CallState, Look> = {
  queued: { label: "Queued", tone: "neutral", Icon: Clock },
  running: { label: "Running", tone: "info", Icon: Loader },
  needs_approval: { label: "Needs approval", tone: "warning", Icon: ShieldQuestion },
  needs_elevation: { label: "Needs elevation", tone: "warning", Icon: KeyRound },
  needs_consent: { label: "Needs an account", tone: "warning", Icon: Link2 },
  needs_input: { label: "Asks you", tone: "warning", Icon: MessageCircleQuestion },
  done: { label: "Done", tone: "success", Icon: CircleCheck },
  failed: { label: "Failed", tone: "error", Icon: CircleAlert },
  denied: { label: "Denied", tone: "error", Icon: Ban },
  cancelled: { label: "Cancelled", tone: "neutral", Icon: CircleX },
  unknown: { label: "Outcome unknown", tone: "warning", Icon: CircleHelp },
};

/** How a state looks: an icon, a colour and a word, so that none of them carries it alone. */
export function lookOf(state: CallState): Look {
  return LOOKS[state] ?? LOOKS.unknown;
}

export function StateBadge({ state }: { state: CallState }) {
  const { label, tone, Icon } = lookOf(state);
  return (
    <Badge tone={tone}>
      <Icon aria-hidden="true" className={cn(state === "running" && "animate-spin")} />
      {label}
    </Badge>
  );
}

const RISKS: Record<string, { label: string; tone: Tone; about: string }> = {
  read: { label: "Reads", tone: "neutral", about: "It changes nothing." },
  write: { label: "Writes", tone: "warning", about: "It may change something." },
  privileged: { label: "Privileged", tone: "error", about: "It may change what is hard to undo." },
};

export function RiskBadge({ risk }: { risk: string }) {
  const look = RISKS[risk] ?? { label: risk, tone: "warning" as const, about: "" };
  return (
    <Badge tone={look.tone} title={look.about}>
      {look.label}
    </Badge>
  );
}

export function aboutRisk(risk: string): string {
  return RISKS[risk]?.about ?? "";
}
