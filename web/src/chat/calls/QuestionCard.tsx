import { MessageCircleQuestion } from "lucide-react";
import { useState } from "react";
import { answerCall, type CallPlace } from "@/api/chat";
import type { Answer, CallPart, InputRequest } from "@/api/types";
import { Button } from "@/ui/Button";
import { ErrorNotice } from "@/ui/states";
import { SchemaForm } from "../forms/SchemaForm";
import { fieldsOf, secretsOf } from "../forms/schema";
import { visible } from "../markdown/visible";
import { nameOf } from "../stream/sentences";
import { AddressCard } from "./AddressCard";
import { Ask } from "./Ask";
import { useCallAction } from "./useCallAction";

/** What a tool's server asks. Several questions are answered one after the other, and sent together. */
export function QuestionCard({ call, place }: { call: CallPart; place: CallPlace }) {
  const [answers, setAnswers] = useState<Record<string, Answer>>({});
  const send = useCallAction((all: Record<string, Answer>) => answerCall(place, all));
  const inputs = call.inputs ?? [];
  const open = inputs.find((one) => answers[one.id] === undefined) ?? inputs.at(-1);
  if (!open) return null;
  const answer = (given: Answer) => {
    const all = { ...answers, [open.id]: given };
    setAnswers(all);
    if (inputs.every((one) => all[one.id] !== undefined)) send.mutate(all);
  };
  const position = inputs.length > 1 ? ` (${inputs.indexOf(open) + 1} of ${inputs.length})` : "";
  const asker = visible(call.server) || nameOf(call);
  return (
    <Ask
      label={`Question of ${asker}`}
      Icon={MessageCircleQuestion}
      title={`${asker} asks you${position}`}
    >
      <p dir="auto" className="max-h-96 overflow-y-auto wrap-anywhere whitespace-pre-line">
        {visible(open.message)}
      </p>
      <Question
        key={open.id}
        input={open}
        asker={asker}
        isBusy={send.isPending}
        onAnswer={answer}
      />
      {send.error && <ErrorNotice title="The answer was not taken" failure={send.error} />}
    </Ask>
  );
}

interface QuestionProps {
  input: InputRequest;
  asker: string;
  isBusy: boolean;
  onAnswer: (answer: Answer) => void;
}

function Question({ input, asker, isBusy, onAnswer }: QuestionProps) {
  const no = (
    <>
      <Button disabled={isBusy} onClick={() => onAnswer({ action: "decline" })}>
        Decline
      </Button>
      <Button variant="ghost" disabled={isBusy} onClick={() => onAnswer({ action: "cancel" })}>
        Cancel
      </Button>
    </>
  );
  const refusal = (text: string) => (
    <>
      <p className="rounded-lg bg-error-soft p-2.5 font-medium text-error">{text}</p>
      <div className="flex flex-wrap gap-2">{no}</div>
    </>
  );
  if (input.url) {
    return (
      <AddressCard url={input.url} openLabel="Open this address">
        {(isOpened) => (
          <>
            <Button
              variant="primary"
              disabled={isBusy || !isOpened}
              onClick={() => onAnswer({ action: "accept" })}
            >
              Done there, go on
            </Button>
            {no}
          </>
        )}
      </AddressCard>
    );
  }
  const fields = fieldsOf(input.schema ?? {});
  if (fields === null)
    return refusal("The question has a form that cannot be shown. Decline it, or cancel.");
  const secrets = secretsOf(fields);
  if (secrets.length > 0) {
    return refusal(
      `It asks for what must not be given in a form: ${secrets.join(", ")}. ${asker} would have to send you to a page of its own.`,
    );
  }
  return (
    <SchemaForm
      fields={fields}
      submitLabel="Submit"
      isBusy={isBusy}
      onSubmit={(content) => onAnswer({ action: "accept", content })}
    >
      {no}
    </SchemaForm>
  );
}
