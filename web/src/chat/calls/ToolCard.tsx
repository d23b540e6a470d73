import { ChevronRight } from "lucide-react";
import { memo, useId, useState } from "react";
import type { CallPlace } from "@/api/chat";
import type { CallPart } from "@/api/types";
import { Badge } from "@/ui/Badge";
import { CopyButton } from "@/ui/CopyButton";
import { cn } from "@/ui/cn";
import { latencyText } from "../cards/dates";
import { GenericCard } from "../cards/GenericCard";
import { ShapeCard } from "../cards/ShapeCard";
import { shapeOf } from "../cards/shapes";
import { Code } from "../markdown/Code";
import { visible } from "../markdown/visible";
import { suggest } from "../state";
import { nameOf } from "../stream/sentences";
import { prettyJson } from "./json";
import { RiskBadge, StateBadge } from "./looks";
import { Progress } from "./Progress";
import { argumentsLine, preview, previewText, resultText } from "./texts";
import { Waiting } from "./Waiting";

/** One tool call: what it is, what was asked, what came of it; and what the person has to do. */
export const ToolCard = memo(function ToolCard({
  call,
  place,
}: {
  call: CallPart;
  place: CallPlace;
}) {
  const isBad = call.state === "failed" || call.state === "denied" || call.state === "unknown";
  const [choice, setChoice] = useState<boolean | null>(null);
  const isOpen = choice ?? isBad;
  const id = useId();
  const line = argumentsLine(call.arguments);
  const shape = call.state === "done" ? shapeOf(call.structured) : null;
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <section
        role="group"
        aria-label={`Call: ${nameOf(call)}`}
        className="min-w-0 rounded-xl border bg-card text-sm"
      >
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setChoice(!isOpen)}
          className="flex w-full min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1 rounded-xl px-3 py-2 text-left hover:bg-sunken"
        >
          <ChevronRight
            aria-hidden="true"
            className={cn("size-4 shrink-0 text-muted transition-transform", isOpen && "rotate-90")}
          />
          <StateBadge state={call.state} />
          <span className="min-w-0 font-medium wrap-anywhere">{nameOf(call)}</span>
          {call.server && <span className="text-muted">{visible(call.server)}</span>}
          <span className="ml-auto text-xs text-muted tabular-nums">
            {typeof call.latency_ms === "number" && latencyText(call.latency_ms)}
          </span>
          <span className="w-full min-w-0 truncate pl-6 font-mono text-xs text-muted">
            {visible(line) || "no arguments"}
          </span>
        </button>
        <Progress call={call} />
        {!isOpen && <Preview call={call} hasCard={shape !== null} />}
        <div id={id} hidden={!isOpen}>
          {isOpen && <Details call={call} />}
        </div>
      </section>
      <Waiting call={call} place={place} />
      {shape && (
        <ShapeCard shape={shape} onSuggest={(text) => suggest(place.conversationId, text)} />
      )}
    </div>
  );
}, isSame);

/** Answers grow many times a second; a card is painted anew when its call is another. */
function isSame(
  before: { call: CallPart; place: CallPlace },
  now: { call: CallPart; place: CallPlace },
): boolean {
  return before.call === now.call && before.place.messageId === now.place.messageId;
}

function Preview({ call, hasCard }: { call: CallPart; hasCard: boolean }) {
  const text = call.state === "done" && !hasCard ? previewText(call) : "";
  if (text === "") return null;
  const { text: first, left } = preview(text);
  return (
    <div className="border-t px-3 py-2 pl-9 text-xs text-muted">
      <p className="line-clamp-3 font-mono wrap-anywhere whitespace-pre-wrap">{first}</p>
      {left > 0 && <p className="mt-0.5">{left === 1 ? "1 more line" : `${left} more lines`}</p>}
    </div>
  );
}

function Details({ call }: { call: CallPart }) {
  const text = resultText(call);
  return (
    <div className="flex flex-col gap-3 border-t p-3">
      <div className="flex flex-wrap items-center gap-2">
        <Badge>
          <span className="font-mono">{call.tool}</span>
        </Badge>
        <RiskBadge risk={call.risk ?? "read"} />
        {call.rule && <Badge title="The rule that decided">Rule: {call.rule}</Badge>}
        {call.decided && <Badge>You said: {DECIDED[call.decided] ?? call.decided}</Badge>}
        {call.correlation_id && <CopyButton text={call.correlation_id} label="Copy trace id" />}
      </div>
      {call.error && (
        <div className="rounded-lg bg-error-soft p-2.5">
          <p dir="auto" className="font-medium wrap-anywhere text-error">
            {visible(call.error)}
            {call.error_code && <span className="font-normal"> ({call.error_code})</span>}
          </p>
        </div>
      )}
      {call.state === "unknown" && (
        <p>
          It was under way when the gateway stopped, and may have acted. It is not made again by
          itself.
        </p>
      )}
      {call.reason && <p>Your reason: {call.reason}</p>}
      <Part title="Arguments">
        <Code text={prettyJson(call.arguments)} label="Arguments" />
      </Part>
      {call.structured && (
        <Part title="Result">
          <GenericCard value={call.structured} />
        </Part>
      )}
      {text !== "" && (
        <Part title={call.structured ? "Result as text" : "Result"}>
          <Code text={text} label="Result" />
        </Part>
      )}
    </div>
  );
}

const DECIDED: Record<string, string> = {
  once: "allow once",
  conversation: "allow for this conversation",
  deny: "deny",
  expired: "nothing in time",
};

function Part(props: { title: string; children: React.ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <p className="text-xs font-medium text-muted">{props.title}</p>
      {props.children}
    </div>
  );
}
