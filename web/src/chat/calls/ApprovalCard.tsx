import { useQuery } from "@tanstack/react-query";
import { ShieldQuestion } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { type CallPlace, decideCall } from "@/api/chat";
import type { CallPart, Choice, JsonObject } from "@/api/types";
import { Button } from "@/ui/Button";
import { Input } from "@/ui/fields";
import { ErrorNotice } from "@/ui/states";
import { useStreams } from "../context";
import { visible } from "../markdown/visible";
import { toolsQuery } from "../queries";
import { nameOf } from "../stream/sentences";
import { ArgumentsEditor, ArgumentsView } from "./Arguments";
import { Ask } from "./Ask";
import { aboutRisk, RiskBadge } from "./looks";
import { countdown } from "./texts";
import { useCallAction } from "./useCallAction";
import { useNow } from "./useNow";

/** Asks whether a call is made. Nothing is chosen beforehand, and no answer in time means no. */
export function ApprovalCard({ call, place }: { call: CallPart; place: CallPlace }) {
  const [changed, setChanged] = useState<JsonObject | null>(null);
  const [isEditing, setEditing] = useState(false);
  const [reason, setReason] = useState<string | null>(null);
  const tools = useQuery(toolsQuery);
  const schema = tools.data?.tools.find((one) => one.name === call.tool)?.input_schema;
  const decide = useCallAction((decision: Choice) =>
    decideCall(place, {
      decision,
      ...(changed && decision !== "deny" && { arguments: changed }),
      ...(reason && decision === "deny" && { reason }),
    }),
  );
  const risk = call.risk ?? "read";
  const allow = { disabled: isEditing || decide.isPending, variant: "outline" as const };
  return (
    <Ask
      label={`Approval: ${nameOf(call)}`}
      Icon={ShieldQuestion}
      title={`May the assistant use “${nameOf(call)}”${call.server ? ` of ${visible(call.server)}` : ""}?`}
      aside={<Deadline call={call} place={place} />}
    >
      <p className="flex flex-wrap items-center gap-2">
        <RiskBadge risk={risk} />
        <span className="text-muted">{aboutRisk(risk)}</span>
        {call.rule && <span className="text-muted">Asked by rule {call.rule}.</span>}
      </p>
      {call.made_before_at ? (
        <p role="note" className="font-medium text-warning">
          This was done before, on {new Date(call.made_before_at * 1000).toLocaleString()}. Allow it
          only to have it done again.
        </p>
      ) : null}
      {isEditing ? (
        <ArgumentsEditor
          values={changed ?? call.arguments}
          schema={schema}
          onSave={(values) => {
            setChanged(values);
            setEditing(false);
          }}
          onCancel={() => setEditing(false)}
        />
      ) : (
        <ArgumentsView
          values={changed ?? call.arguments}
          isChanged={changed !== null}
          onEdit={() => setEditing(true)}
        />
      )}
      {decide.error && <ErrorNotice title="That was not taken" failure={decide.error} />}
      {reason === null ? (
        <div className="flex flex-wrap gap-2">
          <Button variant="danger" disabled={decide.isPending} onClick={() => setReason("")}>
            Deny…
          </Button>
          {risk !== "privileged" && (
            <Button {...allow} onClick={() => decide.mutate("conversation")}>
              Allow for this conversation
            </Button>
          )}
          <Button {...allow} variant="primary" onClick={() => decide.mutate("once")}>
            Allow once
          </Button>
        </div>
      ) : (
        <DenyForm
          reason={reason}
          isBusy={decide.isPending}
          onReason={setReason}
          onDeny={() => decide.mutate("deny")}
          onBack={() => setReason(null)}
        />
      )}
    </Ask>
  );
}

function DenyForm(props: {
  reason: string;
  isBusy: boolean;
  onReason: (reason: string) => void;
  onDeny: () => void;
  onBack: () => void;
}) {
  const id = useId();
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        props.onDeny();
      }}
    >
      <label htmlFor={id} className="font-medium">
        Why not? <span className="font-normal text-muted">(optional; the assistant is told)</span>
      </label>
      <Input
        id={id}
        ref={focusOnce}
        maxLength={500}
        value={props.reason}
        onChange={(event) => props.onReason(event.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="danger" disabled={props.isBusy}>
          Deny
        </Button>
        <Button variant="ghost" disabled={props.isBusy} onClick={props.onBack}>
          Back
        </Button>
      </div>
    </form>
  );
}

const focusOnce = (input: HTMLInputElement | null) => input?.focus();

function Deadline({ call, place }: { call: CallPart; place: CallPlace }) {
  const until = call.expires_at ?? null;
  const now = useNow(until !== null);
  const streams = useStreams();
  const { conversationId, messageId } = place;
  const isOver = until !== null && now >= until;
  useEffect(() => {
    if (isOver) streams.wake(conversationId, messageId);
  }, [isOver, streams, conversationId, messageId]);
  if (until === null) return null;
  return (
    <span className="text-xs text-muted tabular-nums">
      {isOver ? "Time is up: denied" : `Denied in ${countdown(until, now)}`}
    </span>
  );
}
